//! What a user's fields may look like.

use outrigger_kernel::{Error, FieldError, Result};

use super::model::{NewUser, Patch, ProfilePatch};
use crate::zone;

/// RFC 5321: the longest path is 256 octets with its angle brackets.
const EMAIL_BYTES_MAX: usize = 254;
const LOCAL_PART_BYTES_MAX: usize = 64;
const NAME_CHARS_MAX: usize = 100;
const LOCALE_BYTES_MAX: usize = 35;
const ROLE_BYTES_MAX: usize = 32;

/// The address trimmed and in lower case, if it has the form that HTML's `<input type=email>`
/// accepts, with a dot in its domain.
///
/// # Errors
/// `invalid` at `body.email`.
pub fn normalize_email(text: &str) -> Result<String> {
    let text = text.trim();
    let fault = |message: &str| Err(Error::invalid(&["body", "email"], "email", message));
    if text.len() > EMAIL_BYTES_MAX {
        return fault("an e-mail address has at most 254 characters");
    }
    let Some((local, domain)) = text.rsplit_once('@') else {
        return fault("an e-mail address looks like name@example.com");
    };
    let local_is_fine = (1..=LOCAL_PART_BYTES_MAX).contains(&local.len())
        && local.split('.').all(|atom| !atom.is_empty() && atom.bytes().all(is_atom_byte));
    if !local_is_fine {
        return fault("the part before the @ is not that of an e-mail address");
    }
    let domain_is_fine = domain.contains('.')
        && domain.split('.').all(|label| {
            (1..=63).contains(&label.len())
                && !label.starts_with('-')
                && !label.ends_with('-')
                && label.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
        });
    if !domain_is_fine {
        return fault("the part after the @ is not a domain such as example.com");
    }
    Ok(text.to_ascii_lowercase())
}

fn is_atom_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"!#$%&'*+/=?^_`{|}~-".contains(&byte)
}

/// A new user with its fields normalised, or all that is wrong with them.
pub(crate) fn new_user(mut new: NewUser) -> Result<NewUser> {
    let mut faults = Vec::new();
    let mut keep = |fault: Error| faults.extend_from_slice(fault.fields());
    match normalize_email(&new.email) {
        Ok(email) => new.email = email,
        Err(error) => keep(error),
    }
    for (field, check) in profile_fields(&mut new) {
        if let Some(value) = field.take() {
            match check(&value) {
                Ok(value) => *field = Some(value),
                Err(error) => keep(error),
            }
        }
    }
    if faults.is_empty() { Ok(new) } else { Err(Error::invalid_fields(faults)) }
}

type Check = fn(&str) -> Result<String>;

fn profile_fields(new: &mut NewUser) -> [(&mut Option<String>, Check); 4] {
    [
        (&mut new.name, name),
        (&mut new.locale, locale),
        (&mut new.time_zone, time_zone),
        (&mut new.currency, currency),
    ]
}

/// A patch with its fields normalised, or all that is wrong with them.
pub(crate) fn profile(patch: ProfilePatch) -> Result<ProfilePatch> {
    let mut faults: Vec<FieldError> = Vec::new();
    let mut checked = |field: Patch<String>, check: Check| {
        field.try_map(|value| check(&value)).unwrap_or_else(|error| {
            faults.extend_from_slice(error.fields());
            Patch::Keep
        })
    };
    let patch = ProfilePatch {
        name: checked(patch.name, name),
        locale: checked(patch.locale, locale),
        time_zone: checked(patch.time_zone, time_zone),
        currency: checked(patch.currency, currency),
    };
    if faults.is_empty() { Ok(patch) } else { Err(Error::invalid_fields(faults)) }
}

fn name(text: &str) -> Result<String> {
    let text = text.trim();
    let length = text.chars().count();
    if (1..=NAME_CHARS_MAX).contains(&length) && !text.chars().any(char::is_control) {
        return Ok(text.to_owned());
    }
    invalid("name", "a name has 1 to 100 characters and no control characters")
}

