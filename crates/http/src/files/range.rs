//! Which bytes a client asks for (RFC 9110, section 14).

use std::ops::Range;

/// What is to be sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Part {
    /// All of it: no range was asked for, several, or something that is none.
    Whole,
    /// These bytes.
    Bytes(Range<u64>),
    /// There are no such bytes.
    None,
}

/// What the header `Range` asks for of so many bytes.
pub(super) fn parse(header: Option<&str>, size: u64) -> Part {
    let Some(set) = header.and_then(|given| given.trim().strip_prefix("bytes=")) else {
        return Part::Whole;
    };
    let Some((first, last)) = set.trim().split_once('-') else { return Part::Whole };
    let number = |text: &str| {
        let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        // More than fits is more than there is.
        digits.then(|| text.parse().unwrap_or(u64::MAX))
    };
    let range = match (number(first), number(last)) {
        (Some(first), Some(last)) if first <= last => first..last.saturating_add(1).min(size),
        (Some(first), None) if last.is_empty() => first..size,
        (None, Some(count)) if first.is_empty() => size.saturating_sub(count)..size,
        _ => return Part::Whole,
    };
    if range.is_empty() { Part::None } else { Part::Bytes(range) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_range_is_cut_to_what_there_is() {
        for (header, part) in [
            ("bytes=0-0", Part::Bytes(0..1)),
            ("bytes=2-5", Part::Bytes(2..6)),
            ("bytes=2-", Part::Bytes(2..10)),
            ("bytes=-3", Part::Bytes(7..10)),
            ("bytes=-30", Part::Bytes(0..10)),
            ("bytes=8-999", Part::Bytes(8..10)),
            ("bytes=8-99999999999999999999999", Part::Bytes(8..10)),
            (" bytes= 1-2 ", Part::Bytes(1..3)),
            ("bytes=10-", Part::None),
            ("bytes=10-12", Part::None),
            ("bytes=-0", Part::None),
            ("bytes=99999999999999999999999-", Part::None),
        ] {
            assert_eq!(parse(Some(header), 10), part, "{header}");
        }
        assert_eq!(parse(Some("bytes=0-"), 0), Part::None);
    }

    #[test]
    fn what_is_no_single_range_is_ignored() {
        for header in [
            "",
            "bytes=",
            "bytes=-",
            "bytes=a-b",
            "bytes=5-2",
            "bytes=0-1,4-5",
            "items=0-1",
            "bytes=+1-2",
        ] {
            assert_eq!(parse(Some(header), 10), Part::Whole, "{header}");
        }
        assert_eq!(parse(None, 10), Part::Whole);
    }
}
