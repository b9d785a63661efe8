//! When a schedule ticks: a cron expression in a time zone.
//!
//! # Daylight saving
//!
//! A schedule that names hours (`30 2 * * *`) follows the clock on the wall: a tick at a local time
//! that does not exist comes once, at the end of the gap, and one at a local time that exists twice
//! comes once, the first time. A schedule for every hour (`*/10 * * * *`) follows the time that
//! passes: it goes on through the hour that comes twice, and has nothing to make up for after a gap.

use croner::Cron;
use croner::parser::{CronParser, Seconds, Year};
use jiff::civil::DateTime;
use jiff::tz::{AmbiguousOffset, TimeZone};
use outrigger_kernel::{Error, Result, Timestamp, limits};
use std::collections::VecDeque;

/// The first stretch of time in which ticks are looked for, in seconds; each further one is four
/// times as long.
const STRETCH_S: i64 = 100;

/// A cron expression in a time zone.
#[derive(Clone, Debug)]
pub(super) struct Timing {
    cron: Cron,
    zone: TimeZone,
    /// Ticks in every hour of its days.
    every_hour: bool,
}

impl Timing {
    /// Reads both.
    ///
    /// # Errors
    /// `invalid` at `body.cron` or `body.time_zone`.
    pub(super) fn new(cron: &str, time_zone: &str) -> Result<Self> {
        let zone = zone(time_zone)?;
        let fields: Vec<&str> = cron.split_ascii_whitespace().collect();
        if !matches!(fields.len(), 5 | 6) || cron.len() > limits::CRON_BYTES_MAX {
            let most = limits::CRON_BYTES_MAX;
            return Err(bad_cron(&format!(
                "5 fields (minute, hour, day of month, month, day of week), or 6 with the second \
                 first, in at most {most} bytes"
            )));
        }
        if fields.iter().any(|field| field.split(',').any(str::is_empty)) {
            return Err(bad_cron("an item of a list is empty"));
        }
        let every_hour = matches!(fields[fields.len() - 4], "*" | "?");
        let parser = CronParser::builder().seconds(Seconds::Optional).year(Year::Disallowed);
        let parsed = parser.build().parse(&fields.join(" "));
        let cron = parsed.map_err(|error| bad_cron(&sentence(&error.to_string())))?;
        Ok(Self { cron, zone, every_hour })
    }

    /// The first tick after this instant; `None` when there is none any more.
    pub(super) fn next(&self, after: Timestamp) -> Option<Timestamp> {
        let after = jiff::Timestamp::from_second(after.as_secs()).ok()?;
        let next = if self.every_hour { self.passing(after) } else { self.on_the_wall(after) };
        next.map(|next| Timestamp::from_secs(next.as_second()))
    }

    /// The ticks from `first` on, up to now: the last ones, at most [`limits::CATCH_UP_MAX`].
    pub(super) fn due(&self, first: Timestamp, now: Timestamp) -> Vec<Timestamp> {
        let mut stretch = STRETCH_S;
        loop {
            let start = Timestamp::from_secs(now.as_secs().saturating_sub(stretch)).max(first);
            let mut found = VecDeque::new();
            let mut after = Timestamp::from_secs(start.as_secs() - 1);
            while let Some(tick) = self.next(after).filter(|tick| *tick <= now) {
                if tick >= first {
                    found.push_back(tick);
                }
                if found.len() > limits::CATCH_UP_MAX {
                    found.pop_front();
                }
                after = tick;
            }
            if found.len() >= limits::CATCH_UP_MAX || start == first {
                return found.into();
            }
            stretch = stretch.saturating_mul(4);
        }
    }

    /// The next tick of a schedule that names hours.
    fn on_the_wall(&self, after: jiff::Timestamp) -> Option<jiff::Timestamp> {
        let mut local = self.zone.to_datetime(after);
        loop {
            local = self.local(local, false)?;
            let at = self.instant(local)?;
            // Those of the second time that an hour comes were there the first time.
            if at > after {
                return Some(at);
            }
        }
    }

    /// The next tick of a schedule for every hour: between two changes of the zone's offset, local
    /// time is time that passes.
    fn passing(&self, after: jiff::Timestamp) -> Option<jiff::Timestamp> {
        let (mut from, mut inclusive) = (after, false);
        loop {
            let offset = self.zone.to_offset(from);
            let local = self.local(offset.to_datetime(from), inclusive)?;
            let at = offset.to_timestamp(local).ok()?;
            match self.zone.following(from).next() {
                Some(change) if change.timestamp() <= at => from = change.timestamp(),
                _ => return Some(at),
            }
            inclusive = true;
        }
    }

    /// The next local time that the expression names, whether it exists or not.
    fn local(&self, after: DateTime, inclusive: bool) -> Option<DateTime> {
        let plain = after.to_zoned(TimeZone::UTC).ok()?;
        let next = self.cron.find_next_occurrence(&plain, inclusive).ok()?;
        Some(next.datetime())
    }

    /// When this local time is: the first time, or at the end of the gap that swallows it.
    fn instant(&self, local: DateTime) -> Option<jiff::Timestamp> {
        match self.zone.to_ambiguous_timestamp(local).offset() {
            AmbiguousOffset::Unambiguous { offset } => offset.to_timestamp(local).ok(),
            AmbiguousOffset::Fold { before, .. } => before.to_timestamp(local).ok(),
            AmbiguousOffset::Gap { after, .. } => {
                let before_the_gap = after.to_timestamp(local).ok()?;
                Some(self.zone.following(before_the_gap).next()?.timestamp())
            }
        }
    }
}

/// The zone of this name, from the tables in the binary: the same on every machine of a fleet.
fn zone(name: &str) -> Result<TimeZone> {
    crate::zone::find(name).ok_or_else(|| {
        let message = "no such time zone; give a name such as Europe/Berlin, Asia/Manila or UTC";
        Error::invalid(&["body", "time_zone"], "unknown_time_zone", message)
    })
}

pub(super) fn bad_cron(message: &str) -> Error {
    Error::invalid(&["body", "cron"], "invalid_cron", message)
}

/// The words of the parser in the form of ours.
fn sentence(text: &str) -> String {
    let text = text.trim_end_matches('.');
    let text = text.rsplit_once(": ").map_or(text, |(_, words)| words);
    let mut letters = text.chars();
    letters.next().map_or_else(String::new, |first| first.to_lowercase().chain(letters).collect())
}
