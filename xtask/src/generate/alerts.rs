//! deploy/alerts.toml: what people are told of; and the rules of Prometheus that are made of it.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use anyhow::{Context, Result, ensure};
use serde::Deserialize;

pub(crate) const SOURCE: &str = "deploy/alerts.toml";
pub(crate) const RUNBOOKS: &str = "docs/operations/runbooks.md";
/// Where people read the repository.
const PUBLISHED: &str = concat!(env!("CARGO_PKG_REPOSITORY"), "/blob/main");
const HEAD: &str = "\
# Written by `cargo xtask gen` from deploy/alerts.toml; edit that instead.
groups:
  - name: outrigger
    rules:
";

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    alert: Vec<Alert>,
}

/// One alert, as deploy/alerts.toml explains it.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Alert {
    pub(crate) name: String,
    severity: String,
    pub(super) above: Option<serde_json::Number>,
    pub(super) below: Option<serde_json::Number>,
    pub(super) for_s: u64,
    says: String,
    prometheus: String,
    pub(super) text: String,
    pub(super) value: String,
    #[serde(default)]
    pub(super) silence: bool,
    pub(super) metrics: BTreeMap<String, Measured>,
}

/// A metric of CloudWatch.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Measured {
    pub(super) name: String,
    #[serde(default)]
    pub(super) by: BTreeMap<String, String>,
    pub(super) stat: String,
}

impl Alert {
    /// Where its runbook is read.
    pub(super) fn runbook(&self) -> String {
        format!("{PUBLISHED}/{RUNBOOKS}#{}", self.name.to_lowercase())
    }

    /// What is too much or too little, whichever it has.
    pub(super) fn threshold(&self) -> Option<&serde_json::Number> {
        self.above.as_ref().or(self.below.as_ref())
    }

    fn check(&self) -> Result<()> {
        let Self { name, severity, above, below, prometheus, .. } = self;
        ensure!(above.is_some() != below.is_some(), "{name} needs either above or below");
        ensure!(["page", "ticket"].contains(&&**severity), "{name}: no severity is {severity}");
        ensure!(prometheus.contains("{threshold}"), "{name}: `prometheus` has no {{threshold}}");
        Ok(())
    }
}

/// All of a text.
///
/// # Errors
/// Names the alert that is not one.
pub(crate) fn read(text: &str) -> Result<Vec<Alert>> {
    let File { alert } = toml::from_str(text).context(SOURCE)?;
    alert.iter().try_for_each(Alert::check).context(SOURCE)?;
    let names: BTreeSet<&str> = alert.iter().map(|alert| &*alert.name).collect();
    ensure!(names.len() == alert.len(), "{SOURCE} has two alerts of one name");
    Ok(alert)
}

/// The rules of Prometheus.
pub(super) fn rules(alerts: &[Alert]) -> String {
    let mut text = HEAD.to_owned();
    for alert in alerts {
        let Alert { name, severity, for_s, says, prometheus, .. } = alert;
        let threshold = alert.threshold().map(ToString::to_string).unwrap_or_default();
        let expression = prometheus.trim().replace("{threshold}", &threshold);
        let expression = expression.replace('\n', "\n          ");
        let lasts = if *for_s == 0 { String::new() } else { format!("        for: {for_s}s\n") };
        // A string of JSON is one of YAML.
        let says = serde_json::json!(says);
        let _fits = write!(
            text,
            "      - alert: {name}\n        expr: |-\n          {expression}\n{lasts}        labels: {{ severity: {severity} }}\n        \
             annotations:\n          summary: {says}\n          runbook_url: {}\n",
            alert.runbook()
        );
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    const ONE: &str = r#"
[[alert]]
name = "DiskFull"
severity = "page"
above = 0.5
for_s = 60
says = "{{ $value }} is \"full\""
prometheus = '''
disk{of="a"}
> {threshold}'''
text = "the disk is full"
value = "disk"
metrics.disk = { name = "disk", stat = "Maximum" }
"#;

    #[test]
    fn a_rule_has_threshold_and_runbook() {
        let rules = rules(&read(ONE).unwrap());
        let rule = rules.strip_prefix(HEAD).unwrap();
        let expected = format!(
            "      - alert: DiskFull\n        expr: |-\n          disk{{of=\"a\"}}\n          > 0.5\n        for: 60s\n        \
             labels: {{ severity: page }}\n        annotations:\n          summary: \"{{{{ $value }}}} is \\\"full\\\"\"\n          \
             runbook_url: {PUBLISHED}/{RUNBOOKS}#diskfull\n"
        );
        assert_eq!(rule, expected);
    }

    #[test]
    fn what_is_no_alert_is_named() {
        for (is, becomes) in [
            ("above = 0.5\n", ""),
            ("above = 0.5\n", "above = 0.5\nbelow = 1\n"),
            ("\"page\"", "\"loud\""),
            ("{threshold}", "1"),
            ("for_s = 60\n", "for_s = 60\nfor_m = 1\n"),
        ] {
            assert!(read(&ONE.replace(is, becomes)).is_err(), "{becomes}");
        }
        assert!(read(&ONE.repeat(2)).is_err());
    }
}
