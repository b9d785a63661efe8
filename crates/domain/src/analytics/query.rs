//! Asking for counts.

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::civil::Date;
use jiff::tz::TimeZone;
use outrigger_kernel::{Ctx, Error, Result, Timestamp, limits};
use outrigger_ports::collection::{Collection, Entity, Stored};
use outrigger_ports::store::Order;
use schemars::JsonSchema;
use serde::Serialize;
use std::ops::Bound;

use super::check::is_word;
use super::counts::{DAY, Quarters, day_of};
use super::model::{OTHER, series_id};
use super::service::Analytics;
use super::span::{Interval, Span};
use crate::zone;

/// Days read at once.
const PAGE: usize = 100;
const HOURS: Duration = Duration::from_secs(24 * 3_600);
const DAYS: Duration = Duration::from_secs(30 * 24 * 3_600);

/// What is asked.
#[derive(Clone, Debug)]
pub struct Question {
    /// The name of the events.
    pub event: String,
    /// What is counted together.
    pub interval: Interval,
    /// The property by whose values they are counted apart.
    pub group_by: Option<String>,
    /// The name of the time zone; UTC unless said.
    pub time_zone: Option<String>,
    /// From the interval in which this lies: RFC 3339, or a date of the zone; a day or 30 days before
    /// `to` unless said.
    pub from: Option<String>,
    /// Up to here, to the end of the interval; now unless said.
    pub to: Option<String>,
}

/// The counts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[schemars(rename = "EventCounts")]
pub struct Answer {
    /// The name of the events.
    pub event: String,
    /// What is counted together.
    pub interval: Interval,
    /// The time zone whose hours or days these are.
    pub time_zone: String,
    /// Every event that was acknowledged before this instant is counted, RFC 3339; of later ones some
    /// may be.
    #[schemars(with = "String", extend("format" = "date-time"))]
    pub counted_until: Timestamp,
    /// All of the intervals together.
    pub total: u64,
    /// The intervals without gaps, from the first to the last.
    pub intervals: Vec<IntervalCount>,
    /// The same by the values of the property, the most frequent first; null when none was named.
    pub groups: Option<Vec<GroupCounts>>,
}

/// One hour or day.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct IntervalCount {
    /// When it begins, RFC 3339.
    #[schemars(with = "String", extend("format" = "date-time"))]
    pub start: Timestamp,
    /// The same on the clock of the zone, with its offset: `2026-11-22T00:00:00+05:30`.
    pub local: String,
    /// Events in it.
    pub count: u64,
}

/// The events with one value of the property.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct GroupCounts {
    /// The value; null for events that do not have the property, and for `other`.
    pub value: Option<String>,
    /// Whether these are the events of all values that are not counted apart.
    pub other: bool,
    /// All of the intervals together.
    pub total: u64,
    /// One number for each of the intervals.
    pub counts: Vec<u64>,
}

/// Numbers by the place of the interval, where there are some.
#[derive(Clone, Debug, Default)]
struct Row {
    total: u64,
    counts: BTreeMap<usize, u64>,
}

impl Row {
    fn add(&mut self, span: &Span, day: i64, quarters: &Quarters) {
        for (quarter, count) in quarters.iter() {
            if let Some(place) = span.place(day * DAY + i64::from(quarter)) {
                *self.counts.entry(place).or_default() += count;
                self.total += count;
            }
        }
    }

    fn add_row(&mut self, other: &Self) {
        for (place, count) in &other.counts {
            *self.counts.entry(*place).or_default() += count;
        }
        self.total += other.total;
    }

    /// Takes away what is counted elsewhere too.
    fn without(mut self, others: &[&Self]) -> Self {
        for (place, count) in others.iter().flat_map(|other| &other.counts) {
            let left = self.counts.entry(*place).or_default();
            *left = left.saturating_sub(*count);
        }
        self.counts.retain(|_, count| *count > 0);
        self.total = self.counts.values().sum();
        self
    }

    fn dense(&self, intervals: usize) -> Vec<u64> {
        (0..intervals).map(|place| self.counts.get(&place).copied().unwrap_or(0)).collect()
    }
}

impl Analytics {
    /// Counts of events. For administrators.
    ///
    /// # Errors
    /// `unauthenticated`, `forbidden`; `invalid` below `query`; `unavailable`.
    pub async fn query(&self, ctx: &Ctx, question: Question) -> Result<Answer> {
        ctx.require_admin()?;
        check_words(&question)?;
        let time_zone = question.time_zone.as_deref().unwrap_or("UTC");
        let zone = zone::find(time_zone).ok_or_else(|| {
            let message =
                "no such time zone; give a name such as Europe/Berlin, Asia/Manila or UTC";
            Error::invalid(&["query", "time_zone"], "unknown_time_zone", message)
        })?;
        let span = self.span(&question, &zone)?;
        let now = self.clock.now();
        let waiting = self.oldest(1).await?;
        let counted_until = waiting.first().map_or(now, |chunk| chunk.value.taken_at.min(now));
        let (all, untracked) = self.totals(&question, &span).await?;
        let groups = match &question.group_by {
            None => None,
            Some(property) => {
                let (values, other) = self.values(&question.event, property, &span).await?;
                Some(groups(&all, values, other, &untracked, span.len()))
            }
        };
        let counts = all.dense(span.len()).into_iter();
        let intervals = span.starts().zip(counts).map(|(start, count)| IntervalCount {
            local: local(start, &zone),
            start,
            count,
        });
        Ok(Answer {
            interval: question.interval,
            time_zone: time_zone.to_owned(),
            counted_until,
            total: all.total,
            intervals: intervals.collect(),
            groups,
            event: question.event,
        })
    }

