//! Prepared requests: bytes with a number in one or more places.

use std::ops::Range;

use crate::answer::Expected;

/// The numbers of records and users start here, so that each has seven digits.
pub(crate) const FIRST: u32 = 1_000_000;
const DIGITS: usize = 7;

/// The order in which numbers are taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Order {
    /// Any, independently.
    Random,
    /// Each once, then from the start again.
    InTurn,
}

/// Requests of one kind.
#[derive(Clone, Debug)]
pub(crate) struct Requests {
    /// What stands around the numbers.
    parts: Vec<Vec<u8>>,
    numbers: Range<u32>,
    order: Order,
    next: u64,
    /// What every answer has to be.
    pub(crate) expected: Expected,
    /// Whether the number stands at the start of the answer.
    pub(crate) is_echoed: bool,
}

/// The digits of a number.
pub(crate) type Digits = [u8; DIGITS];

impl Requests {
    /// Requests with this text; each `#` in path and body is replaced by the number.
    pub(crate) fn new(method: &str, path: &str, token: Option<&str>, body: Option<&str>) -> Self {
        let token = token.map(|token| format!("Authorization: Bearer {token}\r\n"));
        let head =
            format!("{method} {path} HTTP/1.1\r\nHost: bench\r\n{}", token.unwrap_or_default());
        let text = match body {
            None => format!("{head}\r\n"),
            Some(body) => {
                let places = body.matches('#').count();
                let length = body.len() - places + places * DIGITS;
                format!(
                    "{head}Content-Type: application/json\r\nContent-Length: {length}\r\n\r\n{body}"
                )
            }
        };
        Self {
            parts: text.split('#').map(|part| part.as_bytes().to_vec()).collect(),
            numbers: FIRST..FIRST + 1,
            order: Order::Random,
            next: 0x9E37_79B9_7F4A_7C15,
            expected: Expected { status: 200, body_bytes: 0..=usize::MAX },
            is_echoed: false,
        }
    }

    /// Numbers from [`FIRST`] on, `count` of them, in this order.
    pub(crate) fn over(mut self, count: u32, order: Order) -> Self {
        self.numbers = FIRST..FIRST + count.max(1);
        self.order = order;
        if order == Order::InTurn {
            self.next = 0;
        }
        self
    }

    /// What every answer has to be.
    pub(crate) fn expecting(mut self, expected: Expected) -> Self {
        self.expected = expected;
        self
    }

    /// The number has to stand at the start of every answer.
    pub(crate) fn echoed(mut self) -> Self {
        self.is_echoed = true;
        self
    }

    /// How many different requests there are.
    pub(crate) fn count(&self) -> u32 {
        self.numbers.end - self.numbers.start
    }

    /// Writes the next request into `out`, and returns its number.
    pub(crate) fn write(&mut self, out: &mut Vec<u8>) -> Digits {
        let digits = digits(self.numbers.start + self.pick());
        out.clear();
        for (position, part) in self.parts.iter().enumerate() {
            if position > 0 {
                out.extend_from_slice(&digits);
            }
            out.extend_from_slice(part);
        }
        digits
    }

    fn pick(&mut self) -> u32 {
        let count = u64::from(self.count());
        let picked = match self.order {
            Order::InTurn => {
                self.next += 1;
                (self.next - 1) % count
            }
            Order::Random => {
                // xorshift64 (Marsaglia 2003): good enough to spread reads, and free.
                self.next ^= self.next << 13;
                self.next ^= self.next >> 7;
                self.next ^= self.next << 17;
                (self.next >> 16) % count
            }
        };
        u32::try_from(picked).unwrap_or_default()
    }
}

fn digits(mut number: u32) -> Digits {
    let mut digits = [b'0'; DIGITS];
    for digit in digits.iter_mut().rev() {
        *digit = b'0' + u8::try_from(number % 10).unwrap_or_default();
        number /= 10;
    }
    digits
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_number_stands_in_each_place_and_the_length_is_right() {
        let mut requests = Requests::new("PUT", "/r#", Some("t"), Some("{\"n\":#}"));
        requests = requests.over(2, Order::InTurn);
        let mut text = Vec::new();
        assert_eq!(&requests.write(&mut text), b"1000000");
        requests.write(&mut text);
        let expected = "PUT /r1000001 HTTP/1.1\r\nHost: bench\r\nAuthorization: Bearer t\r\n\
            Content-Type: application/json\r\nContent-Length: 13\r\n\r\n{\"n\":1000001}";
        assert_eq!(String::from_utf8_lossy(&text), expected);
        assert_eq!(&requests.write(&mut text), b"1000000", "from the start again");
    }

    #[test]
    fn random_numbers_reach_all_and_nothing_else() {
        let mut requests = Requests::new("GET", "/#", None, None).over(10, Order::Random);
        let mut seen = [0_u32; 10];
        for _ in 0..1_000 {
            let digits = requests.write(&mut Vec::new());
            assert_eq!(&digits[..6], b"100000");
            seen[usize::from(digits[6] - b'0')] += 1;
        }
        assert!(seen.iter().all(|count| (50..200).contains(count)), "{seen:?}");
    }
}
