//! Ids: a prefix that names the kind, then 26 characters that sort by time of creation.

use std::fmt;
use std::sync::Arc;

use crate::limits;
use crate::random::Random;
use crate::time::{Clock, Timestamp};

/// Crockford's base 32 in lower case: digits sort before letters, as bytes do.
const ALPHABET: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";

/// Makes ids: 48 bits of time in milliseconds, then 80 random bits.
#[derive(Clone)]
pub struct Ids {
    clock: Arc<dyn Clock>,
    random: Arc<dyn Random>,
}

impl Ids {
    /// Ids that take their time from `clock` and the rest from `random`.
    pub fn new(clock: Arc<dyn Clock>, random: Arc<dyn Random>) -> Self {
        Self { clock, random }
    }

    /// A new id such as `usr_01ka2b…`.
    pub fn new_id(&self, prefix: &str) -> String {
        let mut tail = [0_u8; 10];
        self.random.fill(&mut tail);
        of_parts(prefix, self.clock.now(), tail)
    }

    /// Random bytes as lower-case hexadecimal, for request ids and tokens.
    pub fn hex(&self, bytes: usize) -> String {
        let mut buffer = vec![0_u8; bytes];
        self.random.fill(&mut buffer);
        hex(&buffer)
    }
}

impl fmt::Debug for Ids {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Ids")
    }
}

/// The id with this time and this tail; for ids that follow from what they name.
pub fn of_parts(prefix: &str, time: Timestamp, tail: [u8; 10]) -> String {
    let millis = u128::try_from(time.as_millis()).unwrap_or(0);
    let mut low = [0_u8; 16];
    low[6..].copy_from_slice(&tail);
    let bits = (millis << 80) | u128::from_be_bytes(low);
    let mut id = String::with_capacity(prefix.len() + 27);
    id.push_str(prefix);
    id.push('_');
    for place in (0..26_u32).rev() {
        let digit = (bits >> (place * 5)) & 31;
        id.push(char::from(ALPHABET[usize::try_from(digit).unwrap_or(0)]));
    }
    id
}

/// Bytes as lower-case hexadecimal.
pub fn hex(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let mut text = String::with_capacity(bytes.len() * 2);
    for byte in bytes {
        text.push(char::from(DIGITS[usize::from(byte >> 4)]));
        text.push(char::from(DIGITS[usize::from(byte & 15)]));
    }
    text
}

/// Whether a client may use this text as a record id or a collection name:
/// `[A-Za-z0-9_-]{1,64}`.
pub fn is_valid_name(text: &str) -> bool {
    (1..=limits::ID_BYTES_MAX).contains(&text.len())
        && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_' || b == b'-')
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{ManualClock, SystemRandom};
    use std::time::Duration;

    #[test]
    fn ids_sort_by_time_and_are_valid_names() {
        let clock = Arc::new(ManualClock::at(Timestamp::from_secs(1_800_000_000)));
        let ids = Ids::new(clock.clone(), Arc::new(SystemRandom));
        let first = ids.new_id("usr");
        clock.advance(Duration::from_millis(1));
        let second = ids.new_id("usr");
        assert!(first < second, "{first} {second}");
        assert_eq!(first.len(), 30);
        assert!(is_valid_name(&first));
    }

    #[test]
    fn names_are_bounded_and_plain() {
        assert!(is_valid_name("a-B_9"));
        assert!(!is_valid_name(""));
        assert!(!is_valid_name("a/b"));
        assert!(!is_valid_name("é"));
        assert!(!is_valid_name(&"x".repeat(65)));
    }
}
