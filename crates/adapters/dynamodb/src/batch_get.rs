//! Reads many items by their keys.

use std::collections::{HashMap, HashSet};

use aws_sdk_dynamodb::types::{KeysAndAttributes, ReturnConsumedCapacity};
use futures_util::future::try_join_all;
use outrigger_kernel::Timestamp;
use outrigger_ports::store::{Document, Key, StoreError};

use crate::error::{Failure, Reason};
use crate::item::{Item, Stored, WITHOUT_BODY};
use crate::key::{ItemKey, NAMES};
use crate::link::{Budget, Link};
use crate::meter::Call;

/// Most keys in a request.
const KEYS_MAX: usize = 100;

/// What is read of an item, and how.
#[derive(Clone, Copy, Debug)]
pub(crate) struct How {
    pub(crate) call: Call,
    /// An answer that lags behind costs half.
    pub(crate) may_lag: bool,
    pub(crate) with_body: bool,
}

/// The documents that are there, whether or not they have expired.
pub(crate) async fn documents(
    link: &Link,
    keys: impl IntoIterator<Item = &Key>,
    how: How,
) -> Result<HashMap<ItemKey, Stored>, StoreError> {
    let keys: HashSet<ItemKey> = keys.into_iter().map(ItemKey::document).collect();
    let found = items(link, keys, how).await?;
    found.into_iter().map(|(key, item)| Ok((key, Stored::of(item)?))).collect()
}

/// The live documents with these keys, in their order.
pub(crate) async fn get_many(
    link: &Link,
    keys: &[Key],
    now: Timestamp,
) -> Result<Vec<Option<Document>>, StoreError> {
    let how = How { call: Call::GetMany, may_lag: false, with_body: true };
    let possible = keys.iter().filter(|key| NAMES.may_be(key));
    let found = documents(link, possible, how).await?;
    let document = |key: &Key| {
        let stored = found.get(&ItemKey::document(key)).filter(|stored| stored.is_live(now))?;
        Some(stored.clone().document(key.clone()))
    };
    Ok(keys.iter().map(document).collect())
}

/// The items that are there.
pub(crate) async fn items(
    link: &Link,
    keys: HashSet<ItemKey>,
    how: How,
) -> Result<HashMap<ItemKey, Item>, StoreError> {
    let keys: Vec<ItemKey> = keys.into_iter().collect();
    let some = keys.chunks(KEYS_MAX).map(|some| chunk(link, some, how));
    Ok(try_join_all(some).await?.into_iter().flatten().collect())
}

/// Asks until every key is answered: an answer has an end at 16 MB, at 1 MB of one partition, and when a
/// part is throttled. Only one with nothing in it is surely throttled.
async fn chunk(
    link: &Link,
    keys: &[ItemKey],
    how: How,
) -> Result<Vec<(ItemKey, Item)>, StoreError> {
    let mut asked = KeysAndAttributes::builder().consistent_read(!how.may_lag);
    for key in keys {
        asked = asked.keys(key.attributes());
    }
    if !how.with_body {
        asked = asked.projection_expression(WITHOUT_BODY);
    }
    let broken = |error| StoreError::Internal(Box::new(error));
    let mut left = Some(asked.build().map_err(broken)?);
    let mut found = Vec::with_capacity(keys.len());
    let mut budget = link.budget();
    while let Some(asked) = left.take() {
        let (items, unread) = once(link, asked, how.call, &mut budget).await?;
        left = unread;
        let is_throttled = items.is_empty() && left.is_some();
        found.extend(items);
        if is_throttled {
            if !link.pause(&mut budget).await {
                return Err(StoreError::Unavailable("reads are throttled".into()));
            }
            link.meter.retried(Reason::Throttled);
        }
    }
    let keyed = found.into_iter().filter_map(|item| Some((ItemKey::of(&item)?, item)));
    Ok(keyed.collect())
}

async fn once(
    link: &Link,
    asked: KeysAndAttributes,
    call: Call,
    budget: &mut Budget,
) -> Result<(Vec<Item>, Option<KeysAndAttributes>), StoreError> {
    let send = || {
        link.client
            .batch_get_item()
            .request_items(link.table(), asked.clone())
            .return_consumed_capacity(ReturnConsumedCapacity::Total)
            .send()
    };
    let answer =
        link.until(budget, send).await.map_err(|failure: Failure| failure.into_error(false))?;
    link.meter.read(call, answer.consumed_capacity());
    let items = answer.responses.unwrap_or_default().remove(link.table()).unwrap_or_default();
    Ok((items, answer.unprocessed_keys.unwrap_or_default().remove(link.table())))
}
