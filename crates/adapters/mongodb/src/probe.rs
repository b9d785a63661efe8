//! What `doctor` and the health check learn of the servers.
//!
//! The health check asks each second, so most of it is looked at once in a while only.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use mongodb::bson::{Document, doc};
use outrigger_ports::probe::{Finding, Probed, Severity};
use outrigger_ports::store::StoreError;

use crate::link::{Budget, Link};

/// How long what is not asked each time is believed.
const BELIEVED: Duration = Duration::from_secs(300);
/// So many members survive the loss of one.
const MEMBERS_MIN: usize = 3;

/// Version, facts and findings.
type Known = (String, Vec<(&'static str, String)>, Vec<Finding>);

/// What was looked at last, and when.
#[derive(Debug, Default)]
pub(crate) struct Looked(Mutex<Option<(Instant, Known)>>);

impl Looked {
    /// Asks for a document, and now and then for everything.
    ///
    /// # Errors
    /// As [`Link::ask`].
    pub(crate) async fn probe(&self, link: &Link) -> Result<Probed, StoreError> {
        let started = Instant::now();
        link.ask(|budget: Budget| async move {
            budget.spend(link.reached().documents.find_one(doc! { "_id": "probe" })).await
        })
        .await?;
        let latency = started.elapsed();
        let known = {
            let looked = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            let fresh = looked.as_ref().filter(|(at, _)| at.elapsed() < BELIEVED);
            fresh.map(|(_, known)| known.clone())
        };
        let (version, facts, findings) = match known {
            Some(known) => known,
            None => {
                let known = look(link).await?;
                let mut looked = self.0.lock().unwrap_or_else(PoisonError::into_inner);
                *looked = Some((Instant::now(), known.clone()));
                known
            }
        };
        Ok(Probed { latency, version, facts, findings })
    }
}

async fn look(link: &Link) -> Result<Known, StoreError> {
    let build = link.ask(|budget| link.command(budget, doc! { "buildInfo": 1 })).await?;
    let version = format!("MongoDB {}", build.get_str("version").unwrap_or("of no version"));
    let mut facts = vec![("database", link.reached().database.name().to_owned())];
    let mut findings = Vec::new();
    let mut find = |severity, message: String| findings.push(Finding { severity, message });
    describe(&link.hello().await?, &mut facts, &mut find);
    match link.missing().await {
        Ok(missing) => {
            facts.push(("indexes", missing.is_empty().to_string()));
            for index in missing {
                let what = "is gone; run `outrigger migrate apply`";
                find(Severity::Error, format!("the index {} {what}", index.name));
            }
        }
        Err(error) => find(Severity::Error, error.to_string()),
    }
    match may_write(link).await {
        Ok(()) => facts.push(("can_write", "true".to_owned())),
        Err(error) => find(
            Severity::Error,
            format!("it cannot write: {error}; the user needs the role readWrite on the database"),
        ),
    }
    Ok((version, facts, findings))
}

fn describe(
    hello: &Document,
    facts: &mut Vec<(&'static str, String)>,
    find: &mut impl FnMut(Severity, String),
) {
    let Ok(set) = hello.get_str("setName") else {
        facts.push(("topology", "sharded".to_owned()));
        return;
    };
    let count = |field| hello.get_array(field).map_or(0, Vec::len);
    let (members, arbiters) = (count("hosts") + count("passives"), count("arbiters"));
    facts.push(("replica_set", set.to_owned()));
    facts.push(("members", members.to_string()));
    if members < MEMBERS_MIN {
        let message = format!(
            "the replica set has {members} members that keep data: with fewer than {MEMBERS_MIN}, the loss of one stops all writes"
        );
        find(Severity::Warning, message);
    }
    if arbiters > 0 {
        let message = "the replica set has an arbiter: it votes, but a majority with it may lack the data, and then writes wait";
        find(Severity::Warning, message.to_owned());
    }
}

/// Tries each kind of write, under a condition that never holds.
async fn may_write(link: &Link) -> Result<(), StoreError> {
    let never = || doc! { "_id": "probe", "x": { "$lt": i64::MIN } };
    link.ask(|budget: Budget| async move {
        let touched = doc! { "$inc": { "l": 1 } };
        budget.spend(link.reached().documents.update_one(never(), touched)).await?;
        budget.spend(link.reached().documents.delete_one(never())).await.map(drop)
    })
    .await
}
