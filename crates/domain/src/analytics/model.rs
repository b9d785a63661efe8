//! What is kept of events.

use std::collections::{BTreeMap, BTreeSet};

use aws_lc_rs::digest::{Context, SHA256};
use outrigger_kernel::{Timestamp, id};
use outrigger_ports::collection::Entity;
use serde::{Deserialize, Serialize};

use super::counts::Quarters;

/// The name under which events are counted whose own had no place any more; no event can be sent with it.
pub(super) const OTHER: &str = "(other)";
/// The id of the one journal.
pub(super) const JOURNAL_ID: &str = "journal";

/// That an event was taken, under its id; the document says nothing else.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Known {
    #[serde(skip)]
    pub(super) until: Option<Timestamp>,
}

impl Entity for Known {
    const COLLECTION: &'static str = "sys.event_ids";
    const NAME: &'static str = "event";

    fn expires_at(&self) -> Option<Timestamp> {
        self.until
    }
}

/// An event that waits to be counted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Waiting {
    pub(super) name: String,
    /// The quarter of an hour in which it happened, since the epoch.
    pub(super) quarter: i64,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(super) properties: BTreeMap<String, String>,
}

/// Events that were taken together. It is deleted when all of them have been counted, and never
/// changed or deleted otherwise.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Chunk {
    pub(super) taken_at: Timestamp,
    pub(super) events: Vec<Waiting>,
}

impl Entity for Chunk {
    const COLLECTION: &'static str = "sys.event_chunks";
    const NAME: &'static str = "chunk of events";
}

/// Which chunks are being counted. If one of them is gone, all of them have been counted.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Journal {
    /// One more each time.
    pub(super) number: u64,
    pub(super) chunks: Vec<String>,
    /// The process that does it...
    pub(super) by: String,
    /// ...and until when others leave it alone.
    pub(super) until: Timestamp,
}

impl Entity for Journal {
    const COLLECTION: &'static str = "sys.event_journal";
    const NAME: &'static str = "journal of events";
}

/// A document of counts: it says which number of the journal was added last.
pub(super) trait Counted: Entity {
    /// The last number that was added.
    fn number(&self) -> u64;
    /// Says that this one was.
    fn set_number(&mut self, number: u64);
}

macro_rules! counted {
    ($($entity:ident in $collection:literal, $name:literal);+ $(;)?) => { $(
        impl Entity for $entity {
            const COLLECTION: &'static str = $collection;
            const NAME: &'static str = $name;

            fn expires_at(&self) -> Option<Timestamp> {
                Some(self.expires_at)
            }
        }

        impl Counted for $entity {
            fn number(&self) -> u64 {
                self.number
            }

            fn set_number(&mut self, number: u64) {
                self.number = number;
            }
        }
    )+ };
}

counted! {
    Day in "sys.event_days", "day of events";
    Total in "sys.event_totals", "day of an event";
    Group in "sys.event_groups", "day of a property of an event";
    Name in "sys.event_names", "name of an event";
}

/// The names that are counted apart on one day.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Day {
    pub(super) number: u64,
    pub(super) names: BTreeSet<String>,
    pub(super) expires_at: Timestamp,
}

/// The events of one name on one day.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Total {
    pub(super) number: u64,
    pub(super) name: String,
    pub(super) day: i64,
    pub(super) counts: Quarters,
    /// The properties by which they are counted apart...
    pub(super) properties: BTreeSet<String>,
    /// ...and whether there were more of them.
    pub(super) has_more: bool,
    pub(super) expires_at: Timestamp,
}

/// The events of one name on one day by the values of one property.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Group {
    pub(super) number: u64,
    pub(super) name: String,
    pub(super) property: String,
    pub(super) day: i64,
    pub(super) values: BTreeMap<String, Quarters>,
    /// Those of all further values.
    pub(super) other: Quarters,
    pub(super) expires_at: Timestamp,
}

/// A name of events that were counted, under the name itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Name {
    pub(super) number: u64,
    /// The last day on which there were some.
    pub(super) day: i64,
    /// By which they can be grouped on that day.
    pub(super) properties: BTreeSet<String>,
    pub(super) expires_at: Timestamp,
}

/// The id of the names of a day.
pub(super) fn day_id(day: i64) -> String {
    format!("{day:08}")
}

/// The id of what is counted of a name, or of one of its properties, on a day; ids of one series sort
/// by day.
pub(super) fn series_id(name: &str, property: Option<&str>, day: i64) -> String {
    let mut context = Context::new(&SHA256);
    context.update(name.as_bytes());
    context.update(&[0]);
    context.update(property.unwrap_or_default().as_bytes());
    let digest = context.finish();
    format!("{}.{}", id::hex(&digest.as_ref()[..16]), day_id(day))
}
