//! Entity tags (RFC 9110, section 8.8.3) and the headers that use them.

use outrigger_kernel::{Error, ErrorKind, Result, Timestamp};
use std::fmt;

/// Names one state of one record. The instant of the change is part of it, so that a record that
/// was deleted and made again does not come back to an old tag.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ETag {
    /// The record's version.
    pub version: u64,
    /// When it was last changed.
    pub updated_at: Timestamp,
}

impl fmt::Display for ETag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "\"{}-{:x}\"", self.version, self.updated_at.as_micros())
    }
}

/// What a request says of the state that it expects.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Preconditions {
    /// `If-Match`.
    pub if_match: Option<String>,
    /// `If-None-Match`.
    pub if_none_match: Option<String>,
}

impl Preconditions {
    /// Whether nothing is expected.
    pub fn is_empty(&self) -> bool {
        self.if_match.is_none() && self.if_none_match.is_none()
    }

    /// Whether the client has this state already: a read is answered 304.
    pub fn is_not_modified(&self, current: &ETag) -> bool {
        let tag = current.to_string();
        self.if_none_match.as_ref().is_some_and(|header| {
            tags(header).any(|given| given == "*" || given.trim_start_matches("W/") == tag)
        })
    }

    /// Lets a write pass only in the expected state; `current` is `None` when there is no record.
    ///
    /// # Errors
    /// `precondition_failed`.
    pub fn check_write(&self, current: Option<&ETag>) -> Result<()> {
        if let Some(header) = &self.if_match {
            let matches = current.is_some_and(|current| {
                let tag = current.to_string();
                tags(header).any(|given| given == "*" || given == tag)
            });
            if !matches {
                return Err(failed(
                    "If-Match",
                    "the record is not in the state that If-Match names",
                ));
            }
        }
        if let (Some(_), Some(current)) = (&self.if_none_match, current)
            && self.is_not_modified(current)
        {
            return Err(failed("If-None-Match", "the record is there already"));
        }
        Ok(())
    }
}

fn failed(header: &str, message: &'static str) -> Error {
    let code = if header == "If-Match" { "if_match_failed" } else { "if_none_match_failed" };
    Error::new(ErrorKind::PreconditionFailed, code, message)
}

fn tags(header: &str) -> impl Iterator<Item = &str> {
    header.split(',').map(str::trim)
}
