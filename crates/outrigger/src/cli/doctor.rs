//! `outrigger doctor`: asks every backend for real and looks at the settings.

use std::process::ExitCode;

use anyhow::Result;
use outrigger_ports::probe::{Probed, Severity};
use outrigger_ports::store::MigrateMode;

use super::say;
use super::table::table;
use crate::compose::{Backends, Connected};
use crate::config::{Config, insecurities};
use crate::lifecycle::runtime;

/// What was found of one thing.
struct Examined {
    name: &'static str,
    probed: Result<Probed, String>,
}

pub(super) fn run(config: &Config) -> Result<ExitCode> {
    let (examined, migrations) = runtime()?.block_on(async {
        let connected = Backends::open(config)?.connect().await?;
        connected.settle().await;
        let migrations = connected.ports.store.migrate(MigrateMode::Plan).await;
        anyhow::Ok((examine(&connected, config).await, migrations))
    })?;
    let mut rows = vec![["", "backend", "latency", "version and facts"].map(String::from).to_vec()];
    let mut findings = Vec::new();
    for Examined { name, probed } in &examined {
        rows.push(row(name, probed, &mut findings));
    }
    match migrations {
        Ok(all) => findings.extend(all.iter().filter(|m| !m.applied).map(|missing| {
            (
                Severity::Error,
                format!(
                    "database: the migration {} is missing: run `outrigger migrate apply`",
                    missing.name
                ),
            )
        })),
        Err(error) => findings.push((Severity::Error, format!("database: {error}"))),
    }
    let severity = if config.is_production() { Severity::Error } else { Severity::Warning };
    findings
        .extend(insecurities(config).into_iter().map(|why| (severity, format!("settings: {why}"))));
    say(&table(&rows));
    for (severity, message) in &findings {
        let mark = if *severity == Severity::Error { "error  " } else { "warning" };
        say(&format!("{mark}  {message}"));
    }
    let errors = findings.iter().filter(|(severity, _)| *severity == Severity::Error).count();
    say(&format!("{errors} errors, {} warnings", findings.len() - errors));
    Ok(if errors == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

async fn examine(connected: &Connected, config: &Config) -> Vec<Examined> {
    let text = |error: &dyn std::error::Error| error.to_string();
    let mut examined = vec![Examined {
        name: "database",
        probed: connected.ports.store.probe().await.map_err(|error| text(&error)),
    }];
    if config.redis.url.is_set() {
        let probed = connected.cache.probe().await.map_err(|error| text(&error));
        examined.push(Examined { name: "redis", probed });
    }
    examined
}

fn row(
    name: &str,
    probed: &Result<Probed, String>,
    findings: &mut Vec<(Severity, String)>,
) -> Vec<String> {
    match probed {
        Ok(probed) => {
            let said = probed.findings.iter();
            findings.extend(said.map(|f| (f.severity, format!("{name}: {}", f.message))));
            let facts = probed.facts.iter().map(|(key, value)| format!("{key}={value}"));
            let about = std::iter::once(probed.version.clone()).chain(facts).collect::<Vec<_>>();
            let latency = format!("{:.2} ms", probed.latency.as_secs_f64() * 1_000.0);
            vec!["ok".to_owned(), name.to_owned(), latency, about.join("  ")]
        }
        Err(error) => {
            findings.push((Severity::Error, format!("{name}: {error}")));
            vec!["down".to_owned(), name.to_owned(), "-".to_owned(), String::new()]
        }
    }
}
