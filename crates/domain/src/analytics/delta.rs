//! Adding chunks to the documents of counts.

use std::collections::{BTreeMap, BTreeSet};

use outrigger_kernel::{Error, Result, Timestamp, limits};
use outrigger_ports::collection::{Collection, decode};
use outrigger_ports::store::{Batch, Precondition, StoreError, Write, pieces};

use super::counts::{DAY, QUARTER_S, Quarters, day_of};
use super::model::{Chunk, Counted, Day, Group, Name, OTHER, Total, day_id, series_id};
use super::service::Analytics;

/// How often documents are tried that another process changes at the same time.
const TRIES: usize = 20;

/// What chunks add to the events of one name on one day.
#[derive(Debug, Default)]
struct Added {
    counts: Quarters,
    /// By property and value.
    properties: BTreeMap<String, BTreeMap<String, Quarters>>,
}

/// The same by day and name.
type Delta = BTreeMap<(i64, String), Added>;

fn delta<'a>(chunks: impl IntoIterator<Item = &'a Chunk>) -> Delta {
    let mut delta = Delta::new();
    for event in chunks.into_iter().flat_map(|chunk| &chunk.events) {
        let (day, quarter) = day_of(event.quarter);
        let added = delta.entry((day, event.name.clone())).or_default();
        added.counts.add(quarter, 1);
        for (property, value) in &event.properties {
            let values = added.properties.entry(property.clone()).or_default();
            values.entry(value.clone()).or_default().add(quarter, 1);
        }
    }
    delta
}

/// A document of counts that is to be changed.
struct Change<T, D> {
    id: String,
    /// What it is when it is not there yet.
    empty: T,
    added: D,
}

impl Analytics {
    /// Adds these chunks, once, however often and by however many it is done under this number of the
    /// journal.
    pub(super) async fn add(&self, number: u64, chunks: &[&Chunk]) -> Result<()> {
        let delta = self.name(number, delta(chunks.iter().copied())).await?;
        let totals: Vec<_> =
            delta.into_iter().map(|((day, name), added)| self.total(day, name, added)).collect();
        let totals = self.change(number, totals, add_total).await?;
        // Those of the last day of each name.
        let last: BTreeMap<&str, &Total> =
            totals.iter().map(|(total, _)| (total.name.as_str(), total)).collect();
        let names = last.values().filter(|total| total.name != OTHER);
        self.change(number, names.map(|total| known(total)).collect(), note_name).await?;
        let groups = totals.into_iter().flat_map(|(total, added)| groups_of(total, added));
        self.change(number, groups.collect(), add_values).await?;
        Ok(())
    }

    /// Gives names that have no place on their day any more the common one.
    async fn name(&self, number: u64, delta: Delta) -> Result<Delta> {
        let mut days: BTreeMap<i64, Vec<String>> = BTreeMap::new();
        for (day, name) in delta.keys() {
            days.entry(*day).or_default().push(name.clone());
        }
        let changes = days.into_iter().map(|(day, added)| {
            let empty = Day { number: 0, names: BTreeSet::new(), expires_at: self.end_of(day) };
            Change { id: day_id(day), empty, added: (day, added) }
        });
        let days = self.change(number, changes.collect(), add_names).await?;
        let days: BTreeMap<i64, Day> = days.into_iter().map(|(doc, (day, _))| (day, doc)).collect();
        let mut named = Delta::new();
        for ((day, name), added) in delta {
            let has_place = days.get(&day).is_some_and(|day| day.names.contains(&name));
            if has_place {
                named.insert((day, name), added);
            } else {
                named.entry((day, OTHER.to_owned())).or_default().counts.add_all(&added.counts);
            }
        }
        Ok(named)
    }

    fn total(&self, day: i64, name: String, added: Added) -> Change<Total, Added> {
        let empty = Total {
            number: 0,
            day,
            counts: Quarters::default(),
            properties: BTreeSet::new(),
            has_more: false,
            expires_at: self.end_of(day),
            name,
        };
        Change { id: series_id(&empty.name, None, day), empty, added }
    }

    /// Changes these documents, each once under this number; gives them as they are then, with what
    /// was to be added. `change` says whether it has changed anything.
    async fn change<T: Counted + Clone, D>(
        &self,
        number: u64,
        mut changes: Vec<Change<T, D>>,
        change: fn(&mut T, &D) -> bool,
    ) -> Result<Vec<(T, D)>> {
        let mut changed = Vec::with_capacity(changes.len());
        while !changes.is_empty() {
            let rest = changes.split_off(changes.len().min(limits::BATCH_MAX));
            let piece = std::mem::replace(&mut changes, rest);
            let documents = self.change_piece(number, &piece, change).await?;
            changed.extend(documents.into_iter().zip(piece.into_iter().map(|piece| piece.added)));
        }
        Ok(changed)
    }

