//! Every stack can be made, is then as it should be, and can be taken down again: with the real
//! provider, on an emulator of AWS.
//!
//! The emulator knows most services and forgets some of what it is told. What it does not know at all
//! is left out (`WITHOUT`), what it forgets is not held against the second plan (`FORGOTTEN`); any
//! other difference is a finding, and so is everything that destroying leaves in the state.

use std::path::Path;

use anyhow::{Result, bail};
use serde_json::Value;

use super::folders::{name, stacks};
use super::real::Real;
use super::{FOLDER, plans};
use crate::cargo;
use crate::out::say;
use crate::root::at;

/// The environment that is made.
const ENVIRONMENT: &str = "dev";

/// Files that take out of a module what the emulator does not know.
const WITHOUT: &[(&str, &str)] = &[
    (
        "modules/aws/network/acl",
        "resource \"aws_network_acl\" \"this\" {\n  for_each = {}\n}\n\
         output \"private_ingress\" {\n  value = []\n}\n\
         output \"data_ingress\" {\n  value = []\n}\n",
    ),
    (
        "modules/aws/autoscaling-ecs",
        "resource \"aws_appautoscaling_target\" \"this\" {\n  for_each = {}\n}\n\
         resource \"aws_appautoscaling_policy\" \"target\" {\n  for_each = {}\n}\n\
         resource \"aws_appautoscaling_policy\" \"queue_age\" {\n  for_each = {}\n}\n\
         resource \"aws_cloudwatch_metric_alarm\" \"queue_age\" {\n  alarm_actions = []\n}\n",
    ),
    (
        "modules/aws/schedule",
        "resource \"aws_autoscaling_schedule\" \"this\" {\n  for_each = {}\n}\n",
    ),
    ("modules/aws/audit", "variable \"config\" {\n  default = false\n}\n"),
    // It gives an address of itself, which is not https.
    (
        "modules/aws/cluster-eks",
        "resource \"aws_iam_openid_connect_provider\" \"this\" {\n  url = \"https://oidc.example.com\"\n}\n",
    ),
];

/// Arguments that the emulator does not give back, by type of resource.
const FORGOTTEN: &[(&str, &[&str])] = &[
    ("aws_cloudtrail", &["tags_all"]),
    (
        "aws_cloudwatch_metric_alarm",
        &[
            "actions_enabled",
            "alarm_actions",
            "alarm_description",
            "dimensions",
            "extended_statistic",
            "ok_actions",
            "period",
            "statistic",
            "treat_missing_data",
        ],
    ),
    (
        "aws_db_instance",
        &["backup_window", "enabled_cloudwatch_logs_exports", "performance_insights_kms_key_id"],
    ),
    ("aws_ecs_service", &["availability_zone_rebalancing"]),
    ("aws_elasticache_parameter_group", &["parameter"]),
    ("aws_elasticache_replication_group", &["auto_minor_version_upgrade", "kms_key_id"]),
    ("aws_eks_node_group", &["launch_template", "update_config", "tags"]),
    (
        "aws_flow_log",
        &[
            "deliver_cross_account_role",
            "iam_role_arn",
            "max_aggregation_interval",
            "tags",
            "tags_all",
        ],
    ),
    ("aws_lb_listener", &["default_action"]),
    ("aws_vpc_endpoint", &["private_dns_enabled", "security_group_ids"]),
];

/// Makes every stack, all at once, each on an emulator of its own.
///
/// # Errors
/// When one cannot be made, is not as planned, or is not gone in the end.
pub(in crate::infra) fn apply() -> Result<()> {
    let names: Vec<String> = stacks(&at(FOLDER))?.iter().map(|stack| name(stack)).collect();
    // One after the other: two that look for a free port at once may find the same.
    let emulated = names.iter().map(|_| Real::start()).collect::<Result<Vec<_>>>()?;
    let results: Vec<Result<()>> = std::thread::scope(|scope| {
        let runs: Vec<_> = names
            .iter()
            .zip(&emulated)
            .map(|(stack, real)| scope.spawn(move || round(stack, real)))
            .collect();
        let ends = runs.into_iter().map(|run| run.join().unwrap_or_else(|_| bail!("it panicked")));
        ends.collect()
    });
    let mut failed = Vec::new();
    for (stack, result) in names.iter().zip(results) {
        if let Err(error) = result {
            say(&format!("{stack}: {error:#}"));
            failed.push(stack.as_str());
        }
    }
    if !failed.is_empty() {
        bail!("failed: {}", failed.join(", "));
    }
    Ok(())
}

