//! Who may do what with records.

use outrigger_kernel::{Ctx, Result};

use crate::rule::{self, Rule};

/// Lets the actor pass or refuses. `created_by` is the record's owner; for what has none yet, give
/// the actor itself.
///
/// # Errors
/// As [`rule::check`].
pub(crate) fn check(rule: &Rule, ctx: &Ctx, created_by: Option<&str>) -> Result<()> {
    rule::check(rule, ctx, created_by, "record")
}
