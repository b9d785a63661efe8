//! One error for every rule: a kind that callers act on, words for the client, a source for the log.

use std::borrow::Cow;
use std::error::Error as StdError;
use std::fmt;
use std::time::Duration;

use serde::Serialize;

/// The result of a rule.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// What went wrong, as a caller may act on it. HTTP turns it into a status in one place.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ErrorKind {
    /// The request cannot be read at all.
    BadRequest,
    /// The request can be read, but what it says is not allowed; see [`Error::fields`].
    Invalid,
    /// No valid credentials.
    Unauthenticated,
    /// Valid credentials, wrong role.
    Forbidden,
    /// No such thing, or it belongs to somebody else.
    NotFound,
    /// The thing is there, but its state forbids this.
    Conflict,
    /// `If-Match`, `If-None-Match` or `if_version` does not hold.
    PreconditionFailed,
    /// Over a bound of size.
    TooLarge,
    /// The headers are over a bound.
    HeadersTooLarge,
    /// The body is of a type that is not understood here.
    UnsupportedMediaType,
    /// The request did not arrive in time.
    RequestTimeout,
    /// Over a limit of rate; see [`Error::retry_after`].
    RateLimited,
    /// A backend that is needed is away, or the process is full; try again.
    Unavailable,
    /// The write was sent, but whether it took effect is not known.
    OutcomeUnknown,
    /// A fault of Outrigger's own.
    Internal,
}

/// One fault in the input, and where it is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct FieldError {
    /// The path to the fault, such as `["body", "email"]`; numbers are positions in arrays.
    pub loc: Vec<String>,
    /// A stable name of the fault.
    pub code: Cow<'static, str>,
    /// Words for a person.
    pub message: String,
}

/// Why a rule did not do what was asked.
///
/// `message` and `fields` are for the client; the source is for the log and never leaves the
/// process.
pub struct Error(Box<Inner>);

struct Inner {
    kind: ErrorKind,
    code: &'static str,
    message: Cow<'static, str>,
    fields: Vec<FieldError>,
    retry_after: Option<Duration>,
    limit: Option<(u32, Duration)>,
    source: Option<Box<dyn StdError + Send + Sync>>,
}

impl Error {
    /// An error of this kind. `code` is stable and documented; `message` is in lower case without
    /// a full stop.
    pub fn new(kind: ErrorKind, code: &'static str, message: impl Into<Cow<'static, str>>) -> Self {
        Self(Box::new(Inner {
            kind,
            code,
            message: message.into(),
            fields: Vec::new(),
            retry_after: None,
            limit: None,
            source: None,
        }))
    }

    /// The request cannot be read.
    pub fn bad_request(code: &'static str, message: impl Into<Cow<'static, str>>) -> Self {
        Self::new(ErrorKind::BadRequest, code, message)
    }

    /// One field of the input is not allowed. `loc` is its path, such as `&["body", "email"]`.
    pub fn invalid(
        loc: &[&str],
        code: impl Into<Cow<'static, str>>,
        message: impl Into<String>,
    ) -> Self {
        Self::invalid_fields(vec![FieldError {
            loc: loc.iter().map(ToString::to_string).collect(),
            code: code.into(),
            message: message.into(),
        }])
    }

    /// Several fields of the input are not allowed.
    pub fn invalid_fields(fields: Vec<FieldError>) -> Self {
        let mut error =
            Self::new(ErrorKind::Invalid, "validation_failed", "the input is not valid");
        error.0.fields = fields;
        error
    }

    /// No valid credentials.
    pub fn unauthenticated() -> Self {
        Self::new(
            ErrorKind::Unauthenticated,
            "unauthenticated",
            "a valid access token of a live session is needed",
        )
    }

    /// The role does not allow this.
    pub fn forbidden(message: impl Into<Cow<'static, str>>) -> Self {
        Self::new(ErrorKind::Forbidden, "forbidden", message)
    }

