//! Pages of documents in an order: one read of one instant, along one index.

use std::time::Duration;

use futures_util::TryStreamExt;
use mongodb::Collection;
use mongodb::action::Find;
use mongodb::bson::{Document as Bsons, doc};
use mongodb::options::{ReadConcern, ReadPreference, SelectionCriteria};
use outrigger_kernel::Timestamp;
use outrigger_ports::store::{Found, Key, Order, Position, Query, Scanned, StoreError};

use crate::error::Failure;
use crate::link::{Budget, Link, Session};
use crate::stored::{Stored, broken};
use crate::{key, span, stored};

/// A read along one field.
#[derive(Debug)]
struct Reading {
    filter: Bsons,
    field: String,
    /// What is read besides the document.
    besides: String,
    descending: bool,
    limit: usize,
    may_lag: bool,
}

impl Reading {
    async fn run(&self, link: &Link, budget: Budget) -> Result<Vec<Stored>, Failure> {
        if self.may_lag {
            let near = SelectionCriteria::ReadPreference(ReadPreference::SecondaryPreferred {
                options: None,
            });
            let at = link.reached();
            let find = self.find(&at.documents, link.patience).selection_criteria(near);
            let find = find.read_concern(ReadConcern::majority());
            return budget.spend(async { find.await?.try_collect().await }).await;
        }
        let Session { at, mut client } = link.snapshot().await?;
        let found = async {
            let find = self.find(&at.documents, link.patience);
            let mut cursor = find.session(&mut client).await?;
            cursor.stream(&mut client).try_collect().await
        };
        budget.spend(found).await
    }

    fn find<'a>(&self, documents: &'a Collection<Stored>, patience: Duration) -> Find<'a, Stored> {
        let mut projection = stored::whole();
        projection.insert(self.besides.clone(), 1);
        documents
            .find(self.filter.clone())
            .projection(projection)
            .sort(doc! { self.field.clone(): if self.descending { -1 } else { 1 } })
            .limit(i64::try_from(self.limit).unwrap_or(i64::MAX))
            .max_time(patience)
            .batch_size(u32::try_from(self.limit).unwrap_or(u32::MAX))
    }
}

/// The documents that the query asks for.
///
/// # Errors
/// As [`Link::ask`].
pub(crate) async fn run(
    link: &Link,
    query: &Query<'_>,
    now: Timestamp,
) -> Result<Vec<Found>, StoreError> {
    let (field, condition) = span::of(query);
    let reading = &Reading {
        filter: doc! { field.clone(): condition, "x": span::live(now) },
        descending: query.descending,
        limit: query.limit,
        may_lag: query.may_lag,
        besides: field.clone(),
        field,
    };
    let found = link.ask(|budget| reading.run(link, budget)).await?;
    found.into_iter().map(|stored| placed(stored, query.order)).collect()
}

/// A document and the place that it says it has: it is the one by which it was found.
fn placed(mut stored: Stored, order: Order<'_>) -> Result<Found, StoreError> {
    let position = match order {
        Order::Id => None,
        Order::Index(_) | Order::Unique(_) => {
            let places = std::mem::take(&mut stored.places);
            let place = places.into_values().next().ok_or_else(|| broken("p"))?;
            Some(key::position(&place).ok_or_else(|| broken("p"))?)
        }
    };
    let document = stored.document()?;
    let position =
        position.unwrap_or_else(|| Position { value: Vec::new(), id: document.key.id.clone() });
    Ok(Found { position, document })
}

/// Up to `limit` live documents of all collections after the key, in key order, with their entries.
///
/// # Errors
/// As [`Link::ask`].
pub(crate) async fn scan(
    link: &Link,
    after: Option<&Key>,
    limit: usize,
    now: Timestamp,
) -> Result<Vec<Scanned>, StoreError> {
    let after = after.map(key::id).unwrap_or_default();
    let reading = &Reading {
        filter: doc! { "_id": { "$gt": after }, "x": span::live(now) },
        field: "_id".to_owned(),
        besides: "p".to_owned(),
        descending: false,
        limit,
        may_lag: false,
    };
    let found = link.ask(|budget| reading.run(link, budget)).await?;
    let scanned = |stored: Stored| {
        let entries = stored.entries()?;
        Ok(Scanned::new(stored.document()?, entries))
    };
    found.into_iter().map(scanned).collect()
}
