//! A query's range and place as two ends of a partition, both included, between which all that is
//! asked for lies, and perhaps a little more, which [`is_inside`] leaves out.

use std::ops::{Bound, RangeBounds};

use outrigger_kernel::limits;
use outrigger_ports::store::{Order, Position, Query};

use crate::key::encoded;

/// Longer than any sort key, and of the greatest byte.
const LAST: [u8; 700] = [0xFF; 700];

/// The ends of a part of a partition.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Span {
    pub(crate) from: Vec<u8>,
    pub(crate) to: Vec<u8>,
}

impl Span {
    /// All of a partition.
    pub(crate) fn all() -> Self {
        Self { from: vec![0], to: LAST.to_vec() }
    }

    /// What the query can find.
    pub(crate) fn of(query: &Query<'_>) -> Self {
        let (longest, is_id) = match query.order {
            Order::Id => (limits::ID_BYTES_MAX, true),
            _ => (limits::INDEX_VALUE_BYTES_MAX, false),
        };
        // What is longer than all values stands to them as its start does, with one byte more.
        let end = |bytes: &[u8]| {
            let bytes = &bytes[..bytes.len().min(longest + 1)];
            if is_id { bytes.to_vec() } else { encoded(bytes) }
        };
        let after = |bytes: &[u8]| end(&[bytes, &[0]].concat());
        let mut span = Self {
            from: match &query.range.0 {
                Bound::Unbounded => vec![0],
                Bound::Included(value) => end(value),
                Bound::Excluded(value) => after(value),
            },
            to: match &query.range.1 {
                Bound::Unbounded => LAST.to_vec(),
                Bound::Excluded(value) => end(value),
                Bound::Included(value) if is_id => end(value),
                Bound::Included(value) => after(value),
            },
        };
        if let Some(position) = &query.after {
            let value = encoded(&position.value);
            let id = position.id.as_bytes();
            let place = match query.order {
                Order::Id => id.to_vec(),
                // An entry has no id in its place: the value itself may still come.
                Order::Unique(_) if !query.descending => value,
                _ => [value.as_slice(), id].concat(),
            };
            if query.descending {
                span.to = span.to.min(place);
            } else {
                span.from = span.from.max(place);
            }
        }
        for end in [&mut span.from, &mut span.to] {
            end.truncate(1_024);
            if end.is_empty() {
                end.push(0);
            }
        }
        span
    }

    /// Whether nothing lies between the ends.
    pub(crate) fn is_empty(&self) -> bool {
        self.from > self.to
    }
}

/// Whether the query asks for what stands there.
pub(crate) fn is_inside(query: &Query<'_>, position: &Position) -> bool {
    let in_range = match query.order {
        Order::Id => query.range.contains(&position.id.as_bytes().to_vec()),
        _ => query.range.contains(&position.value),
    };
    in_range
        && query.after.as_ref().is_none_or(|after| match query.descending {
            true => position < after,
            false => position > after,
        })
}
