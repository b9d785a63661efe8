//! Pages of documents in an order.
//!
//! An index entry says where a document stands and nothing more, so a page of an index is two
//! questions: for entries, and for the documents that they lead to. A document says itself which
//! entries it has, and only that counts: an entry that its document does not have (any more, or not
//! yet) leads nowhere, and a document that moved in between stands where it says.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use outrigger_kernel::Timestamp;
use outrigger_ports::store::{Document, Entry, Found, Key, Order, Position, Query, StoreError};

use crate::batch_get::{self, How};
use crate::item::{self, Item, Stamp, Stored};
use crate::key::{self, ItemKey};
use crate::link::Link;
use crate::meter::Call;
use crate::reading::Reading;
use crate::repair;
use crate::span::{Span, is_inside};

/// The documents that the query asks for.
pub(crate) async fn run(
    link: &Arc<Link>,
    query: &Query<'_>,
    now: Timestamp,
) -> Result<Vec<Found>, StoreError> {
    let (partition, index) = match query.order {
        Order::Id => (key::documents(query.collection), None),
        Order::Index(name) => (key::entries(query.collection, name, false), Some((name, false))),
        Order::Unique(name) => (key::entries(query.collection, name, true), Some((name, true))),
    };
    let reading = Reading {
        call: Call::Query,
        partition,
        span: Span::of(query),
        descending: query.descending,
        may_lag: query.may_lag,
    };
    match index {
        None => by_id(link, query, &reading, now).await,
        Some((name, unique)) => {
            let found = Placed::default();
            Pages { link, query, name, unique, now, found }.read(&reading).await
        }
    }
}

async fn by_id(
    link: &Link,
    query: &Query<'_>,
    reading: &Reading,
    now: Timestamp,
) -> Result<Vec<Found>, StoreError> {
    let mut found = Vec::new();
    let mut start = None;
    loop {
        // The place after which it goes on may be among what is read.
        let limit = query.limit - found.len() + usize::from(query.after.is_some());
        let (items, next) = reading.page(link, limit, start).await?;
        for item in items {
            let Some(document) = live(item, query.collection, now)? else { continue };
            let position = Position { value: Vec::new(), id: document.key.id.clone() };
            if is_inside(query, &position) && found.len() < query.limit {
                found.push(Found { position, document });
            }
        }
        start = next;
        if start.is_none() || found.len() == query.limit {
            return Ok(found);
        }
    }
}

/// The document in this item, if it has not expired.
pub(crate) fn live(
    item: Item,
    collection: &str,
    now: Timestamp,
) -> Result<Option<Document>, StoreError> {
    let key = ItemKey::of(&item).ok_or_else(|| item::broken("sk"))?;
    let id = String::from_utf8(key.sk).map_err(|_| item::broken("sk"))?;
    let stored = Stored::of(item)?;
    Ok(stored.is_live(now).then(|| stored.document(Key::new(collection, id))))
}

/// Found documents, each once.
#[derive(Debug, Default)]
struct Placed {
    by_place: BTreeMap<Position, Document>,
    by_id: HashMap<String, Position>,
}

impl Placed {
    /// What was read later of a document is what counts.
    fn put(&mut self, position: Position, document: Document) {
        if let Some(before) = self.by_id.insert(position.id.clone(), position.clone()) {
            self.by_place.remove(&before);
        }
        self.by_place.insert(position, document);
    }

    /// Where something stands up to a place in the asked direction; everywhere, if there is none.
    fn seen<'a>(
        &'a self,
        last: Option<&'a Position>,
        query: &'a Query<'_>,
    ) -> impl DoubleEndedIterator<Item = (&'a Position, &'a Document)> {
        self.by_place.iter().filter(move |(position, _)| match last {
            None => true,
            Some(last) if query.descending => *position >= last,
            Some(last) => *position <= last,
        })
    }

    /// The documents there, in the asked order.
    fn up_to(&self, last: Option<&Position>, query: &Query<'_>) -> Vec<Found> {
        let found = self.seen(last, query);
        let found: Vec<_> = match query.descending {
            true => found.rev().take(query.limit).collect(),
            false => found.take(query.limit).collect(),
        };
        let owned = |(position, document): (&Position, &Document)| Found {
            position: position.clone(),
            document: document.clone(),
        };
        found.into_iter().map(owned).collect()
    }
}

/// A page of an index that is being read.
struct Pages<'a> {
    link: &'a Arc<Link>,
    query: &'a Query<'a>,
    name: &'a str,
    unique: bool,
    now: Timestamp,
    found: Placed,
}

impl Pages<'_> {
    async fn read(mut self, reading: &Reading) -> Result<Vec<Found>, StoreError> {
        let (mut start, mut seen) = (None, 0);
        loop {
            // The place after which it goes on may be among what is read.
            let limit = self.query.limit - seen + usize::from(self.query.after.is_some());
            let (items, next) = reading.page(self.link, limit, start).await?;
            self.follow(&items).await?;
            if next.is_none() {
                return Ok(self.found.up_to(None, self.query));
            }
            // What moved further on than this may yet move again before it is read.
            let last = items.last().and_then(|item| self.position(item));
            seen = self.found.seen(last.as_ref(), self.query).count();
            if seen >= self.query.limit {
                return Ok(self.found.up_to(last.as_ref(), self.query));
            }
            start = next;
        }
    }

    fn position(&self, item: &Item) -> Option<Position> {
        let (value, id) = item::place(item, self.unique)?;
        Some(Position { value, id })
    }

    /// Reads the documents that the entries lead to.
    async fn follow(&mut self, entries: &[Item]) -> Result<(), StoreError> {
        let positions: Vec<(Position, &Item)> = entries
            .iter()
            .map(|item| Some((self.position(item)?, item)))
            .collect::<Option<_>>()
            .ok_or_else(|| item::broken("sk"))?;
        let key = |id: &str| Key::new(self.query.collection, id);
        let keys: Vec<Key> = positions.iter().map(|(position, _)| key(&position.id)).collect();
        let may_lag = self.query.may_lag;
        let how = How { call: Call::Query, may_lag, with_body: true };
        let documents = batch_get::documents(self.link, &keys, how).await?;
        for ((position, item), key) in positions.into_iter().zip(keys) {
            let stored = documents.get(&ItemKey::document(&key));
            let listed = stored.and_then(|stored| stored.entry(self.name, self.unique));
            let is_there = listed.is_some_and(|listed| listed.entry.value == position.value);
            if !is_there && !may_lag {
                self.repair(&key, position, item);
            }
            let (Some(stored), Some(listed)) = (stored, listed) else { continue };
            let position = Position { value: listed.entry.value.clone(), id: key.id.clone() };
            if stored.is_live(self.now) && is_inside(self.query, &position) {
                self.found.put(position, stored.clone().document(key));
            }
        }
        Ok(())
    }

    /// An entry that leads nowhere, and has for a while, is taken away in the background.
    fn repair(&self, key: &Key, position: Position, item: &Item) {
        let written = item::number(item, "w").map(Timestamp::from_micros);
        let Some(stamp) = Stamp::of(item) else { return };
        if written.is_none_or(|at| at.plus(repair::AFTER) >= self.now) {
            return;
        }
        let index = self.name.to_owned();
        let entry = Entry { index, value: position.value, unique: self.unique };
        let (link, key) = (Arc::clone(self.link), key.clone());
        tokio::spawn(async move {
            if let Err(error) = repair::remove(&link, &key, &entry, stamp).await {
                tracing::debug!(%error, "an index entry that leads nowhere was not removed");
            }
        });
    }
}