/// The shape of BCP 47 (RFC 5646): subtags of 1 to 8 letters and digits, the first a language.
fn locale(text: &str) -> Result<String> {
    let mut subtags = text.split('-');
    let language = subtags.next().unwrap_or("");
    let fine = text.len() <= LOCALE_BYTES_MAX
        && (2..=8).contains(&language.len())
        && language.bytes().all(|b| b.is_ascii_alphabetic())
        && subtags.all(|tag| {
            (1..=8).contains(&tag.len()) && tag.bytes().all(|b| b.is_ascii_alphanumeric())
        });
    if fine { Ok(text.to_owned()) } else { invalid("locale", "a locale looks like de or pt-BR") }
}

/// A name in the IANA time zone database that is compiled in.
fn time_zone(text: &str) -> Result<String> {
    if zone::find(text).is_some() {
        return Ok(text.to_owned());
    }
    invalid("time_zone", "no such time zone; give a name such as Europe/Vienna, Asia/Manila or UTC")
}

fn currency(text: &str) -> Result<String> {
    if text.len() == 3 && text.bytes().all(|b| b.is_ascii_uppercase()) {
        return Ok(text.to_owned());
    }
    invalid("currency", "a currency is three capital letters such as EUR")
}

/// The name of a role: `[a-z][a-z0-9_-]{0,31}`.
pub(crate) fn role(text: &str) -> Result<()> {
    let fine = (1..=ROLE_BYTES_MAX).contains(&text.len())
        && text.starts_with(|c: char| c.is_ascii_lowercase())
        && text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b"_-".contains(&b));
    if fine {
        return Ok(());
    }
    invalid("role", "a role is 1 to 32 of a-z, 0-9, _ and -, and starts with a letter")
}

fn invalid<T>(field: &'static str, message: &str) -> Result<T> {
    Err(Error::invalid(&["body", field], field, message))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_normalised_and_checked() {
        assert_eq!(normalize_email("  Ann.Lee+x@Example.COM ").unwrap(), "ann.lee+x@example.com");
        let long = format!("a@{}.com", "b".repeat(250));
        for bad in [
            "",
            "@",
            "a@",
            "@b.com",
            "a@b",
            "a b@c.com",
            "a@b..com",
            "a@-b.com",
            "a@b-.com",
            ".a@b.com",
            "a..b@c.com",
            "a@b.com\n.evil",
            "a\u{0}@b.com",
            "é@b.com",
            "a@b@c.com",
            &long,
        ] {
            let error = normalize_email(bad).expect_err(bad);
            assert_eq!(error.fields()[0].loc, ["body", "email"], "{bad}");
        }
    }

    #[test]
    fn shapes_of_profile_fields() {
        let fine: [(Check, &[&str]); 4] = [
            (name, &["Ann", " 李 "]),
            (locale, &["de", "pt-BR", "zh-Hant-TW", "sl-rozaj-biske-1994"]),
            (time_zone, &["UTC", "Europe/Vienna", "Etc/GMT+5", "America/Argentina/La_Rioja"]),
            (currency, &["EUR"]),
        ];
        let bad: [(Check, &[&str]); 4] = [
            (name, &["", "  ", "a\u{7}b"]),
            (locale, &["", "d", "de_AT", "de-", "-de", "de-123456789", "../etc"]),
            (
                time_zone,
                &["", "/", "Europe/", "../../etc/passwd", "+01:00", "Mars/Base", "Etc/Unknown"],
            ),
            (currency, &["", "eur", "EURO", "E1R"]),
        ];
        for (check, values) in fine {
            for value in values {
                assert!(check(value).is_ok(), "{value}");
            }
        }
        for (check, values) in bad {
            for value in values {
                assert!(check(value).is_err(), "{value}");
            }
        }
        assert!(name(&"x".repeat(101)).is_err());
        assert!(role("support-2").is_ok());
        for bad in ["", "2x", "Admin", "a b", &"x".repeat(33)] {
            assert!(role(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn all_faults_of_a_new_user_are_named_at_once() {
        let new = NewUser {
            email: "nobody".to_owned(),
            currency: Some("euro".to_owned()),
            locale: Some("de".to_owned()),
            ..NewUser::default()
        };
        let error = new_user(new).unwrap_err();
        let places: Vec<_> = error.fields().iter().map(|f| f.loc[1].as_str()).collect();
        assert_eq!(places, ["email", "currency"]);
    }
}
