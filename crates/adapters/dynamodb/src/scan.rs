//! All documents in key order: collection by collection.

use outrigger_kernel::Timestamp;
use outrigger_ports::store::{Key, Scanned, StoreError};

use crate::item::{Item, Stored, broken};
use crate::key::{COLLECTIONS, ItemKey, documents};
use crate::link::Link;
use crate::meter::Call;
use crate::reading::Reading;
use crate::span::Span;

/// Names of collections read at once.
const NAMES: usize = 100;

/// Up to `limit` live documents after the key.
pub(crate) async fn run(
    link: &Link,
    after: Option<&Key>,
    limit: usize,
    now: Timestamp,
) -> Result<Vec<Scanned>, StoreError> {
    let first = after.map_or(vec![0], |key| key.collection.as_bytes().to_vec());
    let names = reading(COLLECTIONS.to_owned(), first);
    let mut found = Vec::new();
    let mut start = None;
    loop {
        let (items, next) = names.page(link, NAMES, start).await?;
        for item in items {
            let name = id(&item)?;
            let after = after.filter(|key| key.collection == name);
            collect(link, &name, after, limit, now, &mut found).await?;
            if found.len() == limit {
                return Ok(found);
            }
        }
        start = next;
        if start.is_none() {
            return Ok(found);
        }
    }
}

/// Adds the documents of one collection.
async fn collect(
    link: &Link,
    name: &str,
    after: Option<&Key>,
    limit: usize,
    now: Timestamp,
    found: &mut Vec<Scanned>,
) -> Result<(), StoreError> {
    // The least id after the one.
    let first = after.map_or(vec![0], |key| [key.id.as_bytes(), &[0]].concat());
    let reading = reading(documents(name), first);
    let mut start = None;
    loop {
        let (items, next) = reading.page(link, limit - found.len(), start).await?;
        for item in items {
            let key = Key::new(name, id(&item)?);
            let stored = Stored::of(item)?;
            if stored.is_live(now) {
                found.push(stored.scanned(key));
            }
        }
        start = next;
        if start.is_none() || found.len() == limit {
            return Ok(());
        }
    }
}

fn reading(partition: String, mut from: Vec<u8>) -> Reading {
    if from.is_empty() {
        from.push(0);
    }
    let span = Span { from, ..Span::all() };
    Reading { call: Call::Scan, partition, span, descending: false, may_lag: false }
}

/// What stands in the sort key: an id, or the name of a collection.
fn id(item: &Item) -> Result<String, StoreError> {
    let key = ItemKey::of(item).ok_or_else(|| broken("sk"))?;
    String::from_utf8(key.sk).map_err(|_| broken("sk"))
}