    fn span(&self, question: &Question, zone: &TimeZone) -> Result<Span> {
        // What happens at this instant is asked for too.
        let now = self.clock.now().plus(Duration::from_micros(1));
        let to = question.to.as_deref().map(|text| instant("to", text, zone)).transpose()?;
        let to = to.unwrap_or(now);
        let from = question.from.as_deref().map(|text| instant("from", text, zone)).transpose()?;
        let before = match question.interval {
            Interval::Hour => HOURS,
            Interval::Day => DAYS,
        };
        Span::new(question.interval, zone, from.unwrap_or_else(|| to.minus(before)), to)
    }

    /// All events of the name; and those of days on which its property has no counts of its own.
    async fn totals(&self, question: &Question, span: &Span) -> Result<(Row, Row)> {
        let (mut all, mut untracked) = (Row::default(), Row::default());
        let mut days = Days::of(&self.totals, &question.event, None, span);
        while let Some(page) = days.next().await? {
            for total in page {
                all.add(span, total.day, &total.counts);
                let is_known = |property| total.properties.contains(property);
                if total.has_more && question.group_by.as_ref().is_some_and(|p| !is_known(p)) {
                    untracked.add(span, total.day, &total.counts);
                }
            }
        }
        Ok((all, untracked))
    }

    async fn values(
        &self,
        event: &str,
        property: &str,
        span: &Span,
    ) -> Result<(BTreeMap<String, Row>, Row)> {
        let (mut values, mut other) = (BTreeMap::<String, Row>::new(), Row::default());
        let mut days = Days::of(&self.groups, event, Some(property), span);
        while let Some(page) = days.next().await? {
            for group in page {
                other.add(span, group.day, &group.other);
                for (value, counts) in group.values {
                    values.entry(value).or_default().add(span, group.day, &counts);
                }
            }
        }
        Ok((values, other))
    }
}

/// The documents of the days of one series, page by page.
struct Days<'a, T> {
    collection: &'a Collection<T>,
    range: Option<(String, String)>,
}

impl<'a, T: Entity> Days<'a, T> {
    fn of(collection: &'a Collection<T>, event: &str, property: Option<&str>, span: &Span) -> Self {
        let (start, end) = span.ends();
        let id = |quarter| series_id(event, property, day_of(quarter).0);
        Self { collection, range: Some((id(start), id(end - 1))) }
    }

    async fn next(&mut self) -> Result<Option<Vec<T>>> {
        let Some((first, last)) = self.range.take() else { return Ok(None) };
        let bounds =
            (Bound::Included(first.into_bytes()), Bound::Included(last.clone().into_bytes()));
        let (page, _): (Vec<Stored<T>>, _) =
            self.collection.list(Order::Id, bounds, false, None, PAGE).await?;
        if page.len() == PAGE
            && let Some(found) = page.last()
        {
            // After this id, of which no other is the beginning.
            self.range = Some((format!("{}!", found.id), last));
        }
        Ok(Some(page.into_iter().map(|stored| stored.value).collect()))
    }
}

/// The most frequent values, all others together, and the events without the property; rows without
/// events are left out.
fn groups(
    all: &Row,
    values: BTreeMap<String, Row>,
    mut other: Row,
    untracked: &Row,
    intervals: usize,
) -> Vec<GroupCounts> {
    other.add_row(untracked);
    let mut values: Vec<_> = values.into_iter().filter(|(_, row)| row.total > 0).collect();
    values.sort_by(|(one, a), (two, b)| b.total.cmp(&a.total).then_with(|| one.cmp(two)));
    for (_, row) in values.drain(values.len().min(limits::EVENT_VALUES_MAX)..) {
        other.add_row(&row);
    }
    let counted: Vec<&Row> = values.iter().map(|(_, row)| row).chain([&other]).collect();
    let without = all.clone().without(&counted);
    let of = |value: Option<String>, is_other, row: &Row| GroupCounts {
        value,
        other: is_other,
        total: row.total,
        counts: row.dense(intervals),
    };
    let mut groups: Vec<_> =
        values.iter().map(|(value, row)| of(Some(value.clone()), false, row)).collect();
    groups.extend((other.total > 0).then(|| of(None, true, &other)));
    groups.extend((without.total > 0).then(|| of(None, false, &without)));
    groups
}

fn check_words(question: &Question) -> Result<()> {
    let message = "1 to 64 letters, digits, _ . : or -";
    if !is_word(&question.event) && question.event != OTHER {
        return Err(Error::invalid(&["query", "event"], "pattern", message));
    }
    if question.group_by.as_deref().is_some_and(|property| !is_word(property)) {
        return Err(Error::invalid(&["query", "group_by"], "pattern", message));
    }
    Ok(())
}

/// The instant of this text: a time with an offset, or when a date begins.
fn instant(place: &str, text: &str, zone: &TimeZone) -> Result<Timestamp> {
    let date = || text.parse::<Date>().ok().filter(|_| text.len() == "2026-11-22".len());
    let start = || date()?.to_zoned(zone.clone()).ok()?.start_of_day().ok();
    let begin = || start().map(|start| Timestamp::from_secs(start.timestamp().as_second()));
    Timestamp::parse(text).or_else(begin).ok_or_else(|| {
        let message = "a time such as 2026-11-22T08:00:00Z, or a date such as 2026-11-22";
        Error::invalid(&["query", place], "format", message)
    })
}

fn local(time: Timestamp, zone: &TimeZone) -> String {
    let time = jiff::Timestamp::from_second(time.as_secs()).unwrap_or_default();
    time.to_zoned(zone.clone()).strftime("%Y-%m-%dT%H:%M:%S%:z").to_string()
}
