//! `outrigger doctor`: asks every backend for real and looks at the settings.

use std::sync::Arc;

use anyhow::Result;
use outrigger_kernel::SystemClock;
use outrigger_ports::cache::Cache;
use outrigger_ports::probe::{Finding, Probed, Severity};
use outrigger_ports::queue::TaskBoard;
use outrigger_ports::store::{MigrateMode, Migration};

use super::desk::{Desk, Told};
use super::table::table;
use crate::config::{Config, insecurities};
use crate::database;
use crate::{blobs, compose};

/// The name of the database's row.
const DATABASE: &str = "database";

/// What was found of one thing.
struct Examined {
    name: &'static str,
    probed: Result<Probed, String>,
}

/// Fails, with the exit code, when something must be changed.
pub(super) async fn run(desk: &Desk<'_>, told: &mut Told) -> Result<()> {
    let config = desk.config;
    let (examined, migrations) = examine(desk).await;
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
        // That it is down was said already.
        Err(_) if examined.iter().any(|it| it.name == DATABASE && it.probed.is_err()) => {}
        Err(error) => findings.push((Severity::Error, format!("database: {error}"))),
    }
    let severity = if config.is_production() { Severity::Error } else { Severity::Warning };
    findings
        .extend(insecurities(config).into_iter().map(|why| (severity, format!("settings: {why}"))));
    told.say(&table(&rows));
    for (severity, message) in &findings {
        let mark = if *severity == Severity::Error { "error  " } else { "warning" };
        told.say(&format!("{mark}  {message}"));
    }
    let errors = findings.iter().filter(|(severity, _)| *severity == Severity::Error).count();
    told.say(&format!("{errors} errors, {} warnings", findings.len() - errors));
    told.exit_with(u8::from(errors > 0));
    Ok(())
}

/// Asks each backend, whether or not the others are there; and what migrations say.
async fn examine(desk: &Desk<'_>) -> (Vec<Examined>, Result<Vec<Migration>, String>) {
    let config = desk.config;
    let store = desk.store().await;
    let mut examined = vec![Examined {
        name: DATABASE,
        probed: match &store {
            Ok(store) => store.probe().await.map_err(|error| error.to_string()),
            Err(error) => Err(format!("{error:#}")),
        },
    }];
    let migrations = match store {
        Ok(store) => store.migrate(MigrateMode::Plan).await.map_err(|error| error.to_string()),
        Err(error) => Err(format!("{error:#}")),
    };
    let probed = match database::replica(config, Arc::new(SystemClock), true).await {
        Ok(None) => None,
        Ok(Some(replica)) => Some(replica.probe().await.map_err(|error| error.to_string())),
        Err(error) => Some(Err(format!("{error:#}"))),
    };
    examined.extend(probed.map(|probed| Examined { name: "database, read-only", probed }));
    let probed = match compose::redis_cache(config).await {
        Ok(None) => None,
        Ok(Some(cache)) => Some(cache.probe().await.map_err(|error| error.to_string())),
        Err(error) => Some(Err(format!("{error:#}"))),
    };
    examined.extend(probed.map(|probed| Examined { name: "redis", probed }));
    let probed = match compose::redis_queue(config).await {
        Ok(None) => None,
        Ok(Some(queue)) => Some(queue.probe().await.map_err(|error| error.to_string())),
        Err(error) => Some(Err(format!("{error:#}"))),
    };
    examined.extend(probed.map(|probed| Examined { name: "queue", probed }));
    let probed = match blobs::open(config) {
        Ok(blobs) => blobs.probe().await.map_err(|error| error.to_string()),
        Err(error) => Err(format!("{error:#}")),
    };
    examined.push(Examined { name: "blobs", probed });
    examined.push(Examined { name: "mail", probed: mail(config).await });
    (examined, migrations)
}

/// The mail server, and who mail comes from.
async fn mail(config: &Config) -> Result<Probed, String> {
    let mailer = compose::mailer(config).map_err(|error| format!("{error:#}"))?;
    let mut probed = mailer.probe().await.map_err(|error| error.to_string())?;
    let from = &config.mail.from;
    probed.facts.push(("from", from.clone()));
    let is_delivered = !config.mail.url.expose().starts_with("log:");
    if is_delivered && from.trim_end_matches('>').ends_with("@localhost") {
        let message = format!("mail.from is {from}, which no other server will take: set it");
        probed.findings.push(Finding { severity: Severity::Warning, message });
    }
    Ok(probed)
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
