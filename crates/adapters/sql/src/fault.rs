//! A driver's error as a line of text, so that no driver's type leaves this crate.

use std::error::Error;
use std::fmt;

use outrigger_ports::store::{Cause, in_one_line};

/// What a driver said, with all its sources in one line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Fault(pub(crate) String);

impl Fault {
    /// The error and what caused it, joined by colons.
    pub(crate) fn of(error: &(dyn Error + 'static)) -> Self {
        Self(in_one_line(error))
    }

    /// As the cause of a store's error.
    pub(crate) fn cause(text: impl Into<String>) -> Cause {
        Box::new(Self(text.into()))
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Error for Fault {}
