//! `traceparent` (W3C Trace Context): which trace a request or a task belongs to.

use std::fmt;

const LENGTH: usize = 55;

/// A valid `traceparent`, in the form of version 00.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct TraceParent([u8; LENGTH]);

impl TraceParent {
    /// Reads a header's value. `None` when it is not valid, or of a version that forbids to guess; of
    /// later versions what version 00 has is taken.
    pub fn parse(text: &str) -> Option<Self> {
        let bytes = text.as_bytes();
        let mut fixed: [u8; LENGTH] = bytes.get(..LENGTH)?.try_into().ok()?;
        let hex = |part: &[u8]| part.iter().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
        let some = |part: &[u8]| hex(part) && part.iter().any(|b| *b != b'0');
        let dashes = [2, 35, 52].iter().all(|at| fixed[*at] == b'-');
        let version = &fixed[..2];
        let ends_well = bytes.len() == LENGTH || version != b"00" && bytes[LENGTH] == b'-';
        let valid = dashes
            && hex(version)
            && version != b"ff"
            && some(&fixed[3..35])
            && some(&fixed[36..52])
            && hex(&fixed[53..])
            && ends_well;
        fixed[..2].copy_from_slice(b"00");
        valid.then_some(Self(fixed))
    }

    /// The place of a span in its trace.
    pub fn of(trace_id: [u8; 16], span_id: [u8; 8], is_sampled: bool) -> Self {
        let mut text = [b'0'; LENGTH];
        [text[2], text[35], text[52]] = [b'-'; 3];
        write_hex(&mut text[3..35], &trace_id);
        write_hex(&mut text[36..52], &span_id);
        text[54] = if is_sampled { b'1' } else { b'0' };
        Self(text)
    }

    /// Whether its sender records the trace.
    pub fn is_sampled(&self) -> bool {
        digit(self.0[54]) & 1 == 1
    }

    /// The same place, of somebody who does not record.
    #[must_use]
    pub fn unsampled(mut self) -> Self {
        self.0[53..].copy_from_slice(b"00");
        self
    }

    /// The ids of the trace and of the span, as bytes.
    pub fn ids(&self) -> ([u8; 16], [u8; 8]) {
        (read_hex(&self.0[3..35]), read_hex(&self.0[36..52]))
    }

    /// The header's value.
    pub fn as_str(&self) -> &str {
        std::str::from_utf8(&self.0).unwrap_or_default()
    }

    /// The id of the trace: 32 hexadecimal digits.
    pub fn trace_id(&self) -> &str {
        self.as_str().get(3..35).unwrap_or_default()
    }
}

fn write_hex(text: &mut [u8], bytes: &[u8]) {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    for (pair, byte) in text.chunks_exact_mut(2).zip(bytes) {
        pair[0] = DIGITS[usize::from(byte >> 4)];
        pair[1] = DIGITS[usize::from(byte & 15)];
    }
}

fn read_hex<const N: usize>(text: &[u8]) -> [u8; N] {
    let mut bytes = [0; N];
    for (byte, pair) in bytes.iter_mut().zip(text.chunks_exact(2)) {
        *byte = digit(pair[0]) << 4 | digit(pair[1]);
    }
    bytes
}

/// What a lower-case hexadecimal digit stands for.
fn digit(letter: u8) -> u8 {
    match letter {
        b'a'..=b'f' => letter - b'a' + 10,
        _ => letter.wrapping_sub(b'0'),
    }
}

impl fmt::Debug for TraceParent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: &str = "4bf92f3577b34da6a3ce929d0e0e4736";

    #[test]
    fn what_is_valid_is_kept_as_version_00() {
        let text = format!("00-{ID}-00f067aa0ba902b7-01");
        let parsed = TraceParent::parse(&text).unwrap();
        assert_eq!((parsed.as_str(), parsed.trace_id()), (text.as_str(), ID));
        for later in
            [format!("cc-{ID}-00f067aa0ba902b7-01"), format!("01{}-what-follows", &text[2..])]
        {
            assert_eq!(TraceParent::parse(&later).unwrap().as_str(), text, "{later}");
        }
    }

    #[test]
    fn it_is_made_of_ids_and_taken_apart_again() {
        let (trace, span) = ([0x4b; 16], [0xf0, 1, 2, 3, 4, 5, 6, 0xaf]);
        let made = TraceParent::of(trace, span, true);
        assert_eq!(made.as_str(), format!("00-{}-f0010203040506af-01", "4b".repeat(16)));
        assert_eq!(TraceParent::parse(made.as_str()), Some(made));
        assert_eq!((made.ids(), made.is_sampled()), ((trace, span), true));
        assert_eq!(made.unsampled(), TraceParent::of(trace, span, false));
        assert!(!made.unsampled().is_sampled());
    }

    #[test]
    fn what_is_not_valid_is_no_trace() {
        let zeros = "0".repeat(32);
        for wrong in [
            "nonsense".to_owned(),
            format!("ff-{ID}-00f067aa0ba902b7-01"),
            format!("00-{zeros}-00f067aa0ba902b7-01"),
            format!("00-{ID}-0000000000000000-01"),
            format!("00-{}-00f067aa0ba902b7-01", ID.to_uppercase()),
            format!("00-{ID}-00f067aa0ba902b7-01-more"),
            format!("01-{ID}-00f067aa0ba902b7-01.more"),
            format!("00-{ID}-00f067aa0ba902b7-0"),
            format!("00-{ID}-00f067aa0ba902b7-é"),
            format!("00_{ID}-00f067aa0ba902b7-01"),
        ] {
            assert_eq!(TraceParent::parse(&wrong), None, "{wrong}");
        }
    }
}
