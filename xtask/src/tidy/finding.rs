//! What a rule says: where, what, and what to do about it.

use std::fmt;

/// A broken rule.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Finding {
    path: String,
    line: usize,
    what: String,
    remedy: String,
}

impl Finding {
    /// Lines count from 1.
    pub(super) fn new(path: &str, line: usize, what: impl Into<String>, remedy: &str) -> Self {
        Self { path: path.to_owned(), line, what: what.into(), remedy: remedy.to_owned() }
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: {}; {}", self.path, self.line, self.what, self.remedy)
    }
}

/// The findings as text, for comparing in tests.
#[cfg(test)]
pub(super) fn texts(findings: &[Finding]) -> Vec<String> {
    findings.iter().map(|f| format!("{}:{}: {}", f.path, f.line, f.what)).collect()
}
