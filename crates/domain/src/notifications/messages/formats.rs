//! Instants as a reader is used to them.

use jiff::tz::{TimeZone, TimeZoneDatabase};
use outrigger_kernel::Timestamp;

use super::Reader;

/// The instant in the reader's time zone, which is named; UTC when theirs is not known.
pub(super) fn time(at: Timestamp, reader: &Reader) -> String {
    let zone = zone(reader.time_zone.as_deref());
    match jiff::Timestamp::from_microsecond(at.as_micros()) {
        Ok(instant) => instant.to_zoned(zone).strftime("%Y-%m-%d %H:%M %Z").to_string(),
        Err(_) => at.to_string(),
    }
}

fn zone(name: Option<&str>) -> TimeZone {
    let found = name.and_then(|name| TimeZoneDatabase::bundled().get(name).ok());
    found.unwrap_or(TimeZone::UTC)
}
