//! Time zones by their IANA names.

use jiff::tz::{TimeZone, TimeZoneDatabase};
use outrigger_kernel::limits;

/// The zone of this name; `None` when there is none.
pub(crate) fn find(name: &str) -> Option<TimeZone> {
    let may_be =
        name.len() <= limits::TIME_ZONE_BYTES_MAX && !name.eq_ignore_ascii_case("Etc/Unknown");
    may_be.then(|| TimeZoneDatabase::bundled().get(name).ok()).flatten()
}