    /// There is no such thing for this actor.
    pub fn not_found(what: &str) -> Self {
        Self::new(ErrorKind::NotFound, "not_found", format!("there is no such {what}"))
    }

    /// The state of the thing forbids this.
    pub fn conflict(code: &'static str, message: impl Into<Cow<'static, str>>) -> Self {
        Self::new(ErrorKind::Conflict, code, message)
    }

    /// Too many requests; `retry_after` says when one will be taken again.
    pub fn rate_limited(message: impl Into<Cow<'static, str>>, retry_after: Duration) -> Self {
        Self::new(ErrorKind::RateLimited, "rate_limited", message).retry_in(retry_after)
    }

    /// A backend that is needed is away.
    pub fn unavailable(code: &'static str, message: impl Into<Cow<'static, str>>) -> Self {
        Self::new(ErrorKind::Unavailable, code, message).retry_in(Duration::from_secs(1))
    }

    /// A fault of Outrigger's own. The client learns nothing but that it happened.
    pub fn internal(source: impl Into<Box<dyn StdError + Send + Sync>>) -> Self {
        Self::new(ErrorKind::Internal, "internal", "an internal error occurred").caused_by(source)
    }

    /// Adds when to try again.
    #[must_use]
    pub fn retry_in(mut self, after: Duration) -> Self {
        self.0.retry_after = Some(after);
        self
    }

    /// Adds which limit refused: so many within this period.
    #[must_use]
    pub fn of_limit(mut self, limit: u32, period: Duration) -> Self {
        self.0.limit = Some((limit, period));
        self
    }

    /// Adds the cause, for the log.
    #[must_use]
    pub fn caused_by(mut self, source: impl Into<Box<dyn StdError + Send + Sync>>) -> Self {
        self.0.source = Some(source.into());
        self
    }

    /// Puts `outer` in front of each field's path, as when a body is part of a larger one.
    #[must_use]
    pub fn within(mut self, outer: &[&str]) -> Self {
        for field in &mut self.0.fields {
            field.loc.splice(0..0, outer.iter().map(ToString::to_string));
        }
        self
    }

    /// Replaces the first part of each field's path (such as `body`) by a longer one, as when the
    /// checked value was part of a larger body.
    #[must_use]
    pub fn relocated(mut self, outer: &[&str]) -> Self {
        for field in &mut self.0.fields {
            field.loc.splice(0..field.loc.len().min(1), outer.iter().map(ToString::to_string));
        }
        self
    }

    /// Puts the place of the fault before the message.
    #[must_use]
    pub fn prefixed(mut self, place: &str) -> Self {
        self.0.message = format!("{place}: {}", self.0.message).into();
        self
    }

    /// What went wrong.
    pub fn kind(&self) -> ErrorKind {
        self.0.kind
    }

    /// The stable name of the fault.
    pub fn code(&self) -> &'static str {
        self.0.code
    }

    /// Words for the client.
    pub fn message(&self) -> &str {
        &self.0.message
    }

    /// The faults in the input, when the kind is [`ErrorKind::Invalid`].
    pub fn fields(&self) -> &[FieldError] {
        &self.0.fields
    }

    /// The limit that refused, unless it is that of all requests: how many, within which period.
    pub fn limit(&self) -> Option<(u32, Duration)> {
        self.0.limit
    }

    /// When to try again.
    pub fn retry_after(&self) -> Option<Duration> {
        self.0.retry_after
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.message)?;
        for field in &self.0.fields {
            write!(f, "; {}: {}", field.loc.join("."), field.message)?;
        }
        Ok(())
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Error")
            .field("kind", &self.0.kind)
            .field("code", &self.0.code)
            .field("message", &self.0.message)
            .field("fields", &self.0.fields)
            .field("source", &self.0.source)
            .finish_non_exhaustive()
    }
}

impl StdError for Error {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.0.source.as_deref().map(|source| source as &(dyn StdError + 'static))
    }
}
