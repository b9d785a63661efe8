//! Which collections there are: the scan goes through them in order.
//!
//! A collection is noted before its first document is written, and stays noted.

use std::collections::HashSet;
use std::sync::{Mutex, MutexGuard, PoisonError};

use aws_sdk_dynamodb::types::ReturnConsumedCapacity;
use futures_util::future::try_join_all;
use outrigger_ports::store::{Batch, StoreError, Write};

use crate::key::{COLLECTIONS, ItemKey};
use crate::link::Link;
use crate::meter::Call;

/// The collections that this handle knows to be noted.
#[derive(Debug, Default)]
pub(crate) struct Collections(Mutex<HashSet<String>>);

impl Collections {
    /// Notes those that the batch puts documents into.
    ///
    /// # Errors
    /// As [`Link::ask`].
    pub(crate) async fn note(&self, link: &Link, batch: &Batch) -> Result<(), StoreError> {
        let unknown: HashSet<&str> = {
            let known = self.known();
            let is_put =
                |write: &&Write| matches!(write, Write::Put { .. } | Write::Restore { .. });
            let puts = batch.writes.iter().filter(is_put);
            let names = puts.map(|write| write.key().collection.as_str());
            names.filter(|name| !known.contains(*name)).collect()
        };
        try_join_all(unknown.iter().map(|name| put(link, name))).await?;
        self.known().extend(unknown.into_iter().map(str::to_owned));
        Ok(())
    }

    fn known(&self) -> MutexGuard<'_, HashSet<String>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

async fn put(link: &Link, name: &str) -> Result<(), StoreError> {
    let item = ItemKey::new(COLLECTIONS, name.as_bytes()).attributes();
    let request = link.client.put_item().table_name(link.table()).set_item(Some(item));
    let request = request.return_consumed_capacity(ReturnConsumedCapacity::Total);
    let answer = link.ask(|| request.clone().send()).await?;
    link.meter.wrote(Call::Commit, answer.consumed_capacity.as_slice());
    Ok(())
}
