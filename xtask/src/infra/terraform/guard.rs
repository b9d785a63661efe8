//! What is protected stays: Terraform refuses to plan its end, and so does nothing towards it.

use std::path::Path;

use anyhow::{Result, bail, ensure};
use outrigger_testkit::TempDir;
use serde_json::Value;

use super::{FOLDER, program};
use crate::cargo;
use crate::out::say;
use crate::root::at;

const MODULE: &str = "modules/guard";
/// What stands in the way, in the plan of a stack.
const ADDRESS: &str = "module.guard.terraform_data.this[0]";

/// Makes the module's guard, tries to plan its end in both ways, and takes it away as the documents say.
///
/// # Errors
/// When a plan is made all the same, or the way past it does not work.
pub(in crate::infra) fn guard() -> Result<()> {
    let folder = TempDir::new("guard")?;
    for file in ["main.tf", "outputs.tf", "variables.tf", "versions.tf"] {
        std::fs::copy(at(FOLDER).join(MODULE).join(file), folder.join(file))?;
    }
    let (protected, disposable) = ("-var=is_protected=true", "-var=is_protected=false");
    let run = |args: &[&str]| {
        let plain = ["-input=false", "-no-color"];
        cargo::capture(program(folder.path())?.args(args).args(plain))
    };
    run(&["init"])?;
    run(&["apply", "-auto-approve", protected])?;
    for refused in [["plan", "-destroy", protected], ["plan", "-refresh=false", disposable]] {
        ensure_refused(folder.path(), &refused)?;
    }
    let mut forget = program(folder.path())?;
    cargo::capture(forget.args(["state", "rm", "terraform_data.this"]))?;
    run(&["destroy", "-auto-approve", disposable])?;
    say("what is protected cannot be planned away");
    Ok(())
}

fn ensure_refused(folder: &Path, args: &[&str]) -> Result<()> {
    let output = program(folder)?.args(args).args(["-input=false", "-no-color"]).output()?;
    let error = String::from_utf8_lossy(&output.stderr);
    ensure!(!output.status.success(), "terraform {} was not refused", args.join(" "));
    if !error.contains("prevent_destroy") {
        bail!("terraform {} failed for another reason: {error}", args.join(" "));
    }
    Ok(())
}

/// What is wrong with the guard of a planned environment; nothing when the stack knows no protection.
pub(super) fn missing(plan: &Value) -> Option<&'static str> {
    let is_protected = plan["variables"]["deletion_protection"]["value"].as_bool()?;
    let mut changes = plan["resource_changes"].as_array().into_iter().flatten();
    let is_guarded = changes.any(|change| change["address"] == ADDRESS);
    match (is_protected, is_guarded) {
        (true, false) => Some("it is protected, but destroying it is not refused by module.guard"),
        (false, true) => Some("it is not protected, but module.guard refuses to destroy it"),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_guard_stands_where_there_is_protection_and_only_there() {
        let plan = |is_protected: bool, address: &str| {
            json!({
                "variables": {"deletion_protection": {"value": is_protected}},
                "resource_changes": [{"address": address}],
            })
        };
        assert_eq!(missing(&plan(true, ADDRESS)), None);
        assert_eq!(missing(&plan(false, "aws_vpc.this")), None);
        assert!(missing(&plan(true, "aws_vpc.this")).is_some());
        assert!(missing(&plan(false, ADDRESS)).is_some());
        assert_eq!(missing(&json!({"variables": {}})), None);
    }
}
