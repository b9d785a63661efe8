//! Reads: points, lists and scans.

use bytes::Bytes;
use futures_util::future::join_all;
use outrigger_kernel::{Timestamp, limits};
use outrigger_ports::store::{
    Document, Entry, Found, Key, Order, Position, Query, Scanned, StoreError,
};
use tokio_postgres::Row;
use tokio_postgres::types::{FromSql, ToSql};

use super::lanes::Lanes;
use super::statements::Which;
use crate::bounds;
use crate::fault::Fault;
use crate::span::{IdSpan, ValueSpan};

fn column<'a, T: FromSql<'a>>(row: &'a Row, column: usize) -> Result<T, StoreError> {
    row.try_get(column).map_err(|error| StoreError::Internal(Fault::cause(Fault::of(&error).0)))
}

/// The document in the columns from `first` on: version, expiry, body.
fn document(key: Key, row: &Row, first: usize) -> Result<Document, StoreError> {
    Ok(Document {
        key,
        version: column::<i64>(row, first)?.cast_unsigned(),
        expires_at: column::<Option<i64>>(row, first + 1)?.map(Timestamp::from_micros),
        body: Bytes::copy_from_slice(column::<&[u8]>(row, first + 2)?),
    })
}

fn is_live(document: &Document, now: Timestamp) -> bool {
    document.expires_at.is_none_or(|at| at > now)
}

/// What one reader of several gets.
pub(super) type Answer = Result<Option<Document>, StoreError>;

/// The live documents with these keys, for a reader each.
pub(super) async fn get_each(lanes: &Lanes, keys: Vec<Key>, now: Timestamp) -> Vec<Answer> {
    if let [key] = &keys[..] {
        return vec![get(lanes, key, now).await];
    }
    let some = keys.chunks(limits::GET_MANY_MAX).map(async |keys| {
        match get_many(lanes, keys, now).await {
            Ok(found) => found.into_iter().map(Ok).collect(),
            Err(error) => keys.iter().map(|_| Err(error.repeated())).collect::<Vec<_>>(),
        }
    });
    join_all(some).await.into_iter().flatten().collect()
}

/// The live document with this key.
async fn get(lanes: &Lanes, key: &Key, now: Timestamp) -> Answer {
    if !bounds::is_text(key) {
        return Ok(None);
    }
    let rows = lanes.read(Which::Get, &[&key.collection, &key.id]).await?;
    let Some(row) = rows.first() else { return Ok(None) };
    Ok(Some(document(key.clone(), row, 0)?).filter(|document| is_live(document, now)))
}

/// The live documents with these keys, as they are at one instant.
pub(super) async fn get_many(
    lanes: &Lanes,
    keys: &[Key],
    now: Timestamp,
) -> Result<Vec<Option<Document>>, StoreError> {
    let mut found = vec![None; keys.len()];
    // An id with NUL is asked for as another that no document has.
    let text = |key: &'_ Key| bounds::is_text(key);
    let collections: Vec<&str> =
        keys.iter().map(|key| if text(key) { key.collection.as_str() } else { "" }).collect();
    let ids: Vec<&str> =
        keys.iter().map(|key| if text(key) { key.id.as_str() } else { "" }).collect();
    for row in lanes.read(Which::GetMany, &[&collections, &ids]).await? {
        let position = usize::try_from(column::<i64>(&row, 0)? - 1).unwrap_or(usize::MAX);
        if let (Some(key), Some(slot)) = (keys.get(position), found.get_mut(position)) {
            *slot = Some(document(key.clone(), &row, 1)?).filter(|document| is_live(document, now));
        }
    }
    Ok(found)
}

/// A page of one collection.
pub(super) async fn query(
    lanes: &Lanes,
    query: &Query<'_>,
    now: Timestamp,
) -> Result<Vec<Found>, StoreError> {
    let limit = i64::try_from(query.limit).unwrap_or(i64::MAX);
    let now = now.as_micros();
    let rows = match query.order {
        Order::Id => {
            let which = if query.descending { Which::ByIdDescending } else { Which::ById };
            let span = IdSpan::of(query);
            lanes.read(which, &[&query.collection, &span.from, &span.to, &now, &limit]).await?
        }
        Order::Index(name) | Order::Unique(name) => {
            let which = match (query.order, query.descending) {
                (Order::Unique(_), false) => Which::ByUnique,
                (Order::Unique(_), true) => Which::ByUniqueDescending,
                (_, false) => Which::ByIndex,
                (_, true) => Which::ByIndexDescending,
            };
            let ValueSpan { lower: (v1, id1), upper: (v2, id2) } = ValueSpan::of(query);
            let params: [&(dyn ToSql + Sync); 8] =
                [&query.collection, &name, &v1, &id1, &v2, &id2, &now, &limit];
            lanes.read(which, &params).await?
        }
    };
    rows.iter()
        .map(|row| {
            let position = Position { value: column(row, 0)?, id: column(row, 1)? };
            let key = Key::new(query.collection, position.id.clone());
            Ok(Found { position, document: document(key, row, 2)? })
        })
        .collect()
}

/// Live documents of all collections after a key.
pub(super) async fn scan(
    lanes: &Lanes,
    after: Option<&Key>,
    limit: usize,
    now: Timestamp,
) -> Result<Vec<Scanned>, StoreError> {
    let text = |text: &str| text.split('\0').next().unwrap_or_default().to_owned();
    let (collection, id) =
        after.map_or_else(Default::default, |key| (text(&key.collection), text(&key.id)));
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    let rows = lanes.read(Which::Scan, &[&collection, &id, &now.as_micros(), &limit]).await?;
    rows.iter()
        .map(|row| {
            let key = Key { collection: column(row, 0)?, id: column(row, 1)? };
            Ok(Scanned::new(document(key, row, 2)?, entries(row, 5)?))
        })
        .collect()
}

/// The entries in the columns from `first` on: names, values, uniques.
fn entries(row: &Row, first: usize) -> Result<Vec<Entry>, StoreError> {
    let names: Vec<String> = column::<Option<_>>(row, first)?.unwrap_or_default();
    let values: Vec<Vec<u8>> = column::<Option<_>>(row, first + 1)?.unwrap_or_default();
    let uniques: Vec<bool> = column::<Option<_>>(row, first + 2)?.unwrap_or_default();
    let all = names.into_iter().zip(values).zip(uniques);
    Ok(all.map(|((index, value), unique)| Entry { index, value, unique }).collect())
}
