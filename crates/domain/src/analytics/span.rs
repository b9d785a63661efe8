//! The hours or days of a time zone, as quarters of an hour in UTC.
//!
//! A day is from one midnight to the next (23 or 25 hours where clocks are changed), or from when it begins
//! where there is no midnight. An hour ends at the full hour of the zone, and where its offset changes.

use jiff::Zoned;
use jiff::tz::TimeZone;
use outrigger_kernel::{Error, Result, Timestamp, limits};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::counts::QUARTER_S;

/// What is counted together.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Interval {
    /// The hours of the time zone.
    Hour,
    /// The days of the time zone.
    Day,
}

/// Intervals that follow each other.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Span {
    /// The quarters since the epoch with which they begin, and at last the one with which the last
    /// one ends.
    bounds: Vec<i64>,
}

impl Span {
    /// The intervals in which `from` and what follows until `to` lie.
    ///
    /// # Errors
    /// `invalid` when there are too many, or none.
    pub(super) fn new(
        interval: Interval,
        zone: &TimeZone,
        from: Timestamp,
        to: Timestamp,
    ) -> Result<Self> {
        if from >= to {
            let message = "this must be later than from";
            return Err(Error::invalid(&["query", "to"], "range", message));
        }
        let from = jiff::Timestamp::from_second(from.as_secs()).map_err(|_| out_of_range())?;
        let end = (to.as_micros() - 1).div_euclid(QUARTER_S * 1_000_000) + 1;
        let bounds = match interval {
            Interval::Hour => hours(zone, from, end)?,
            Interval::Day => days(zone, from, end)?,
        };
        Ok(Self { bounds })
    }

    /// How many there are.
    pub(super) fn len(&self) -> usize {
        self.bounds.len() - 1
    }

    /// The first quarter, and the one after the last.
    pub(super) fn ends(&self) -> (i64, i64) {
        (self.bounds[0], self.bounds[self.len()])
    }

    /// When each of them begins.
    pub(super) fn starts(&self) -> impl Iterator<Item = Timestamp> + '_ {
        self.bounds[..self.len()].iter().map(|quarter| Timestamp::from_secs(quarter * QUARTER_S))
    }

    /// In which of them a quarter lies.
    pub(super) fn place(&self, quarter: i64) -> Option<usize> {
        let after = self.bounds.partition_point(|bound| *bound <= quarter);
        (after > 0 && after < self.bounds.len()).then(|| after - 1)
    }
}

fn days(zone: &TimeZone, from: jiff::Timestamp, end: i64) -> Result<Vec<i64>> {
    let quarter = |day: &Zoned| day.timestamp().as_second().div_euclid(QUARTER_S);
    let start = |day: Zoned| day.start_of_day().map_err(|_| out_of_range());
    let mut day = start(from.to_zoned(zone.clone()))?;
    let mut bounds = vec![quarter(&day)];
    while quarter(&day) < end {
        day = start(day.tomorrow().map_err(|_| out_of_range())?)?;
        add(&mut bounds, quarter(&day))?;
    }
    Ok(bounds)
}

fn hours(zone: &TimeZone, from: jiff::Timestamp, end: i64) -> Result<Vec<i64>> {
    // The full hour on the zone's clock, and the offset.
    let hour = |quarter: i64| -> Result<(i64, i32)> {
        let time = jiff::Timestamp::from_second(quarter * QUARTER_S).map_err(|_| out_of_range())?;
        let offset = zone.to_offset(time).seconds();
        Ok(((time.as_second() + i64::from(offset)).div_euclid(3_600), offset))
    };
    let mut quarter = from.as_second().div_euclid(QUARTER_S);
    let mut known = hour(quarter)?;
    while hour(quarter - 1)? == known {
        quarter -= 1;
    }
    let mut bounds = vec![quarter];
    loop {
        quarter += 1;
        let next = hour(quarter)?;
        if next == known {
            continue;
        }
        known = next;
        add(&mut bounds, quarter)?;
        if quarter >= end {
            return Ok(bounds);
        }
    }
}

fn add(bounds: &mut Vec<i64>, bound: i64) -> Result<()> {
    if bounds.len() > limits::EVENT_INTERVALS_MAX {
        let most = limits::EVENT_INTERVALS_MAX;
        let message = format!("more than {most} intervals; ask for less time, or for days");
        return Err(Error::invalid(&["query", "from"], "range", message));
    }
    bounds.push(bound);
    Ok(())
}

