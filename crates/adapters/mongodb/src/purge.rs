//! Deletes documents that have expired. MongoDB does so too, some minutes later, should nobody purge.

use futures_util::TryStreamExt;
use mongodb::bson::{DateTime, doc};
use outrigger_kernel::Timestamp;
use outrigger_ports::store::StoreError;

use crate::link::{Budget, Link};
use crate::stored::Stored;

/// Deletes up to `limit`; how many.
///
/// # Errors
/// As [`Link::ask`].
pub(crate) async fn run(link: &Link, limit: usize, now: Timestamp) -> Result<usize, StoreError> {
    if limit == 0 {
        return Ok(0);
    }
    let read = |budget: Budget| async move {
        let expired = async {
            // A date is rounded up, so it is looked at the microsecond too.
            let date = now.as_micros().saturating_add(999).div_euclid(1_000);
            let filter = doc! {
                "t": { "$lte": DateTime::from_millis(date) }, "x": { "$lte": now.as_micros() },
            };
            let most = i64::try_from(limit).unwrap_or(i64::MAX);
            let at = link.reached();
            let find = at.documents.find(filter).projection(doc! { "_id": 1 }).limit(most);
            find.await?.try_collect::<Vec<Stored>>().await
        };
        budget.spend(expired).await
    };
    let ids: Vec<String> = link.ask(read).await?.into_iter().map(|stored| stored.id).collect();
    if ids.is_empty() {
        return Ok(0);
    }
    let ids = &ids;
    let deleted = link.ask(|budget| delete_expired(link, budget, ids, now)).await?;
    Ok(usize::try_from(deleted).unwrap_or(usize::MAX))
}

/// Deletes those of these that have expired; how many. Deleting twice does no harm.
pub(crate) async fn delete_expired(
    link: &Link,
    budget: Budget,
    ids: &[String],
    now: Timestamp,
) -> Result<u64, crate::error::Failure> {
    // Somebody may have put one anew.
    let filter = doc! { "_id": { "$in": ids }, "x": { "$lte": now.as_micros() } };
    let deleted = budget.spend(link.reached().documents.delete_many(filter)).await?;
    Ok(deleted.deleted_count)
}