/// Apply, a second plan, and destroy.
fn round(stack: &str, real: &Real) -> Result<()> {
    for (module, text) in WITHOUT {
        std::fs::write(real.root().join(module).join("emulator_override.tf"), text)?;
    }
    let folder = real.root().join(stack);
    real.init(&folder)?;
    let values = format!("-var-file=environments/{ENVIRONMENT}.tfvars");
    let run = |args: &[&str]| {
        cargo::capture(real.terraform(&folder)?.args(args).args(["-input=false", "-no-color"]))
    };
    run(&["apply", "-auto-approve", &values])?;
    let terraform = |folder: &Path| real.terraform(folder);
    let plan = plans::plan(&folder, ENVIRONMENT, &terraform, &folder.join("second.plan"))?;
    let differences = differences(&plan);
    let destroy = || run(&["destroy", "-auto-approve", &values]);
    if let Err(error) = destroy() {
        // The provider repeats a request whose answer was lost, and hears that the thing is gone already.
        // As an operator would, say it again: everything must be gone then.
        say(&format!("{stack}: {error:#}; once more"));
        destroy()?;
    }
    let left = cargo::capture(real.terraform(&folder)?.args(["state", "list"]))?;
    for difference in &differences {
        say(&format!("{stack}: a second plan would change {difference}"));
    }
    if !differences.is_empty() {
        bail!("the second plan is not empty");
    }
    if !left.trim().is_empty() {
        bail!("destroying left {left}");
    }
    say(&format!("{stack} {ENVIRONMENT}: made, found as planned, destroyed"));
    Ok(())
}

/// What would change, and is not known to be forgotten: addresses and arguments.
fn differences(plan: &Value) -> Vec<String> {
    let mut found = Vec::new();
    for resource in plan["resource_changes"].as_array().into_iter().flatten() {
        let change = &resource["change"];
        let kind = resource["type"].as_str().unwrap_or_default();
        let is_managed = resource["mode"] == "managed";
        if !is_managed
            || change["actions"].as_array().is_some_and(|all| all.iter().all(|a| a == "no-op"))
        {
            continue;
        }
        let forgotten =
            FORGOTTEN.iter().filter(|(of, _)| *of == kind).flat_map(|(_, names)| *names);
        let forgotten: Vec<&str> = forgotten.copied().collect();
        let after = change["after"].as_object();
        let differing = after.into_iter().flatten().filter(|(argument, value)| {
            !is_same(&change["before"][argument.as_str()], value)
                && !forgotten.contains(&argument.as_str())
        });
        let address = resource["address"].as_str().unwrap_or_default();
        found.extend(differing.map(|(argument, _)| format!("{address}.{argument}")));
        if change["before"].is_null() || change["after"].is_null() {
            found.push(format!("{address}, which would be made or deleted"));
        }
    }
    found
}

/// Whether two values are the same; nothing is as good as an empty one.
fn is_same(before: &Value, after: &Value) -> bool {
    let is_empty = |value: &Value| match value {
        Value::Null => true,
        Value::String(text) => text.is_empty(),
        Value::Array(items) => items.is_empty(),
        Value::Object(members) => members.is_empty(),
        _ => false,
    };
    before == after || (is_empty(before) && is_empty(after))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn only_what_the_emulator_forgets_may_differ() {
        let change = |kind: &str, before: Value, after: Value| {
            let actions = if before == after { ["no-op"] } else { ["update"] };
            let change = json!({"actions": actions, "before": before, "after": after});
            json!({"mode": "managed", "type": kind, "address": kind, "change": change})
        };
        let plan = json!({"resource_changes": [
            change("aws_vpc", json!({"cidr": 1}), json!({"cidr": 1})),
            change("aws_ecs_service", json!({"name": 1, "availability_zone_rebalancing": 0}),
                json!({"name": 2, "availability_zone_rebalancing": 1})),
            change("aws_eip", Value::Null, json!({})),
        ]});
        let found = ["aws_ecs_service.name", "aws_eip, which would be made or deleted"];
        assert_eq!(differences(&plan), found);
    }
}
