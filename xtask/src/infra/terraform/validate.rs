//! Every stack, with all its modules, is what the real provider accepts: allowed values, formats,
//! arguments that exclude each other.

use anyhow::Result;

use super::folders::stacks;
use super::real::Real;
use crate::cargo;

/// `terraform validate` of every stack with the provider itself.
///
/// # Errors
/// When one is refused.
pub(in crate::infra) fn validate() -> Result<()> {
    let real = Real::start()?;
    for stack in stacks(&real.root())? {
        real.init(&stack)?;
        cargo::pass(real.terraform(&stack)?.args(["validate", "-no-color"]))?;
    }
    Ok(())
}
