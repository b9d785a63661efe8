//! The store that an archive goes into: whether it may, and what is there.

use std::collections::VecDeque;

use bytes::Bytes;
use outrigger_kernel::Timestamp;
use outrigger_ports::store::{Document, Key, Precondition, Scanned, Store, Write, pieces};
use serde::{Deserialize, Serialize};

use crate::digest::Sum;
use crate::error::ArchiveError;
use crate::export::PAGE;
use crate::settle::{persist, settle};
use crate::{LEFT_OUT, Step, Watch, line};

/// The collection of the mark that an import leaves until it has come to its end.
pub(crate) const MARKS: &str = "sys.imports";
/// Most deletes of a batch.
const DELETES: usize = 20;

/// How far an import is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Mark {
    /// The checksum of the archive's header.
    pub(crate) archive: String,
    /// What was there is gone.
    pub(crate) emptied: bool,
}

pub(crate) fn mark_key() -> Key {
    Key::new(MARKS, "current")
}

/// The mark of an import that has not come to its end.
pub(crate) async fn mark(store: &dyn Store) -> Result<Option<Mark>, ArchiveError> {
    let key = mark_key();
    let found = persist(async || store.get(&key).await).await?;
    Ok(found.and_then(|document| serde_json::from_slice(&document.body).ok()))
}

/// Leaves the mark.
pub(crate) async fn set_mark(store: &dyn Store, mark: &Mark) -> Result<(), ArchiveError> {
    let write = Write::Put {
        key: mark_key(),
        body: Bytes::from(line::to_json(mark)),
        entries: Vec::new(),
        expires_at: None,
        precondition: Precondition::Any,
    };
    settle(store, vec![write]).await.map(drop)
}

/// Takes the mark away.
pub(crate) async fn remove_mark(store: &dyn Store) -> Result<(), ArchiveError> {
    settle(store, vec![delete(mark_key())]).await.map(drop)
}

pub(crate) fn delete(key: Key) -> Write {
    Write::Delete { key, precondition: Precondition::Any }
}

/// Whether the document belongs into an archive.
pub(crate) fn is_kept(key: &Key) -> bool {
    let collection = key.collection.as_str();
    collection != MARKS && !LEFT_OUT.contains(&collection)
}

/// The first document that an archive would overwrite.
pub(crate) async fn occupant(store: &dyn Store) -> Result<Option<Key>, ArchiveError> {
    let mut all = All::of(store);
    while let Some(scanned) = all.next().await? {
        if is_kept(&scanned.document.key) {
            return Ok(Some(scanned.document.key));
        }
    }
    Ok(None)
}

/// Deletes all documents but the mark.
pub(crate) async fn empty(store: &dyn Store, watch: Watch<'_>) -> Result<(), ArchiveError> {
    let mut documents = 0;
    let mut last: Option<Key> = None;
    loop {
        let page = persist(async || store.scan(last.as_ref(), PAGE).await).await?;
        let Some(end) = page.last() else { return Ok(()) };
        last = Some(end.document.key.clone());
        let collection = &end.document.key.collection;
        let is_last = page.len() < PAGE;
        documents += page.len() as u64;
        watch(&Step { doing: "emptying", documents, of: None, collection });
        let keys = page.iter().map(|scanned| scanned.document.key.clone());
        let gone = keys.filter(|key| *key != mark_key()).map(delete);
        for batch in pieces(gone, DELETES, |_| 0) {
            settle(store, batch).await?;
        }
        if is_last {
            return Ok(());
        }
    }
}

/// What counts when the store is compared with the archive: documents that do not go away by
/// themselves before `horizon`.
pub(crate) fn counts(document: &Document, horizon: Timestamp) -> bool {
    document.expires_at.is_none_or(|at| at > horizon)
}

/// The sum of all documents that belong into an archive and count.
pub(crate) async fn sum(
    store: &dyn Store,
    horizon: Timestamp,
    of: u64,
    watch: Watch<'_>,
) -> Result<Sum, ArchiveError> {
    let mut sum = Sum::default();
    let mut all = All::of(store);
    let mut documents: u64 = 0;
    while let Some(scanned) = all.next().await? {
        documents += 1;
        if documents.is_multiple_of(PAGE as u64) {
            let collection = &scanned.document.key.collection;
            watch(&Step { doing: "comparing", documents, of: Some(of), collection });
        }
        if is_kept(&scanned.document.key) && counts(&scanned.document, horizon) {
            sum.add(&line::of_document(&scanned));
        }
    }
    Ok(sum)
}

/// All documents of the store one after the other.
pub(crate) struct All<'a> {
    store: &'a dyn Store,
    page: VecDeque<Scanned>,
    last: Option<Key>,
    is_over: bool,
}

impl<'a> All<'a> {
    pub(crate) fn of(store: &'a dyn Store) -> Self {
        Self { store, page: VecDeque::new(), last: None, is_over: false }
    }

    /// The one that comes next.
    pub(crate) async fn peek(&mut self) -> Result<Option<&Scanned>, ArchiveError> {
        if self.page.is_empty() && !self.is_over {
            let after = self.last.as_ref();
            self.page = persist(async || self.store.scan(after, PAGE).await).await?.into();
            self.is_over = self.page.len() < PAGE;
            self.last = self.page.back().map(|scanned| scanned.document.key.clone());
        }
        Ok(self.page.front())
    }

    /// Goes on.
    pub(crate) async fn next(&mut self) -> Result<Option<Scanned>, ArchiveError> {
        self.peek().await?;
        Ok(self.page.pop_front())
    }
}
