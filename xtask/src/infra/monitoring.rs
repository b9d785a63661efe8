//! Alerts and dashboards: they are valid, every metric that they name is one of the binary's, and every one of
//! those is shown.

use std::collections::BTreeSet;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, bail, ensure};
use outrigger_testkit::{Program, install_missing};
use serde_json::Value;

use crate::cargo;
use crate::generate::alerts::{self, RUNBOOKS};
use crate::out::say;
use crate::root::{at, root};

/// Where metrics are named: rules, dashboards and alarms.
const FOLDER: &str = "deploy";
const DASHBOARDS: &str = "deploy/grafana";
const REFERENCE: &str = "docs/reference/metrics.md";
/// What histograms are shown as.
const PARTS: &[&str] = &["_bucket", "_sum", "_count"];

/// Tests the rules, reads the dashboards, and looks up every metric.
///
/// # Errors
/// When one is not valid, or names a metric that the binary does not have.
pub(super) fn check() -> Result<()> {
    install_missing(&[Program::PROMTOOL])?;
    for arguments in [
        ["check", "rules", "deploy/prometheus/rules.yml"].as_slice(),
        &["test", "rules", "deploy/prometheus/rules.test.yml"],
        &["check", "config", "--syntax-only", "deploy/compose/prometheus.yml"],
    ] {
        cargo::pass(Command::new(Program::PROMTOOL.path()?).args(arguments).current_dir(root()))?;
    }
    let mut dashboards = String::new();
    for entry in std::fs::read_dir(at(DASHBOARDS)).context(DASHBOARDS)? {
        let path = entry?.path();
        let text = std::fs::read_to_string(&path)?;
        dashboard(&text).with_context(|| path.display().to_string())?;
        dashboards.push_str(&text);
    }
    let read = |path: &'static str| std::fs::read_to_string(at(path)).context(path);
    let alerts = alerts::read(&read(alerts::SOURCE)?)?;
    let names: Vec<&str> = alerts.iter().map(|alert| &*alert.name).collect();
    runbooks(&names, &read(RUNBOOKS)?)?;
    let reference = read(REFERENCE)?;
    let known: BTreeSet<&str> = reference.lines().filter_map(row).collect();
    ensure!(!known.is_empty(), "{REFERENCE} has changed its form");
    let shown = metrics(&dashboards);
    let hidden: Vec<&&str> = known.iter().filter(|name| !shown.contains(**name)).collect();
    ensure!(hidden.is_empty(), "{DASHBOARDS} does not show {hidden:?}");
    let mut unknown = Vec::new();
    look(&at(FOLDER), &known, &mut unknown)?;
    for finding in &unknown {
        say(finding);
    }
    if !unknown.is_empty() {
        bail!("{} metrics are not those of the binary", unknown.len());
    }
    Ok(())
}

/// Each alert has a part of the runbooks, and each part its alert, in the same order.
fn runbooks(alerts: &[&str], runbooks: &str) -> Result<()> {
    let headings = runbooks.lines().filter_map(|line| line.strip_prefix("## "));
    let headings: Vec<&str> = headings.collect();
    ensure!(
        headings == alerts,
        "{RUNBOOKS} is about {headings:?}; {} has {alerts:?}",
        alerts::SOURCE
    );
    Ok(())
}

/// The metric of a row of the reference.
fn row(line: &str) -> Option<&str> {
    line.strip_prefix("| `")?.split('`').next()
}

/// The metrics that a text names, without what histograms add.
fn metrics(text: &str) -> BTreeSet<&str> {
    let words = text.split(|c: char| !(c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_'));
    let named = words.filter(|word| {
        word.starts_with("outrigger_") || (word.starts_with("process_") && word.len() > 12)
    });
    named
        .map(|name| PARTS.iter().find_map(|part| name.strip_suffix(part)).unwrap_or(name))
        .collect()
}

/// Looks through every file below a folder.
fn look(folder: &Path, known: &BTreeSet<&str>, unknown: &mut Vec<String>) -> Result<()> {
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            look(&path, known, unknown)?;
        } else if let Ok(text) = std::fs::read_to_string(&path) {
            let foreign = metrics(&text).into_iter().filter(|name| !known.contains(name));
            unknown.extend(foreign.map(|name| format!("{}: there is no {name}", path.display())));
        }
    }
    Ok(())
}

/// A dashboard has panels, each with a title, a place of its own and something to show.
fn dashboard(text: &str) -> Result<()> {
    let dashboard: Value = serde_json::from_str(text)?;
    let panels = dashboard["panels"].as_array().context("it has no panels")?;
    let mut places = BTreeSet::new();
    for panel in panels {
        let title = panel["title"].as_str().context("a panel has no title")?;
        let place = &panel["gridPos"];
        ensure!(places.insert(format!("{} {}", place["x"], place["y"])), "{title} hides another");
        let shows = panel["targets"].as_array().is_some_and(|targets| {
            targets.iter().all(|target| target["expr"].is_string()) && !targets.is_empty()
        });
        ensure!(shows || panel["type"] == "row", "{title} shows nothing");
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_alert_without_its_runbook_is_found() {
        runbooks(&["DiskFull"], "# Runbooks\n## DiskFull\n### More\n").unwrap();
        assert!(runbooks(&["DiskFull"], "## Other\n").is_err());
        assert!(runbooks(&["DiskFull"], "## DiskFull\n## Other\n").is_err());
    }

    #[test]
    fn metrics_are_found_in_any_text() {
        let text =
            "sum(rate(outrigger_a_seconds_bucket{le=\"1\"}[5m])) / process_open_fds or outrigger-b";
        assert_eq!(metrics(text), BTreeSet::from(["outrigger_a_seconds", "process_open_fds"]));
        assert_eq!(row("| `outrigger_a` | gauge |"), Some("outrigger_a"));
    }

    #[test]
    fn panels_need_a_place_and_something_to_show() {
        let panel = |x: u8, targets: &str| {
            format!(
                "{{\"title\": \"t{x}\", \"gridPos\": {{\"x\": {x}, \"y\": 0}}, \"targets\": {targets}}}"
            )
        };
        let shown = "[{\"expr\": \"up\"}]";
        let of = |panels: &[String]| dashboard(&format!("{{\"panels\": [{}]}}", panels.join(",")));
        assert!(of(&[panel(0, shown), panel(8, shown)]).is_ok());
        assert!(of(&[panel(0, shown), panel(0, shown)]).is_err());
        assert!(of(&[panel(0, "[]")]).is_err());
        assert!(dashboard("{}").is_err());
    }
}
