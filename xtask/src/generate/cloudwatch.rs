//! The alarms and graphs of CloudWatch, as the Terraform module `observability` reads them: alarms are those of
//! deploy/alerts.toml, graphs show each metric of the binary's list.

use anyhow::{Context, Result, ensure};
use serde_json::{Map, Value, json};

use super::alerts::{Alert, Measured};

/// The dimension that every metric has.
const DEPLOYMENT: &str = "deployment";
/// Tells that lines of a minute have come: every process writes this with each of them.
const THERE: (&str, &str, &str) = ("there", "process_open_fds", "SampleCount");

/// One row of the binary's list.
#[derive(Debug, PartialEq)]
struct Row<'a> {
    name: &'a str,
    kind: &'a str,
    /// Each label and its values, in words.
    labels: &'a str,
    /// What CloudWatch has it by.
    sets: Vec<Vec<&'a str>>,
}

/// The file, of the alerts and of what `outrigger metrics` writes.
///
/// # Errors
/// Names the alert that looks at what is not measured.
pub(super) fn file(alerts: &[Alert], metrics: &str) -> Result<String> {
    let rows: Vec<Row<'_>> = metrics.lines().filter_map(row).collect();
    ensure!(!rows.is_empty(), "outrigger metrics has changed its form");
    let mut alarms = Map::new();
    for alert in alerts {
        let alarm = alarm(alert, &rows).with_context(|| alert.name.clone())?;
        alarms.insert(alert.name.clone(), alarm);
    }
    let graphs: Vec<Value> = rows.iter().map(graph).collect();
    let file = json!({"namespace": "Outrigger", "alarms": alarms, "graphs": graphs});
    Ok(format!("{}\n", serde_json::to_string_pretty(&file)?))
}

fn row(line: &str) -> Option<Row<'_>> {
    let cells: Vec<&str> = line.split('|').map(str::trim).collect();
    let ["", name, kind, _, labels, sets, _, ""] = cells[..] else { return None };
    let name = name.strip_prefix('`')?.strip_suffix('`')?;
    let sets = sets.split("; ").map(|set| set.split(", ").map(|word| word.trim_matches('`')));
    Some(Row { name, kind, labels, sets: sets.map(Iterator::collect).collect() })
}

