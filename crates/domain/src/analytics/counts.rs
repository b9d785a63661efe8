//! Numbers by quarter of an hour.

use serde::{Deserialize, Serialize};

/// A quarter of an hour, in seconds: the largest time that the offset of every zone is a multiple of.
pub(super) const QUARTER_S: i64 = 900;
/// Quarters of a day in UTC.
pub(super) const DAY: i64 = 96;

/// How many there were in each quarter of a day (0 to 95), where there were some.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub(super) struct Quarters(Vec<(u8, u64)>);

impl Quarters {
    /// Adds so many to one quarter.
    pub(super) fn add(&mut self, quarter: u8, count: u64) {
        match self.0.binary_search_by_key(&quarter, |(known, _)| *known) {
            Ok(place) => self.0[place].1 += count,
            Err(place) => self.0.insert(place, (quarter, count)),
        }
    }

    /// Adds all of another day's part.
    pub(super) fn add_all(&mut self, others: &Self) {
        for (quarter, count) in others.iter() {
            self.add(quarter, count);
        }
    }

    /// The quarters where there were some, in their order.
    pub(super) fn iter(&self) -> impl Iterator<Item = (u8, u64)> + '_ {
        self.0.iter().copied()
    }
}

/// The day of a quarter since the epoch, and its place in it.
pub(super) fn day_of(quarter: i64) -> (i64, u8) {
    (quarter.div_euclid(DAY), u8::try_from(quarter.rem_euclid(DAY)).unwrap_or(0))
}
