//! A query's range and place as a condition on one field.

use std::ops::Bound;

use mongodb::bson::{Document, doc};
use outrigger_ports::store::{Order, Query};

use crate::key::{self, END, SEPARATOR};

/// The field by which the query is ordered, and what must hold of it.
pub(crate) fn of(query: &Query<'_>) -> (String, Document) {
    match query.order {
        Order::Id => ("_id".to_owned(), ids(query)),
        Order::Index(name) => (field(query, name, false), places(query)),
        Order::Unique(name) => (field(query, name, true), places(query)),
    }
}

fn field(query: &Query<'_>, index: &str, unique: bool) -> String {
    format!("p.{}", key::field(query.collection, index, unique))
}

/// The ends of a condition; of two at the same side the narrower one counts.
#[derive(Debug, Default)]
struct Ends {
    from: Option<(String, bool)>,
    to: Option<(String, bool)>,
}

impl Ends {
    /// Not less than this; greater, if it is excluded.
    fn from(&mut self, text: String, excluded: bool) {
        let end = (text, excluded);
        self.from = self.from.take().max(Some(end));
    }

    /// Not greater than this; less, if it is excluded.
    fn to(&mut self, text: String, excluded: bool) {
        let end = (text, !excluded);
        self.to = Some(match self.to.take() {
            Some(known) => known.min(end),
            None => end,
        });
    }

    fn condition(self) -> Document {
        let mut condition = Document::new();
        if let Some((text, excluded)) = self.from {
            condition.insert(if excluded { "$gt" } else { "$gte" }, text);
        }
        if let Some((text, included)) = self.to {
            condition.insert(if included { "$lte" } else { "$lt" }, text);
        }
        condition
    }
}

fn ids(query: &Query<'_>) -> Document {
    let place = |id: &str| format!("{}{SEPARATOR}{id}", query.collection);
    let mut ends = Ends::default();
    ends.from(place(""), true);
    // The least character above the separator.
    ends.to(format!("{}!", query.collection), true);
    match &query.range.0 {
        Bound::Unbounded => {}
        Bound::Included(bytes) => ends.from(place(&text(bytes)), false),
        Bound::Excluded(bytes) => ends.from(place(&text(bytes)), true),
    }
    match &query.range.1 {
        Bound::Unbounded => {}
        Bound::Included(bytes) => ends.to(place(&text(bytes)), false),
        Bound::Excluded(bytes) => ends.to(place(&text(bytes)), true),
    }
    match (&query.after, query.descending) {
        (None, _) => {}
        (Some(after), false) => ends.from(place(&after.id), true),
        (Some(after), true) => ends.to(place(&after.id), true),
    }
    ends.condition()
}

/// Bytes that ids are compared with as text that stands to all ids as they do.
fn text(bytes: &[u8]) -> String {
    match std::str::from_utf8(bytes) {
        Ok(text) => text.to_owned(),
        // Ids are ASCII: what comes after the first other byte makes no difference.
        Err(error) => {
            let valid = String::from_utf8_lossy(&bytes[..error.valid_up_to()]).into_owned();
            valid + "\u{80}"
        }
    }
}

fn places(query: &Query<'_>) -> Document {
    // Behind all places of a value, and before those of the next one.
    let behind = |value: &[u8]| key::value(value) + "\u{2}";
    let mut ends = Ends::default();
    ends.from(END.to_string(), false);
    match &query.range.0 {
        Bound::Unbounded => {}
        Bound::Included(value) => ends.from(key::value(value), false),
        Bound::Excluded(value) => ends.from(behind(value), false),
    }
    match &query.range.1 {
        Bound::Unbounded => {}
        Bound::Included(value) => ends.to(behind(value), true),
        Bound::Excluded(value) => ends.to(key::value(value), true),
    }
    if let Some(after) = &query.after {
        let place = key::place(&after.value, &after.id);
        match query.descending {
            false => ends.from(place, true),
            true => ends.to(place, true),
        }
    }
    ends.condition()
}

/// What holds of documents that have not expired.
pub(crate) fn live(now: outrigger_kernel::Timestamp) -> Document {
    doc! { "$gt": now.as_micros() }
}
