//! Which types of files are taken.

use std::fmt;

use outrigger_kernel::{Error, ErrorKind, Result};
use serde::{Deserialize, Serialize};

/// A type, such as `application/pdf`, or all of a kind, such as `image/*`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct MediaRange(String);

impl TryFrom<String> for MediaRange {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let is_word = |word: &str| {
            !word.is_empty()
                && word
                    .bytes()
                    .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b"+-.".contains(&b))
        };
        match text.split_once('/') {
            Some((kind, sub)) if is_word(kind) && (sub == "*" || is_word(sub)) => Ok(Self(text)),
            _ => Err(format!(
                "{text} is no media type; write image/png or image/*, in small letters"
            )),
        }
    }
}

impl From<MediaRange> for String {
    fn from(range: MediaRange) -> Self {
        range.0
    }
}

impl fmt::Display for MediaRange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl MediaRange {
    fn holds(&self, media_type: &str) -> bool {
        match self.0.strip_suffix('*') {
            Some(kind) => media_type.starts_with(kind),
            None => media_type == self.0,
        }
    }
}

/// Refuses what is in none of the ranges, if there are any.
///
/// # Errors
/// `unsupported_media_type` with the type that the bytes have.
pub(super) fn check(ranges: &[MediaRange], media_type: &str) -> Result<()> {
    if ranges.is_empty() || ranges.iter().any(|range| range.holds(media_type)) {
        return Ok(());
    }
    let taken = ranges.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
    Err(Error::new(
        ErrorKind::UnsupportedMediaType,
        "file_type",
        format!("the bytes of the file are {media_type}; these are taken: {taken}"),
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn range(text: &str) -> MediaRange {
        MediaRange::try_from(text.to_owned()).unwrap()
    }

    #[test]
    fn a_range_holds_its_types() {
        let ranges = [range("image/*"), range("application/pdf")];
        for taken in ["image/png", "image/svg+xml", "application/pdf"] {
            check(&ranges, taken).unwrap();
        }
        for refused in ["imagex/png", "application/pdfx", "text/plain"] {
            let error = check(&ranges, refused).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::UnsupportedMediaType);
            assert!(error.message().contains("image/*, application/pdf"), "{error}");
        }
        check(&[], "application/octet-stream").unwrap();
    }

    #[test]
    fn what_is_no_range_is_refused() {
        for wrong in ["", "image", "image/", "/png", "*/*", "Image/png", "image/png; q=1"] {
            assert!(MediaRange::try_from(wrong.to_owned()).is_err(), "{wrong}");
        }
    }
}
