//! Pages of documents in an order.

use std::ops::RangeBounds;

use outrigger_kernel::Timestamp;
use outrigger_ports::store::{Found, Key, Order, Position, Query};

use super::{Row, Rows};

/// The documents that the query asks for.
pub(super) fn run(rows: &Rows, query: &Query<'_>, now: Timestamp) -> Vec<Found> {
    let mut found: Vec<Found> = rows
        .iter()
        .filter(|(key, row)| key.collection == query.collection && row.is_live(now))
        .filter_map(|(key, row)| {
            let position = position(key, row, query)?;
            Some(Found { position, document: row.document(key) })
        })
        .collect();
    found.sort_by(|a, b| a.position.cmp(&b.position));
    if query.descending {
        found.reverse();
    }
    found.retain(|found| match &query.after {
        None => true,
        Some(after) if query.descending => found.position < *after,
        Some(after) => found.position > *after,
    });
    found.truncate(query.limit);
    found
}

/// Where the document stands in the order, if it does and is in the range.
fn position(key: &Key, row: &Row, query: &Query<'_>) -> Option<Position> {
    let entry = |name: &str, unique: bool| {
        row.entries.iter().find(|entry| entry.index == name && entry.unique == unique)
    };
    let value = match query.order {
        Order::Id => Vec::new(),
        Order::Index(name) => entry(name, false)?.value.clone(),
        Order::Unique(name) => entry(name, true)?.value.clone(),
    };
    let inside = match query.order {
        Order::Id => query.range.contains(&key.id.as_bytes().to_vec()),
        _ => query.range.contains(&value),
    };
    inside.then(|| Position { value, id: key.id.clone() })
}
