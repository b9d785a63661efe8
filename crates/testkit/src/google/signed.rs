//! Looks at requests that were signed in their URL (V4, `GOOG4-RSA-SHA256`), by the pages
//! "Canonical requests" and "Signatures" of Cloud Storage's documentation.

use std::collections::BTreeMap;

use aws_lc_rs::digest::{SHA256, digest};
use jiff::civil::DateTime;
use jiff::tz::TimeZone;

use super::{GoogleFault, ServiceAccount};
use crate::Received;

/// Requests are signed as if they were for this server, wherever they are sent.
const HOST: &str = "storage.googleapis.com";
/// The longest time that a URL may be good: a week, in seconds.
const EXPIRES_MAX: i64 = 604_800;
/// Clocks may differ by this, in seconds.
const SKEW_S: i64 = 15 * 60;
const FORGED: GoogleFault = GoogleFault(403, "SignatureDoesNotMatch");

/// Whether the request says that it is signed.
pub(super) fn is_signed(request: &Received) -> bool {
    request.path.contains("X-Goog-Signature=")
}

/// Whether the account has signed just this request, for now.
///
/// # Errors
/// What Google answers otherwise.
pub(super) fn check(account: &ServiceAccount, request: &Received) -> Result<(), GoogleFault> {
    let (path, query) = request.path.split_once('?').unwrap_or((&request.path, ""));
    let mut query: BTreeMap<String, String> = query.split('&').filter_map(pair).collect();
    let signature = query.remove("X-Goog-Signature").unwrap_or_default();
    let said = |name: &str| query.get(name).map_or("", String::as_str);
    let date = said("X-Goog-Date");
    let scope = format!("{}/auto/storage/goog4_request", date.get(..8).unwrap_or_default());
    if said("X-Goog-Algorithm") != "GOOG4-RSA-SHA256"
        || said("X-Goog-Credential") != format!("{}/{scope}", ServiceAccount::EMAIL)
    {
        return Err(GoogleFault(400, "InvalidArgument"));
    }
    let names: Vec<&str> = said("X-Goog-SignedHeaders").split(';').collect();
    // What Google would act on must be signed, the other headers may be.
    let acts = |name: &str| name.starts_with("x-goog-");
    if request.headers.iter().any(|(name, _)| acts(name) && !names.contains(&name.as_str())) {
        return Err(FORGED);
    }
    let value = |name: &str| if name == "host" { HOST } else { request.header(name) }.to_owned();
    let lines = names.iter().map(|name| format!("{name}:{}", value(name)));
    let lines = lines.collect::<Vec<_>>().join("\n");
    let pairs = query.iter().map(|(name, value)| format!("{}={}", encode(name), encode(value)));
    let pairs = pairs.collect::<Vec<_>>().join("&");
    let canonical = format!(
        "{}\n{path}\n{pairs}\n{lines}\n\n{}\nUNSIGNED-PAYLOAD",
        request.method,
        names.join(";")
    );
    let hash = hex(digest(&SHA256, canonical.as_bytes()).as_ref());
    let text = format!("GOOG4-RSA-SHA256\n{date}\n{scope}\n{hash}");
    if !account.has_signed(&text, &bytes(&signature).ok_or(FORGED)?) {
        return Err(FORGED);
    }
    is_now(date, said("X-Goog-Expires")).then_some(()).ok_or(GoogleFault(400, "ExpiredToken"))
}

fn is_now(date: &str, expires: &str) -> bool {
    let from = DateTime::strptime("%Y%m%dT%H%M%SZ", date).and_then(|at| at.to_zoned(TimeZone::UTC));
    let (Ok(from), Ok(expires)) = (from, expires.parse::<i64>()) else { return false };
    let from = from.timestamp().as_second();
    let now = jiff::Timestamp::now().as_second();
    (1..=EXPIRES_MAX).contains(&expires) && (from - SKEW_S..=from + expires).contains(&now)
}

fn pair(text: &str) -> Option<(String, String)> {
    let (name, value) = text.split_once('=')?;
    Some((decode(name)?, decode(value)?))
}

fn decode(text: &str) -> Option<String> {
    let mut parts = text.split('%');
    let mut decoded = parts.next()?.as_bytes().to_vec();
    for part in parts {
        decoded.extend(bytes(part.get(..2)?)?);
        decoded.extend(&part.as_bytes()[2..]);
    }
    String::from_utf8(decoded).ok()
}

/// All but what is never encoded in a URL (RFC 3986, 2.3).
fn encode(text: &str) -> String {
    let one = |byte: u8| match byte {
        b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => {
            char::from(byte).to_string()
        }
        byte => format!("%{byte:02X}"),
    };
    text.bytes().map(one).collect()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect::<Vec<_>>().concat()
}

fn bytes(hex: &str) -> Option<Vec<u8>> {
    let digits = hex.as_bytes();
    let one = |two: &[u8]| u8::from_str_radix(std::str::from_utf8(two).ok()?, 16).ok();
    digits.chunks(2).map(one).collect()
}
