//! Instants and amounts as a reader is used to them, by the rules of Unicode's CLDR.

use icu_calendar::cal::Buddhist;
use icu_calendar::{Date, Gregorian};
use icu_datetime::FixedCalendarDateTimeFormatter as Formatter;
use icu_datetime::fieldsets::YMD;
use icu_datetime::fieldsets::zone::LocalizedOffsetShort;
use icu_datetime::input::{Time, UtcOffset, ZonedDateTime};
use icu_experimental::dimension::currency::CurrencyType;
use icu_experimental::dimension::currency::formatter::CurrencyFormatter;
use icu_experimental::dimension::currency::options::CurrencyFormatterOptions;
use icu_locale_core::Locale;
use jiff::tz::{TimeZone, TimeZoneDatabase};
use outrigger_kernel::{Error, Result, Timestamp};

use super::Language;
use super::Reader;

/// Longest amount, in digits and signs.
const AMOUNT_BYTES_MAX: usize = 40;

/// The instant in the reader's time zone, of which the offset is told; UTC when theirs is not known.
/// Years are those of the Buddhist era in Thai.
///
/// # Errors
/// `internal` when it lies beyond what calendars know.
pub(super) fn time(at: Timestamp, reader: &Reader) -> Result<String> {
    let zone = zone(reader.time_zone.as_deref());
    let instant = jiff::Timestamp::from_microsecond(at.as_micros()).map_err(Error::internal)?;
    let local = instant.to_zoned(zone);
    let small = |number: i8| u8::try_from(number).map_err(Error::internal);
    let (month, day) = (small(local.month())?, small(local.day())?);
    let date = Date::try_new_gregorian(local.year().into(), month, day);
    let date = date.map_err(fault)?;
    let time = Time::try_new(small(local.hour())?, small(local.minute())?, 0, 0).map_err(fault)?;
    let zone = UtcOffset::try_from_seconds(local.offset().seconds()).map_err(fault)?;
    let fields = YMD::long().with_time_hm().with_zone(LocalizedOffsetShort);
    let (language, locale) = locale(reader);
    if language == Language::Thai {
        let formatter = Formatter::<Buddhist, _>::try_new(locale.into(), fields);
        let date = date.to_calendar(Buddhist);
        let text =
            formatter.map_err(fault)?.format(&ZonedDateTime { date, time, zone }).to_string();
        return Ok(text);
    }
    let formatter = Formatter::<Gregorian, _>::try_new(locale.into(), fields);
    Ok(formatter.map_err(fault)?.format(&ZonedDateTime { date, time, zone }).to_string())
}

/// The amount in this currency, with as many places as the currency has.
///
/// # Errors
/// `invalid` when it is no decimal number, or the currency none of ISO 4217's form.
pub(super) fn amount(amount: &str, currency: &str, reader: &Reader) -> Result<String> {
    let invalid = |what: &str| Error::invalid(&["body", "variables"], "amount", what);
    if amount.len() > AMOUNT_BYTES_MAX {
        return Err(invalid("an amount has at most 40 digits"));
    }
    let number = amount.parse().map_err(|_| invalid("an amount looks like 1234.50"))?;
    let has_form = currency.len() == 3 && currency.bytes().all(|b| b.is_ascii_uppercase());
    let currency: Option<CurrencyType> = currency.parse().ok().filter(|_| has_form);
    let currency =
        currency.ok_or_else(|| invalid("a currency is three capital letters such as EUR"))?;
    let locale = locale(reader).1;
    let formatter = CurrencyFormatter::try_new_symbol(
        locale.into(),
        currency,
        CurrencyFormatterOptions::default(),
    );
    Ok(formatter.map_err(fault)?.format_fixed_decimal(&number).to_string())
}

/// The language of the words around it, and the reader's own locale within that language.
fn locale(reader: &Reader) -> (Language, Locale) {
    let language = Language::of(reader.locale.as_deref());
    // CLDR knows Tagalog as Filipino.
    let tag = if language == Language::Tagalog { "fil" } else { language.tag() };
    let own = reader.locale.as_deref().unwrap_or_default().parse::<Locale>().ok();
    let own = own.filter(|own| own.id.language.as_str() == tag);
    (language, own.or_else(|| tag.parse().ok()).unwrap_or(Locale::UNKNOWN))
}

fn zone(name: Option<&str>) -> TimeZone {
    let found = name.and_then(|name| TimeZoneDatabase::bundled().get(name).ok());
    found.unwrap_or(TimeZone::UTC)
}

fn fault(error: impl std::fmt::Display) -> Error {
    Error::internal(error.to_string())
}
