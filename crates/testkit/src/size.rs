//! How much of it a long test does.

/// `full` with `OUTRIGGER_TEST_FULL=1`, else `brief`, which is enough to see whether something is
/// broken.
pub fn sized(brief: usize, full: usize) -> usize {
    if std::env::var_os("OUTRIGGER_TEST_FULL").is_some() { full } else { brief }
}
