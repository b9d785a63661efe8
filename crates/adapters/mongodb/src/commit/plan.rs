//! What a batch of several writes does, document by document, in the order in which it may be done.

use std::collections::HashSet;

use mongodb::bson::{Document, doc};
use outrigger_ports::store::{Batch, Precondition, Write};

use super::check;
use super::state::State;
use crate::key;
use crate::stored::Change;

/// A batch as commands. Values are given up before others take them.
#[derive(Debug, Default)]
pub(super) struct Plan {
    /// The versions afterwards.
    pub(super) versions: Vec<u64>,
    /// `_id`s of documents that go: those that the batch deletes, and expired ones that are in its
    /// way.
    pub(super) deleted: Vec<String>,
    /// Statements of one update command, done in this order.
    pub(super) updates: Vec<Document>,
    /// `_id`s of documents that were made only to show others that the batch depends on their not
    /// being there.
    pub(super) traces: Vec<String>,
}

impl Plan {
    /// What the batch does, if nothing changes that was read.
    pub(super) fn of(batch: &Batch, state: &State) -> Self {
        let mut plan = Self::default();
        plan.give_up(batch, state);
        for write in &batch.writes {
            let version = plan.write(write, state);
            plan.versions.push(version);
        }
        let put: HashSet<String> = batch
            .writes
            .iter()
            .filter(|write| matches!(write, Write::Put { .. } | Write::Restore { .. }))
            .map(|write| key::id(write.key()))
            .collect();
        // Those that are put are replaced; the others may have a value that the batch takes.
        plan.deleted.extend(state.expired().into_iter().filter(|id| !put.contains(id)));
        plan
    }

    /// Takes values away from documents of the batch that others of it take.
    fn give_up(&mut self, batch: &Batch, state: &State) {
        let wanted = check::wanted(batch);
        for write in &batch.writes {
            let Some(stored) = state.stored(write.key()) else { continue };
            let own = crate::stored::claims(write.key(), write.entries());
            let gives = |claim: &String| wanted.contains(claim) && !own.contains(claim);
            if stored.claims.iter().any(gives) {
                self.update(doc! { "_id": &stored.id }, doc! { "$unset": { "u": "" } }, false);
            }
        }
    }

    fn write(&mut self, write: &Write, state: &State) -> u64 {
        let key = write.key();
        let live = state.version(key);
        let version = live.unwrap_or_default();
        let id = doc! { "_id": key::id(key) };
        match write {
            Write::Put { body, entries, expires_at, .. } => {
                let change = Change::default().put(body, *expires_at).entries(key, entries);
                self.update(id, change.document(key, version + 1), true);
                version + 1
            }
            Write::Restore { document, entries, .. } => {
                let change = Change::default().put(&document.body, document.expires_at);
                let change = change.entries(key, entries);
                self.update(id, change.document(key, document.version), true);
                document.version
            }
            Write::Reindex { entries, .. } if live.is_some() => {
                // Also when nothing changes, so that others see it.
                let mut update = Change::default().entries(key, entries).update(false);
                update.insert("$inc", doc! { "l": 1_i64 });
                self.update(id, update, false);
                version
            }
            Write::Delete { .. } if live.is_some() => {
                self.deleted.push(key::id(key));
                0
            }
            // Nothing depends on it.
            Write::Check { precondition: Precondition::Any, .. } => version,
            Write::Check { .. } if live.is_some() => {
                self.update(id, doc! { "$inc": { "l": 1_i64 } }, false);
                version
            }
            _ => {
                // An expired one that stands there is deleted, which shows as much.
                if state.stored(key).is_none() {
                    self.traces.push(key::id(key));
                    self.update(id, doc! { "$inc": { "l": 1_i64 } }, true);
                }
                0
            }
        }
    }

    fn update(&mut self, condition: Document, update: Document, upsert: bool) {
        self.updates.push(doc! { "q": condition, "u": update, "upsert": upsert });
    }

    /// The `delete` command for these documents.
    pub(super) fn delete(collection: &str, ids: &[String]) -> Document {
        doc! {
            "delete": collection,
            "deletes": [{ "q": { "_id": { "$in": ids } }, "limit": 0 }],
        }
    }
}
