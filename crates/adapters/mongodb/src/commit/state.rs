//! What a batch depends on: its documents, and who has the unique values that it takes.

use std::collections::HashMap;

use futures_util::TryStreamExt;
use mongodb::bson::doc;
use outrigger_kernel::Timestamp;
use outrigger_ports::store::{Batch, Key};

use super::check;
use crate::error::Failure;
use crate::key;
use crate::link::{Budget, Session};
use crate::stored::{self, Stored};

/// Documents by their `_id`.
#[derive(Debug)]
pub(super) struct State {
    documents: HashMap<String, Stored>,
    now: Timestamp,
}

impl State {
    /// Reads it in this session, and in its transaction if it is in one.
    pub(super) async fn read(
        budget: Budget,
        session: &mut Session,
        batch: &Batch,
        now: Timestamp,
    ) -> Result<Self, Failure> {
        let ids: Vec<String> = batch.writes.iter().map(|write| key::id(write.key())).collect();
        let wanted = check::wanted(batch);
        let filter = match wanted.is_empty() {
            true => doc! { "_id": { "$in": ids } },
            false => doc! { "$or": [{ "_id": { "$in": ids } }, { "u": { "$in": wanted } }] },
        };
        let found = async {
            let Session { at, client } = session;
            let find = at.documents.find(filter).projection(stored::without_body());
            let mut cursor = find.session(&mut *client).await?;
            cursor.stream(client).try_collect::<Vec<Stored>>().await
        };
        let found = budget.spend(found).await?;
        let documents = found.into_iter().map(|stored| (stored.id.clone(), stored)).collect();
        Ok(Self { documents, now })
    }

    /// What stands under this key, live or expired.
    pub(super) fn stored(&self, key: &Key) -> Option<&Stored> {
        self.documents.get(&key::id(key))
    }

    /// The version of the live document.
    pub(super) fn version(&self, key: &Key) -> Option<u64> {
        let live = self.stored(key).filter(|stored| stored.is_live(self.now));
        live.map(Stored::version)
    }

    /// The live documents that have this unique value: one, if any.
    pub(super) fn holders(&self, claim: &str) -> impl Iterator<Item = &String> {
        let has = move |stored: &&Stored| stored.claims.iter().any(|known| known == claim);
        let live = self.documents.values().filter(|stored| stored.is_live(self.now));
        live.filter(has).map(|stored| &stored.id)
    }

    /// The documents that have expired.
    pub(super) fn expired(&self) -> Vec<String> {
        let expired = self.documents.values().filter(|stored| !stored.is_live(self.now));
        expired.map(|stored| stored.id.clone()).collect()
    }
}