fn alarm(alert: &Alert, rows: &[Row<'_>]) -> Result<Value> {
    let mut metrics = Map::new();
    for (id, measured) in &alert.metrics {
        look(measured, rows)?;
        let Measured { name, by, stat } = measured;
        metrics.insert(id.clone(), json!({"name": name, "by": by, "stat": stat}));
    }
    let (value, several) = (value(alert)?, alert.metrics.len() > 1);
    if several {
        let (id, name, stat) = THERE;
        metrics.insert(id.to_owned(), json!({"name": name, "by": {}, "stat": stat}));
    }
    let comparison = match alert.above {
        Some(_) => "GreaterThanThreshold",
        None => "LessThanThreshold",
    };
    Ok(json!({
        "description": format!("{}: {}", alert.text, alert.runbook()),
        "comparison": comparison,
        "threshold": alert.threshold(),
        "minutes": 1 + alert.for_s.div_ceil(60),
        "silence": alert.silence,
        "value": value,
        "metrics": metrics,
    }))
}

/// What is compared. With several metrics CloudWatch has no value for a minute in which one of them was not
/// written, and most are written only when they have grown: so they are 0 then, but for what is divided by.
/// As an alarm must not take a minute whose lines are still on their way for a good one, there is no value
/// before something has come.
fn value(alert: &Alert) -> Result<String> {
    let Alert { value, metrics, below, .. } = alert;
    if metrics.len() == 1 {
        return Ok(value.clone());
    }
    ensure!(below.is_none(), "what is too little is seen by one metric only: without it, it is 0");
    let (mut filled, mut rest) = (String::new(), value.as_str());
    while !rest.is_empty() {
        let is_part = |letter: char| letter.is_ascii_alphanumeric() || letter == '_';
        let (word, after) = rest.split_at(rest.find(|c| !is_part(c)).unwrap_or(rest.len()));
        let divides = filled.trim_end().ends_with('/');
        let is_filled = metrics.contains_key(word) && !divides;
        let (before, behind) = if is_filled { ("FILL(", ", 0)") } else { ("", "") };
        filled.extend([before, word, behind]);
        let (between, after) = after.split_at(after.find(is_part).unwrap_or(after.len()));
        filled.push_str(between);
        rest = after;
    }
    Ok(format!("IF({} > 0, {filled}, 0)", THERE.0))
}

/// Whether the binary writes that.
fn look(measured: &Measured, rows: &[Row<'_>]) -> Result<()> {
    let Measured { name, by, .. } = measured;
    let row = rows.iter().find(|row| row.name == name);
    let row = row.with_context(|| format!("there is no metric {name}"))?;
    let set: Vec<&str> = std::iter::once(DEPLOYMENT).chain(by.keys().map(|key| &**key)).collect();
    ensure!(row.sets.contains(&set), "{name} is by {:?}, not by {set:?}", row.sets);
    for (label, value) in by.iter().filter(|(label, _)| *label != "status") {
        let values = row.labels.split("; ").find_map(|l| l.strip_prefix(&format!("`{label}`: ")));
        let mut values = values.unwrap_or_default().split(", ");
        ensure!(values.any(|known| known == value), "{name} has no {label} {value}");
    }
    Ok(())
}

/// What came to it a minute, how high it was, or how long and how many.
fn graph(row: &Row<'_>) -> Value {
    let stats: &[&str] = match row.kind {
        "counter" => &["Sum"],
        "gauge" => &["Maximum"],
        _ => &["p95", "SampleCount"],
    };
    let title = row.name.trim_start_matches("outrigger_").replace('_', " ");
    json!({"title": title, "name": row.name, "by": row.sets.last(), "stats": stats})
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::generate::alerts::read;

    const LINE: &str = "| `a_total` | counter | number | `of`: x, y; `status`: any | `deployment`, `of`; `deployment`, `of`, `status` | What. |";

    fn alert(metric: &str) -> Vec<Alert> {
        let text = "[[alert]]\nname = \"Much\"\nseverity = \"page\"\nabove = 2\nfor_s = 90\nsays = \"s\"\nprometheus = \"a > {threshold}\"\n\
            text = \"much\"\nvalue = \"a\"\n";
        read(&format!("{text}metrics.a = {metric}\n")).unwrap()
    }

    #[test]
    fn alarms_and_graphs_are_by_what_is_written() {
        let alerts =
            alert("{ name = \"a_total\", by = { of = \"x\", status = \"5xx\" }, stat = \"Sum\" }");
        let file: Value = serde_json::from_str(&file(&alerts, LINE).unwrap()).unwrap();
        let alarm = &file["alarms"]["Much"];
        assert_eq!((&alarm["threshold"], &alarm["minutes"]), (&json!(2), &json!(3)));
        assert_eq!((&alarm["value"], &alarm["metrics"]["there"]), (&json!("a"), &Value::Null));
        assert!(alarm["description"].as_str().unwrap().ends_with("/runbooks.md#much"), "{alarm}");
        assert_eq!(file["graphs"][0]["by"], json!(["deployment", "of", "status"]));
    }

    #[test]
    fn of_several_metrics_those_that_were_not_written_are_zero() {
        let several = |value: &str, limit: &str| {
            let text = format!(
                "[[alert]]\nname = \"Much\"\nseverity = \"page\"\n{limit} = 2\nfor_s = 0\nsays = \"s\"\n\
                prometheus = \"a > {{threshold}}\"\ntext = \"much\"\nvalue = \"{value}\"\n\
                metrics.a = {{ name = \"a\", stat = \"Sum\" }}\nmetrics.a2 = {{ name = \"a\", stat = \"Sum\" }}\n"
            );
            super::value(&read(&text).unwrap()[0])
        };
        for (value, filled) in [
            ("a / a2", "FILL(a, 0) / a2"),
            ("(a2 + a) / 60", "(FILL(a2, 0) + FILL(a, 0)) / 60"),
            ("MAX([a, a2])", "MAX([FILL(a, 0), FILL(a2, 0)])"),
        ] {
            assert_eq!(several(value, "above").unwrap(), format!("IF(there > 0, {filled}, 0)"));
        }
        assert!(several("a + a2", "below").is_err());
    }

    #[test]
    fn what_is_not_written_is_found() {
        for metric in [
            "{ name = \"b_total\", stat = \"Sum\" }",
            "{ name = \"a_total\", stat = \"Sum\" }",
            "{ name = \"a_total\", by.of = \"z\", stat = \"Sum\" }",
        ] {
            assert!(file(&alert(metric), LINE).is_err(), "{metric}");
        }
        assert!(file(&[], "no table").is_err());
    }
}
