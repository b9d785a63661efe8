//! Words for the person who waits.

use std::io::Write;

/// A line to standard output: the result.
pub(crate) fn say(text: &str) {
    let _ = writeln!(std::io::stdout(), "{text}");
}

/// A line to standard error: what happens now.
pub(crate) fn note(text: &str) {
    let _ = writeln!(std::io::stderr(), "bench: {text}");
}