fn out_of_range() -> Error {
    Error::invalid(&["query", "from"], "range", "there are no such times")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn span(interval: Interval, zone: &str, from: &str, to: &str) -> Span {
        let zone = crate::zone::find(zone).unwrap();
        let [from, to] = [from, to].map(|text| Timestamp::parse(text).unwrap());
        Span::new(interval, &zone, from, to).unwrap()
    }

    /// How long each is, in quarters, and when the first one begins.
    fn lengths(span: &Span) -> (String, Vec<i64>) {
        let first = span.starts().next().unwrap().to_string();
        (first, span.bounds.windows(2).map(|pair| pair[1] - pair[0]).collect())
    }

    #[test]
    fn days_have_23_24_or_25_hours_and_begin_where_the_zone_says() {
        let berlin = |from, to| lengths(&span(Interval::Day, "Europe/Berlin", from, to));
        let spring = berlin("2026-03-28T12:00:00Z", "2026-03-30T00:00:00Z");
        assert_eq!(spring, ("2026-03-27T23:00:00.000000Z".to_owned(), vec![96, 92, 96]));
        let autumn = berlin("2026-10-24T22:00:00Z", "2026-10-25T23:00:00Z");
        assert_eq!(autumn, ("2026-10-24T22:00:00.000000Z".to_owned(), vec![100]));
        let nepal =
            span(Interval::Day, "Asia/Kathmandu", "2026-01-01T18:14:59Z", "2026-01-01T18:15:01Z");
        assert_eq!(lengths(&nepal), ("2025-12-31T18:15:00.000000Z".to_owned(), vec![96, 96]));
        // Midnight is skipped.
        let beirut =
            span(Interval::Day, "Asia/Beirut", "2026-03-28T22:00:00Z", "2026-03-28T22:00:01Z");
        assert_eq!(lengths(&beirut), ("2026-03-28T22:00:00.000000Z".to_owned(), vec![92]));
    }

    #[test]
    fn hours_end_at_the_zones_full_hour_and_where_its_offset_changes() {
        let kolkata =
            span(Interval::Hour, "Asia/Kolkata", "2026-01-01T00:00:00Z", "2026-01-01T01:00:00Z");
        assert_eq!(lengths(&kolkata), ("2025-12-31T23:30:00.000000Z".to_owned(), vec![4, 4]));
        // The hour that comes twice is two.
        let berlin =
            span(Interval::Hour, "Europe/Berlin", "2026-10-25T00:00:00Z", "2026-10-25T02:00:00Z");
        assert_eq!(lengths(&berlin).1, [4, 4]);
        let lord_howe = span(
            Interval::Hour,
            "Australia/Lord_Howe",
            "2026-04-04T14:00:00Z",
            "2026-04-04T16:00:00Z",
        );
        assert_eq!(lengths(&lord_howe), ("2026-04-04T14:00:00.000000Z".to_owned(), vec![4, 2, 4]));
    }

    #[test]
    fn every_quarter_lies_in_one_interval_of_every_zone() {
        for name in
            ["UTC", "Asia/Kathmandu", "America/St_Johns", "Pacific/Apia", "Africa/Casablanca"]
        {
            for interval in [Interval::Hour, Interval::Day] {
                let span = span(interval, name, "2026-03-20T01:02:03Z", "2026-04-10T01:02:03Z");
                let (first, end) = span.ends();
                let places: Vec<_> = (first - 1..=end).map(|quarter| span.place(quarter)).collect();
                assert_eq!((places[0], places[places.len() - 1]), (None, None), "{name}");
                let inner: Vec<_> =
                    places[1..places.len() - 1].iter().map(|p| p.unwrap()).collect();
                assert!(inner.is_sorted() && inner[inner.len() - 1] == span.len() - 1, "{name}");
            }
        }
    }

    #[test]
    fn what_is_too_long_or_nothing_is_refused() {
        let try_span = |interval, from, to| {
            let [from, to] = [from, to].map(|text| Timestamp::parse(text).unwrap());
            Span::new(interval, &TimeZone::UTC, from, to)
        };
        let fits =
            try_span(Interval::Hour, "2026-01-01T00:00:00Z", "2026-02-03T08:00:00Z").unwrap();
        assert_eq!(fits.len(), limits::EVENT_INTERVALS_MAX);
        for (interval, from, to) in [
            (Interval::Hour, "2026-01-01T00:00:00Z", "2026-02-03T08:00:01Z"),
            (Interval::Day, "2020-01-01T00:00:00Z", "2026-01-01T00:00:00Z"),
            (Interval::Day, "2026-01-01T00:00:00Z", "2026-01-01T00:00:00Z"),
            (Interval::Day, "9999-12-30T00:00:00Z", "9999-12-30T21:00:00Z"),
        ] {
            let refused = try_span(interval, from, to);
            let is_last = from.starts_with("9999");
            assert!(is_last || refused.unwrap_err().fields()[0].code == "range", "{from} {to}");
        }
    }
}
