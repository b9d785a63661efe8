//! Deletes documents that have expired and have entries, with these. Those without are deleted by
//! DynamoDB itself, at no cost.
//!
//! They are found by a sparse global index: it lags behind a little, so each is looked at again.

use std::sync::Arc;

use aws_sdk_dynamodb::types::{AttributeValue, ReturnConsumedCapacity};
use futures_util::{StreamExt, stream};
use outrigger_kernel::Timestamp;
use outrigger_ports::store::{Batch, Key, Precondition, StoreError, Write};

use crate::commit::Commit;
use crate::item::{SHARDS, shard_name};
use crate::key::ItemKey;
use crate::link::Link;
use crate::meter::Call;
use crate::migrate::EXPIRING;

/// So many are deleted beside each other.
const AT_ONCE: usize = 8;

/// Deletes up to `limit`; how many.
pub(crate) async fn run(
    link: &Arc<Link>,
    limit: usize,
    now: Timestamp,
) -> Result<usize, StoreError> {
    let mut keys: Vec<Key> = Vec::new();
    for shard in 0..SHARDS {
        if keys.len() < limit {
            keys.extend(expired(link, shard, limit - keys.len(), now).await?);
        }
    }
    let deleting = keys.into_iter().map(|key| async move {
        let batch = Batch::of([Write::Delete { key, precondition: Precondition::Absent }]);
        Commit::new(link, now, Call::Purge).run(&batch).await
    });
    let mut purged = 0;
    let mut outcomes = stream::iter(deleting).buffer_unordered(AT_ONCE);
    while let Some(outcome) = outcomes.next().await {
        match outcome {
            Ok(_) => purged += 1,
            // Somebody has put it anew.
            Err(StoreError::Precondition { .. }) => {}
            Err(error) => return Err(error),
        }
    }
    Ok(purged)
}

async fn expired(
    link: &Link,
    shard: u8,
    limit: usize,
    now: Timestamp,
) -> Result<Vec<Key>, StoreError> {
    let request = link
        .client
        .query()
        .table_name(link.table())
        .index_name(EXPIRING)
        .key_condition_expression("xp = :shard AND x <= :now")
        .expression_attribute_values(":shard", shard_name(shard))
        .expression_attribute_values(":now", AttributeValue::N(now.as_micros().to_string()))
        .limit(i32::try_from(limit).unwrap_or(i32::MAX))
        .return_consumed_capacity(ReturnConsumedCapacity::Total);
    let answer = link.ask(|| request.clone().send()).await?;
    link.meter.read(Call::Purge, answer.consumed_capacity.as_slice());
    let keys = answer.items.unwrap_or_default().into_iter().filter_map(|item| {
        let ItemKey { pk, sk } = ItemKey::of(&item)?;
        Some(Key::new(pk.strip_prefix("d/")?, String::from_utf8(sk).ok()?))
    });
    Ok(keys.collect())
}
