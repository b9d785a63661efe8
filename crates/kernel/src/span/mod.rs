//! Spans: what is told of a request or task that is recorded, and of the calls that it makes.
//!
//! Whether something is recorded is decided once, when it begins ([`Tracer`]). What is not recorded
//! costs a look at a pointer for each call that would be a span, and allocates nothing.

mod current;
mod recording;
mod tracer;

use std::borrow::Cow;
use std::fmt;

pub use current::{Work, Working, current};
pub use recording::{Child, Closing, Recording, child, within};
pub use tracer::{Position, Sampling, Tracer};

/// A span that has ended.
#[derive(Clone, Debug, PartialEq)]
pub struct Span {
    /// The trace that it belongs to.
    pub trace_id: [u8; 16],
    /// Its own id.
    pub id: [u8; 8],
    /// The span that it is a part of, perhaps of another process.
    pub parent: Option<[u8; 8]>,
    /// The span of the same trace that has caused it, perhaps long ago.
    pub caused_by: Option<[u8; 8]>,
    /// Such as `store.commit`.
    pub name: Cow<'static, str>,
    /// Which side of a call it is.
    pub kind: SpanKind,
    /// When it began, in nanoseconds since 1970.
    pub start_ns: u64,
    /// When it ended, in nanoseconds since 1970.
    pub end_ns: u64,
    /// What is known of it. Never what a user has sent: no addresses, tokens, paths or bodies.
    pub attributes: Vec<(&'static str, Value)>,
    /// The code of what went wrong, if something did.
    pub error: Option<Cow<'static, str>>,
}

/// Which side of a call a span is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SpanKind {
    /// It answers a request.
    Server,
    /// It calls somebody else.
    Client,
    /// It works on something that was enqueued.
    Consumer,
}

/// The value of an attribute.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Value {
    /// A text.
    Text(Cow<'static, str>),
    /// A number.
    Number(i64),
}

impl From<&'static str> for Value {
    fn from(text: &'static str) -> Self {
        Self::Text(Cow::Borrowed(text))
    }
}

impl From<String> for Value {
    fn from(text: String) -> Self {
        Self::Text(Cow::Owned(text))
    }
}

impl From<i64> for Value {
    fn from(number: i64) -> Self {
        Self::Number(number)
    }
}

/// Takes spans that have ended; never waits.
pub trait Spans: Send + Sync + fmt::Debug {
    /// Takes one, or counts that it could not.
    fn take(&self, span: Span);

    /// Counts one that was not recorded because its request or task had too many.
    fn skip(&self);
}
