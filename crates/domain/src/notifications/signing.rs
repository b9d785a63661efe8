//! Signatures of webhooks, per the Standard Webhooks specification: `webhook-id`,
//! `webhook-timestamp` and `webhook-signature`, so that a receiver can verify with any of its
//! libraries who sent a request, that it is whole, and that it is not an old one sent again.

use std::collections::BTreeMap;
use std::fmt;

use aws_lc_rs::{hkdf, hmac};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use outrigger_kernel::secret::ExposeSecret;
use outrigger_kernel::{Error, Result, Secret, Timestamp};

/// The key of requests that name none.
const DEFAULT: &str = "default";
/// What a secret begins with.
const PREFIX: &str = "whsec_";
/// So many bytes a secret may have, by the specification.
const SECRET_BYTES: std::ops::RangeInclusive<usize> = 24..=64;
const SALT: &[u8] = b"outrigger/v1";

/// The keys that sign, by name.
#[derive(Clone)]
pub struct Keys {
    keys: BTreeMap<String, hmac::Key>,
    derived: Option<Secret>,
}

impl fmt::Debug for Keys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Keys").field(&self.keys.keys()).finish()
    }
}

impl Keys {
    /// These secrets by name, and `default`, which is derived from the master secret (HKDF-SHA256,
    /// RFC 5869) unless it is among them.
    ///
    /// # Errors
    /// `invalid` naming the secret that is not `whsec_` and 24 to 64 bytes of base64.
    pub fn new(master: &Secret, named: &[(String, Secret)]) -> Result<Self> {
        let mut bytes = [0_u8; 32];
        let salt = hkdf::Salt::new(hkdf::HKDF_SHA256, SALT);
        let root = salt.extract(master.expose_secret().as_bytes());
        let info = [b"webhooks".as_slice()];
        let derived = root.expand(&info, hkdf::HKDF_SHA256).map_err(Error::internal)?;
        derived.fill(&mut bytes).map_err(Error::internal)?;
        let mut keys = BTreeMap::new();
        keys.insert(DEFAULT.to_owned(), hmac::Key::new(hmac::HMAC_SHA256, &bytes));
        for (name, secret) in named {
            keys.insert(name.clone(), key_of(name, secret)?);
        }
        let is_named = named.iter().any(|(name, _)| name == DEFAULT);
        let derived = || Secret::from(format!("{PREFIX}{}", STANDARD.encode(bytes)));
        let derived = (!is_named).then(derived);
        Ok(Self { keys, derived })
    }

    /// The secret `default` as receivers need it, when it is derived from the master secret.
    pub fn derived(&self) -> Option<&Secret> {
        self.derived.as_ref()
    }

    /// The value of `webhook-signature` for this message.
    ///
    /// # Errors
    /// `invalid` when there is no secret of this name.
    pub fn sign(&self, name: Option<&str>, id: &str, at: Timestamp, body: &[u8]) -> Result<String> {
        let name = name.unwrap_or(DEFAULT);
        let key = self.keys.get(name).ok_or_else(|| {
            let known: Vec<&str> = self.keys.keys().map(String::as_str).collect();
            let message = format!(
                "there is no secret {name} (webhooks.secrets); known are {}",
                known.join(", ")
            );
            Error::invalid(&["body", "payload", "secret_ref"], "unknown_secret", message)
        })?;
        let mut signing = hmac::Context::with_key(key);
        signing.update(format!("{id}.{}.", at.as_secs()).as_bytes());
        signing.update(body);
        Ok(format!("v1,{}", STANDARD.encode(signing.sign())))
    }
}

fn key_of(name: &str, secret: &Secret) -> Result<hmac::Key> {
    let bytes = secret.expose_secret().strip_prefix(PREFIX);
    let bytes = bytes.and_then(|text| STANDARD.decode(text).ok());
    match bytes {
        Some(bytes) if SECRET_BYTES.contains(&bytes.len()) => {
            Ok(hmac::Key::new(hmac::HMAC_SHA256, &bytes))
        }
        _ => {
            let message =
                format!("the secret {name} must be whsec_ followed by 24 to 64 bytes in base64");
            Err(Error::invalid(&["webhooks", "secrets"], "secret", message))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keys(secret: &str) -> Result<Keys> {
        let named = [("shop".to_owned(), Secret::from(secret.to_owned()))];
        Keys::new(&Secret::from("a master secret".to_owned()), &named)
    }

    #[test]
    fn the_signature_is_the_one_of_the_specification() {
        // The example of the specification's reference libraries.
        let keys = keys("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw").unwrap();
        let at = Timestamp::from_secs(1_614_265_330);
        let signed =
            keys.sign(Some("shop"), "msg_p5jXN8AQM9LWM0D4loKWxJek", at, br#"{"test": 2432232314}"#);
        assert_eq!(signed.unwrap(), "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
    }

    #[test]
    fn a_name_that_is_not_known_is_told_with_those_that_are() {
        let keys = keys("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw").unwrap();
        let error = keys.sign(Some("store"), "a", Timestamp::from_secs(1), b"").unwrap_err();
        assert!(error.to_string().contains("default, shop"), "{error}");
    }

    #[test]
    fn secrets_that_are_short_or_no_base64_are_refused() {
        for secret in ["whsec_c2hvcnQ=", "whsec_%%", "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", ""] {
            assert!(keys(secret).unwrap_err().to_string().contains("shop"), "{secret}");
        }
    }

    #[test]
    fn the_derived_secret_signs_what_names_none() {
        let one = keys("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw").unwrap();
        let derived = one.derived().unwrap().expose_secret().to_owned();
        let other = keys(&derived).unwrap();
        let at = Timestamp::from_secs(1);
        assert_eq!(
            one.sign(None, "a", at, b"b").unwrap(),
            other.sign(Some("shop"), "a", at, b"b").unwrap()
        );
    }
}
