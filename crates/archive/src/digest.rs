//! Checksums: of lines in their order, and of a set of documents.

use aws_lc_rs::digest::{Context, SHA256, digest};
use outrigger_kernel::id;

/// SHA-256 of the document lines of an archive, with their ends of line, and how many they are.
#[derive(Clone)]
pub(crate) struct Running {
    context: Context,
    pub(crate) documents: u64,
}

impl Running {
    pub(crate) fn new() -> Self {
        Self { context: Context::new(&SHA256), documents: 0 }
    }

    /// Adds a line, which comes without its end.
    pub(crate) fn add(&mut self, line: &[u8]) {
        self.context.update(line);
        self.context.update(b"\n");
        self.documents += 1;
    }

    /// In hexadecimal.
    pub(crate) fn hex(self) -> String {
        id::hex(self.context.finish().as_ref())
    }
}

/// A set of documents: how many, and the SHA-256 of each, combined by exclusive or. So one can be
/// taken out again, and their order does not matter; each is there once, since keys are.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Sum {
    pub(crate) documents: u64,
    bytes: [u8; 32],
}

impl Sum {
    /// Adds a document.
    pub(crate) fn add(&mut self, line: &[u8]) {
        self.documents += 1;
        self.turn(line);
    }

    /// Has the document in another form.
    pub(crate) fn exchange(&mut self, old: &[u8], new: &[u8]) {
        self.turn(old);
        self.turn(new);
    }

    fn turn(&mut self, line: &[u8]) {
        for (byte, of_line) in self.bytes.iter_mut().zip(digest(&SHA256, line).as_ref()) {
            *byte ^= of_line;
        }
    }
}

/// SHA-256 of a text, in hexadecimal.
pub(crate) fn of(text: &[u8]) -> String {
    id::hex(digest(&SHA256, text).as_ref())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sum_does_not_know_the_order_and_forgets_what_is_exchanged() {
        let sum = |lines: &[&str]| {
            let mut sum = Sum::default();
            for line in lines {
                sum.add(line.as_bytes());
            }
            sum
        };
        assert_eq!(sum(&["a", "b", "c"]), sum(&["c", "a", "b"]));
        assert_ne!(sum(&["a", "b"]), sum(&["a", "c"]));
        assert_ne!(sum(&["a"]), sum(&["a", "b"]));
        let mut exchanged = sum(&["a", "b"]);
        exchanged.exchange(b"b", b"c");
        assert_eq!(exchanged, sum(&["a", "c"]));
    }
}
