//! `outrigger metrics`: every metric, as a table of Markdown.

use std::process::ExitCode;

use anyhow::Result;
use metrics::Unit;

use super::say;
use crate::embedded_metrics::dimension_sets;
use crate::metric_list::{ALL, Metric};

#[expect(clippy::unnecessary_wraps, reason = "all commands have one shape")]
pub(super) fn run() -> Result<ExitCode> {
    say(
        "| metric | type | unit | labels | in CloudWatch by | meaning |\n|---|---|---|---|---|---|",
    );
    for metric in &ALL {
        say(&row(metric));
    }
    Ok(ExitCode::SUCCESS)
}

fn row(metric: &Metric) -> String {
    let Metric { name, kind, unit, labels, meaning } = metric;
    let unit = match unit {
        Unit::Seconds => "seconds",
        Unit::Bytes => "bytes",
        _ => "number",
    };
    let labels = labels.iter().map(|(label, values)| format!("`{label}`: {values}"));
    let labels = labels.collect::<Vec<_>>().join("; ");
    let sets = dimension_sets(metric);
    let sets = sets.iter().map(|set| format!("`{}`", set.join("`, `")));
    let sets = sets.collect::<Vec<_>>().join("; ");
    format!("| `{name}` | {} | {unit} | {labels} | {sets} | {meaning} |", kind.as_str())
}
