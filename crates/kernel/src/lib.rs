//! Pure types that every crate of Outrigger shares: no I/O, no runtime, no globals.
//!
//! Nothing here knows of HTTP, SQL or the environment. Time and randomness are values that are
//! passed in ([`Clock`], [`Random`]), so that a test decides what they say. The one thing that a
//! thread knows by itself is what it works on right now ([`span::current`]).

pub mod ctx;
pub mod error;
pub mod id;
pub mod limits;
pub mod page;
pub mod random;
pub mod secret;
pub mod span;
pub mod time;
pub mod trace;

pub use ctx::{Actor, Ctx, Role};
pub use error::{Error, ErrorKind, FieldError, Result};
pub use id::Ids;
pub use page::{Page, PageRequest};
pub use random::{Random, SystemRandom};
pub use secret::Secret;
pub use span::{Span, Spans, Tracer};
pub use time::{Clock, ManualClock, SystemClock, Timestamp};
pub use trace::TraceParent;
