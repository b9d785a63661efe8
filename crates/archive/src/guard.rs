//! Imports and processes that serve keep off each other: none begins while the other one is at it.

use outrigger_ports::index_value;
use outrigger_ports::store::{Order, Query, Store};
use serde::Deserialize;

use crate::PROCESSES;
use crate::error::ArchiveError;
use crate::settle::persist;
use crate::target;

/// What a process says of itself.
#[derive(Deserialize)]
struct Process {
    role: String,
    host: String,
    pid: u32,
}

/// Sees to it that no import into this store has begun and not come to its end: what is written into
/// one meanwhile would be in the way of the rest.
///
/// # Errors
/// `Refused` when one has; those of the store.
pub async fn ensure_whole(store: &dyn Store) -> Result<(), ArchiveError> {
    match store.get(&target::mark_key()).await? {
        None => Ok(()),
        Some(_) => Err(ArchiveError::Refused(
            "an import into this database has not come to its end: begin it again, the same way, or \
             bring in another archive with `outrigger import --replace`"
                .to_owned(),
        )),
    }
}

/// Sees to it that no process uses this store.
///
/// # Errors
/// `Refused` when one does, by its name; those of the store.
pub(crate) async fn ensure_unused(store: &dyn Store) -> Result<(), ArchiveError> {
    let query = Query {
        collection: PROCESSES,
        order: Order::Id,
        range: index_value::all(),
        descending: false,
        after: None,
        limit: 1,
        may_lag: false,
    };
    let found = persist(async || store.query(&query).await).await?;
    let Some(found) = found.into_iter().next() else { return Ok(()) };
    let about = match serde_json::from_slice(&found.document.body) {
        Ok(Process { role, host, pid }) => format!(" ({role}, process {pid} of {host})"),
        Err(_) => String::new(),
    };
    Err(ArchiveError::Refused(format!(
        "{}{about} uses this database: stop it, and all others, and begin again; one that was killed is \
         forgotten within 30 s",
        found.document.key.id
    )))
}
