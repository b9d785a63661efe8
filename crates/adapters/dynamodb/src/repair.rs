//! Takes away entries that lead nowhere: of documents that DynamoDB deleted by itself, and what
//! large batches left behind.
//!
//! A large batch writes its entries before its documents, marked with its stamp, and its transaction
//! demands that the mark of the batch still stands. So an entry is removed in three steps: the mark
//! is removed, after which that batch cannot be committed any more; the document is read, and if it
//! has the entry after all, nothing is done; the entry is removed, if it is still the one that was
//! written with that stamp. Whoever gives the document this entry in between writes it anew, with
//! another stamp.

use std::time::Duration;

use aws_sdk_dynamodb::types::ReturnConsumedCapacity;
use outrigger_ports::store::{Entry, Key, StoreError};

use crate::batch_get::{self, How};
use crate::error::Failure;
use crate::item::Stamp;
use crate::key::ItemKey;
use crate::link::Link;
use crate::meter::Call;

/// How old an entry is that is removed when it is met: most likely nobody is about to commit its
/// document.
pub(crate) const AFTER: Duration = Duration::from_secs(60);

/// Whether the entry's document has it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// It stays.
    Needed,
    /// It is gone.
    Removed,
}

/// Removes the entry unless its document has it.
///
/// # Errors
/// As [`Link::ask`]; the entry may be left.
pub(crate) async fn remove(
    link: &Link,
    key: &Key,
    entry: &Entry,
    stamp: Stamp,
) -> Result<Verdict, StoreError> {
    unmark(link, stamp).await?;
    let how = How { call: Call::Commit, may_lag: false, with_body: false };
    let documents = batch_get::documents(link, [key], how).await?;
    if documents.values().any(|stored| stored.lists(entry).is_some()) {
        return Ok(Verdict::Needed);
    }
    delete(link, &ItemKey::entry(key, entry), stamp).await?;
    Ok(Verdict::Removed)
}

/// Removes the mark of a large batch.
pub(crate) async fn unmark(link: &Link, stamp: Stamp) -> Result<(), StoreError> {
    let key = ItemKey::large(stamp).attributes();
    let request = link.client.delete_item().table_name(link.table()).set_key(Some(key));
    let request = request.return_consumed_capacity(ReturnConsumedCapacity::Total);
    let answer = link.ask(|| request.clone().send()).await?;
    link.meter.wrote(Call::Commit, answer.consumed_capacity.as_slice());
    Ok(())
}

/// Removes the item if it is still the one that was written with this stamp.
///
/// # Errors
/// As [`Link::ask`].
pub(crate) async fn delete(link: &Link, key: &ItemKey, stamp: Stamp) -> Result<(), StoreError> {
    let request = link
        .client
        .delete_item()
        .table_name(link.table())
        .set_key(Some(key.attributes()))
        .condition_expression("t = :t")
        .expression_attribute_values(":t", stamp.attribute())
        .return_consumed_capacity(ReturnConsumedCapacity::Total);
    match link.until(&mut link.budget(), || request.clone().send()).await {
        Ok(answer) => {
            link.meter.wrote(Call::Commit, answer.consumed_capacity.as_slice());
            Ok(())
        }
        Err(Failure::Changed) => Ok(()),
        Err(failure) => Err(failure.into_error(false)),
    }
}
