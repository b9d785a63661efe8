//! A batch as the arrays that the commit function takes.

use outrigger_kernel::Timestamp;
use outrigger_ports::store::{Batch, Document, Entry, Precondition, Write};

/// The arguments of `outrigger_commit_v1` and `outrigger_restore_v1` but the time; one element for each write, except for
/// the entries.
#[derive(Debug, Default)]
pub(super) struct Arrays<'a> {
    pub(super) kinds: Vec<i16>,
    pub(super) lock_order: Vec<i32>,
    pub(super) collections: Vec<&'a str>,
    pub(super) ids: Vec<&'a str>,
    pub(super) wants: Vec<i64>,
    pub(super) bodies: Vec<Option<&'a [u8]>>,
    pub(super) expiries: Vec<Option<i64>>,
    /// The versions of what is restored.
    pub(super) versions: Vec<Option<i64>>,
    pub(super) entry_from: Vec<i32>,
    pub(super) entry_to: Vec<i32>,
    pub(super) entries: Entries<'a>,
}

/// Entries as three arrays.
#[derive(Debug, Default)]
pub(super) struct Entries<'a> {
    pub(super) names: Vec<&'a str>,
    pub(super) values: Vec<&'a [u8]>,
    pub(super) uniques: Vec<bool>,
}

impl<'a> Entries<'a> {
    /// Adds the entries of a document.
    pub(super) fn extend(&mut self, entries: &'a [Entry]) {
        for entry in entries {
            self.names.push(&entry.index);
            self.values.push(&entry.value);
            self.uniques.push(entry.unique);
        }
    }
}

/// A number of the batch's parts, which are few (limits of the port).
pub(super) fn number(count: usize) -> i32 {
    i32::try_from(count).unwrap_or(i32::MAX)
}

fn want(precondition: Precondition) -> i64 {
    match precondition {
        Precondition::Any => -1,
        Precondition::Exists => -2,
        Precondition::Absent => 0,
        // No document has such a version, so nothing equals it.
        Precondition::Version(version) => {
            i64::try_from(version).ok().filter(|version| *version > 0).unwrap_or(-3)
        }
    }
}

impl<'a> Arrays<'a> {
    pub(super) fn of(batch: &'a Batch) -> Self {
        let mut arrays = Self::default();
        for write in &batch.writes {
            let (kind, body, expires_at) = match write {
                Write::Put { body, expires_at, .. }
                | Write::Restore { document: Document { body, expires_at, .. }, .. } => {
                    (0, Some(&body[..]), *expires_at)
                }
                Write::Reindex { .. } => (1, None, None),
                Write::Delete { .. } => (2, None, None),
                Write::Check { .. } => (3, None, None),
            };
            let version = match write {
                Write::Restore { document, .. } => Some(document.version.cast_signed()),
                _ => None,
            };
            arrays.kinds.push(kind);
            arrays.versions.push(version);
            arrays.collections.push(&write.key().collection);
            arrays.ids.push(&write.key().id);
            arrays.wants.push(want(write.precondition()));
            arrays.bodies.push(body);
            arrays.expiries.push(expires_at.map(Timestamp::as_micros));
            arrays.entry_from.push(number(arrays.entries.names.len() + 1));
            arrays.entries.extend(write.entries());
            arrays.entry_to.push(number(arrays.entries.names.len()));
        }
        let mut order: Vec<usize> = (0..batch.writes.len()).collect();
        order.sort_unstable_by_key(|write| batch.writes[*write].key());
        arrays.lock_order = order.into_iter().map(|write| number(write + 1)).collect();
        arrays
    }
}
