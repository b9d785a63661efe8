//! A query's range and place, brought to one form: the two ends between which the page lies.
//!
//! Every index query is `(value, id) > lower AND (value, id) < upper`, and every query by id is
//! `id >= from AND id < to`, whatever bounds were given. So there is one statement for each order
//! and direction, and its condition is one contiguous range of the index.

use std::ops::Bound;

use outrigger_kernel::limits;
use outrigger_ports::store::{Position, Query};

/// A place in an index: value, then id.
pub(crate) type Place = (Vec<u8>, String);

/// What lies strictly between two places.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct ValueSpan {
    pub(crate) lower: Place,
    pub(crate) upper: Place,
}

/// The ids from one (included) to another (excluded).
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct IdSpan {
    pub(crate) from: String,
    pub(crate) to: String,
}

/// The least bytes after `bytes`.
fn successor(bytes: &[u8]) -> Vec<u8> {
    let mut next = Vec::with_capacity(bytes.len() + 1);
    next.extend_from_slice(bytes);
    next.push(0);
    next
}

/// A text that stands to every id as `bytes` does. Ids are ASCII without control characters;
/// a database's text is UTF-8 without NUL, a bound may be any bytes.
fn text(bytes: &[u8]) -> String {
    let (valid, broken) = match std::str::from_utf8(bytes) {
        Ok(text) => (text, false),
        Err(error) => {
            let valid = &bytes[..error.valid_up_to()];
            (std::str::from_utf8(valid).unwrap_or_default(), true)
        }
    };
    match valid.find('\0') {
        Some(at) => format!("{}\u{1}", &valid[..at]),
        None if broken => format!("{valid}{}", char::MAX),
        None => valid.to_owned(),
    }
}

impl ValueSpan {
    pub(crate) fn of(query: &Query<'_>) -> Self {
        let place = |position: &Position| (position.value.clone(), text(position.id.as_bytes()));
        let mut lower = match &query.range.0 {
            Bound::Unbounded => (Vec::new(), String::new()),
            Bound::Included(value) => (value.clone(), String::new()),
            Bound::Excluded(value) => (successor(value), String::new()),
        };
        let mut upper = match &query.range.1 {
            // Longer than any value can be, and of the greatest byte.
            Bound::Unbounded => (vec![0xFF; limits::INDEX_VALUE_BYTES_MAX + 1], String::new()),
            Bound::Included(value) => (successor(value), String::new()),
            Bound::Excluded(value) => (value.clone(), String::new()),
        };
        match &query.after {
            Some(after) if query.descending => upper = upper.min(place(after)),
            Some(after) => lower = lower.max(place(after)),
            None => {}
        }
        Self { lower, upper }
    }
}

impl IdSpan {
    pub(crate) fn of(query: &Query<'_>) -> Self {
        let mut from = match &query.range.0 {
            Bound::Unbounded => Vec::new(),
            Bound::Included(id) => id.clone(),
            Bound::Excluded(id) => successor(id),
        };
        let mut to = match &query.range.1 {
            Bound::Unbounded => vec![0xFF],
            Bound::Included(id) => successor(id),
            Bound::Excluded(id) => id.clone(),
        };
        match &query.after {
            Some(after) if query.descending => to = to.min(after.id.clone().into_bytes()),
            Some(after) => from = from.max(successor(after.id.as_bytes())),
            None => {}
        }
        Self { from: text(&from), to: text(&to) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use outrigger_ports::store::Order;

    fn query(order: Order<'_>) -> Query<'_> {
        Query {
            collection: "c",
            order,
            range: (Bound::Unbounded, Bound::Unbounded),
            descending: false,
            after: None,
            limit: 1,
            may_lag: false,
        }
    }

    #[test]
    fn bounds_of_values_become_places() {
        let mut query = query(Order::Index("i"));
        query.range = (Bound::Excluded(vec![1]), Bound::Included(vec![2]));
        let span = ValueSpan::of(&query);
        assert_eq!(span.lower, (vec![1, 0], String::new()));
        assert_eq!(span.upper, (vec![2, 0], String::new()));
        query.after = Some(Position { value: vec![2], id: "x".into() });
        assert_eq!(ValueSpan::of(&query).lower, (vec![2], "x".to_owned()));
        query.descending = true;
        assert_eq!(ValueSpan::of(&query).upper, (vec![2], "x".to_owned()));
        assert_eq!(ValueSpan::of(&query).lower, (vec![1, 0], String::new()));
    }

    #[test]
    fn bounds_of_ids_become_text_that_stands_to_ids_as_they_do() {
        let mut query = query(Order::Id);
        query.range = (Bound::Excluded(b"a".to_vec()), Bound::Excluded(b"b\xFF".to_vec()));
        let span = IdSpan::of(&query);
        assert!(*"a" < *span.from && *span.from < *"a-");
        assert!(*"bzz" < *span.to && *span.to < *"c");
        query.after = Some(Position { value: Vec::new(), id: "b".into() });
        assert!(*"b" < *IdSpan::of(&query).from);
    }
}
