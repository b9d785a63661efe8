//! `terraform test` of every module and stack, with init and validation.

use anyhow::{Result, bail};

use super::folders::{all, name};
use super::real::Real;
use super::{FOLDER, recorded};
use crate::cargo;
use crate::out::say;
use crate::root::at;

/// Runs the tests of everything, on recorded schemas where these are, else with the real provider on
/// an emulator of AWS.
///
/// # Errors
/// When a test fails; Terraform has written which.
pub(in crate::infra) fn suites() -> Result<()> {
    if let Some(tool) = recorded::tool() {
        return cargo::pass(&mut recorded::check(&tool, &at(FOLDER))?);
    }
    let real = Real::start()?;
    let mut failed = Vec::new();
    for folder in all(&real.root())? {
        let tested = real.init(&folder).and_then(|()| {
            cargo::pass(real.terraform(&folder)?.arg("validate"))?;
            if folder.join("tests").is_dir() {
                cargo::pass(real.terraform(&folder)?.arg("test"))?;
            }
            Ok(())
        });
        if let Err(error) = tested {
            say(&format!("{}: {error:#}", name(&folder)));
            failed.push(name(&folder));
        }
    }
    if !failed.is_empty() {
        bail!("failed: {}", failed.join(", "));
    }
    Ok(())
}