    async fn change_piece<T: Counted + Clone, D>(
        &self,
        number: u64,
        piece: &[Change<T, D>],
        change: fn(&mut T, &D) -> bool,
    ) -> Result<Vec<T>> {
        let keys: Vec<_> = piece.iter().map(|one| Collection::<T>::key(&one.id)).collect();
        for _ in 0..TRIES {
            let found = self.store.get_many(&keys).await?;
            let mut documents = Vec::with_capacity(piece.len());
            let mut writes = Vec::new();
            for (one, found) in piece.iter().zip(found) {
                let (mut document, expected) = match found.map(decode::<T>).transpose()? {
                    Some(found) => (found.value, Precondition::Version(found.version)),
                    None => (one.empty.clone(), Precondition::Absent),
                };
                if document.number() < number && change(&mut document, &one.added) {
                    document.set_number(number);
                    writes.push(Collection::put(&one.id, &document, expected)?);
                }
                documents.push(document);
            }
            if self.commit_all(writes).await? {
                return Ok(documents);
            }
        }
        Err(Error::conflict("concurrent_change", "the counts are changed by others all the time"))
    }

    /// Commits these, in as many batches as they need; says whether nobody was quicker.
    async fn commit_all(&self, writes: Vec<Write>) -> Result<bool> {
        for piece in pieces(writes, limits::BATCH_MAX, Write::body_bytes) {
            match self.store.commit(Batch::of(piece)).await {
                Ok(_) => {}
                Err(StoreError::Precondition { .. }) => return Ok(false),
                Err(error) => return Err(error.into()),
            }
        }
        Ok(true)
    }

    /// When the counts of a day are gone.
    fn end_of(&self, day: i64) -> Timestamp {
        Timestamp::from_secs((day + 1) * DAY * QUARTER_S).plus(self.settings.retention)
    }
}

/// That there are events of this name.
fn known(total: &Total) -> Change<Name, Total> {
    let empty = Name {
        number: 0,
        day: i64::MIN,
        properties: BTreeSet::new(),
        expires_at: total.expires_at,
    };
    Change { id: total.name.clone(), empty, added: total.clone() }
}

/// Adds to the values of the properties by which the events are counted apart.
fn groups_of(total: Total, added: Added) -> Vec<Change<Group, BTreeMap<String, Quarters>>> {
    let Total { name, day, properties, expires_at, .. } = total;
    let tracked = added.properties.into_iter().filter(|(name, _)| properties.contains(name));
    let changes = tracked.map(|(property, added)| {
        let id = series_id(&name, Some(&property), day);
        let (values, other) = (BTreeMap::new(), Quarters::default());
        let name = name.clone();
        let empty = Group { number: 0, name, property, day, values, other, expires_at };
        Change { id, empty, added }
    });
    changes.collect()
}

fn add_names(day: &mut Day, (_, names): &(i64, Vec<String>)) -> bool {
    let before = day.names.len();
    for name in names {
        if day.names.len() < limits::EVENT_NAMES_MAX {
            day.names.insert(name.clone());
        }
    }
    day.names.len() > before
}

fn add_total(total: &mut Total, added: &Added) -> bool {
    total.counts.add_all(&added.counts);
    for property in added.properties.keys() {
        if total.properties.len() < limits::EVENT_PROPERTIES_MAX {
            total.properties.insert(property.clone());
        } else {
            total.has_more |= !total.properties.contains(property);
        }
    }
    true
}

fn note_name(name: &mut Name, total: &Total) -> bool {
    let is_new = total.day > name.day
        || total.day == name.day && total.properties.len() > name.properties.len();
    if is_new {
        name.day = total.day;
        name.properties.clone_from(&total.properties);
        name.expires_at = total.expires_at;
    }
    is_new
}

fn add_values(group: &mut Group, added: &BTreeMap<String, Quarters>) -> bool {
    for (value, counts) in added {
        let has_room = group.values.len() < limits::EVENT_VALUES_MAX;
        match group.values.get_mut(value) {
            Some(known) => known.add_all(counts),
            None if has_room => {
                group.values.insert(value.clone(), counts.clone());
            }
            None => group.other.add_all(counts),
        }
    }
    true
}
