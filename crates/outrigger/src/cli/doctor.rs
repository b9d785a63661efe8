//! `outrigger doctor`: asks every backend for real and looks at the settings.

use std::sync::Arc;

use anyhow::Result;
use outrigger_http::inspector::{Examination, Examined, Finding, FindingSeverity};
use outrigger_kernel::SystemClock;
use outrigger_ports::cache::Cache;
use outrigger_ports::probe::{self, Probed, Severity};
use outrigger_ports::queue::TaskBoard;
use outrigger_ports::store::{MigrateMode, Migration};

use super::desk::{Desk, Told};
use super::table::table;
use crate::config::{Config, insecurities};
use crate::database;
use crate::{blobs, compose, traces};

/// The name of the database's row.
const DATABASE: &str = "database";

/// What one backend said, or why it said nothing.
struct Asked {
    name: &'static str,
    probed: Result<Probed, String>,
}

/// Fails, with the exit code, when something must be changed.
pub(super) async fn run(desk: &Desk<'_>, told: &mut Told) -> Result<()> {
    let Examination { backends, findings } = examine(desk).await;
    let mut rows = vec![["", "backend", "latency", "version and facts"].map(String::from).to_vec()];
    rows.extend(backends.iter().map(row));
    told.say(&table(&rows));
    for Finding { severity, message } in &findings {
        let mark = if *severity == FindingSeverity::Error { "error  " } else { "warning" };
        told.say(&format!("{mark}  {message}"));
    }
    let is_error = |finding: &&Finding| finding.severity == FindingSeverity::Error;
    let errors = findings.iter().filter(is_error).count();
    told.say(&format!("{errors} errors, {} warnings", findings.len() - errors));
    told.exit_with(u8::from(errors > 0));
    Ok(())
}

/// Asks each backend, and looks at the migrations and the settings.
pub(crate) async fn examine(desk: &Desk<'_>) -> Examination {
    let (asked, migrations) = ask(desk).await;
    let mut findings = Vec::new();
    let is_down = asked.iter().any(|it| it.name == DATABASE && it.probed.is_err());
    let backends = asked.into_iter().map(|it| examined(it, &mut findings)).collect();
    let mut error = |message| findings.push(Finding { severity: FindingSeverity::Error, message });
    match migrations {
        Ok(all) => all.iter().filter(|migration| !migration.applied).for_each(|missing| {
            error(format!(
                "database: the migration {} is missing: run `outrigger migrate apply`",
                missing.name
            ));
        }),
        // That it is down was said already.
        Err(_) if is_down => {}
        Err(why) => error(format!("database: {why}")),
    }
    let severity = match desk.config.is_production() {
        true => FindingSeverity::Error,
        false => FindingSeverity::Warning,
    };
    let insecure = insecurities(desk.config).into_iter();
    let insecure = insecure.map(|why| Finding { severity, message: format!("settings: {why}") });
    findings.extend(insecure);
    Examination { backends, findings }
}

/// Asks each backend, whether or not the others are there; and what migrations say.
async fn ask(desk: &Desk<'_>) -> (Vec<Asked>, Result<Vec<Migration>, String>) {
    let config = desk.config;
    let store = desk.store().await;
    let mut asked = vec![Asked {
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
    asked.extend(probed.map(|probed| Asked { name: "database, read-only", probed }));
    let probed = match compose::redis_cache(config).await {
        Ok(None) => None,
        Ok(Some(cache)) => Some(cache.probe().await.map_err(|error| error.to_string())),
        Err(error) => Some(Err(format!("{error:#}"))),
    };
    asked.extend(probed.map(|probed| Asked { name: "redis", probed }));
    let probed = match compose::redis_queue(config).await {
        Ok(None) => None,
        Ok(Some(queue)) => Some(queue.probe().await.map_err(|error| error.to_string())),
        Err(error) => Some(Err(format!("{error:#}"))),
    };
    asked.extend(probed.map(|probed| Asked { name: "queue", probed }));
    let probed = match blobs::open(config) {
        Ok(blobs) => blobs.probe().await.map_err(|error| error.to_string()),
        Err(error) => Err(format!("{error:#}")),
    };
    asked.push(Asked { name: "blobs", probed });
    asked.push(Asked { name: "mail", probed: mail(config).await });
    let probed = match traces::collector(config, "doctor") {
        Ok(None) => None,
        Ok(Some(collector)) => Some(collector.probe().await),
        Err(error) => Some(Err(format!("{error:#}"))),
    };
    asked.extend(probed.map(|probed| Asked { name: "traces", probed }));
    (asked, migrations)
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
        probed.findings.push(probe::Finding { severity: Severity::Warning, message });
    }
    Ok(probed)
}

fn examined(asked: Asked, findings: &mut Vec<Finding>) -> Examined {
    let name = asked.name.to_owned();
    match asked.probed {
        Ok(probed) => {
            findings.extend(probed.findings.iter().map(|found| Finding {
                severity: match found.severity {
                    Severity::Error => FindingSeverity::Error,
                    Severity::Warning => FindingSeverity::Warning,
                },
                message: format!("{name}: {}", found.message),
            }));
            let facts = probed.facts.iter().map(|(key, value)| ((*key).to_owned(), value.clone()));
            Examined {
                name,
                ok: true,
                latency_ms: Some(probed.latency.as_secs_f64() * 1_000.0),
                version: probed.version.clone(),
                facts: facts.collect(),
            }
        }
        Err(error) => {
            let message = format!("{name}: {error}");
            findings.push(Finding { severity: FindingSeverity::Error, message });
            Examined {
                name,
                ok: false,
                latency_ms: None,
                version: String::new(),
                facts: Vec::new(),
            }
        }
    }
}

fn row(backend: &Examined) -> Vec<String> {
    let Examined { name, ok, latency_ms, version, facts } = backend;
    let facts = facts.iter().map(|(key, value)| format!("{key}={value}"));
    let about = std::iter::once(version.clone()).chain(facts).collect::<Vec<_>>().join("  ");
    let latency = latency_ms.map_or("-".to_owned(), |ms| format!("{ms:.2} ms"));
    let word = if *ok { "ok" } else { "down" };
    vec![word.to_owned(), name.clone(), latency, about]
}
