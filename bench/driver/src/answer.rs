//! Finding the end of an HTTP/1.1 answer, and checking it.

use std::ops::RangeInclusive;

use anyhow::{Context, Result, bail};

const HEADERS_MAX: usize = 32;

/// Where the parts of a complete answer stand in the buffer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) head_bytes: usize,
    pub(crate) body_bytes: usize,
}

impl Answer {
    /// The answer at the start of `buffer`; `None` while it is not complete.
    ///
    /// # Errors
    /// When it is no HTTP or does not say its length.
    pub(crate) fn find(buffer: &[u8]) -> Result<Option<Self>> {
        let mut headers = [httparse::EMPTY_HEADER; HEADERS_MAX];
        let mut head = httparse::Response::new(&mut headers);
        let head_bytes = match head.parse(buffer).context("not an HTTP answer")? {
            httparse::Status::Complete(bytes) => bytes,
            httparse::Status::Partial => return Ok(None),
        };
        let status = head.code.context("an answer without a status")?;
        let length = head.headers.iter().find(|h| h.name.eq_ignore_ascii_case("content-length"));
        let body_bytes = match (length, status) {
            (Some(length), _) => std::str::from_utf8(length.value)?.trim().parse()?,
            (None, 204 | 304) => 0,
            (None, _) => bail!("an answer that does not say its length"),
        };
        let complete = buffer.len() >= head_bytes + body_bytes;
        Ok(complete.then_some(Self { status, head_bytes, body_bytes }))
    }

    /// All of its bytes.
    pub(crate) fn len(&self) -> usize {
        self.head_bytes + self.body_bytes
    }
}

/// What an answer has to be.
#[derive(Clone, Debug)]
pub(crate) struct Expected {
    pub(crate) status: u16,
    pub(crate) body_bytes: RangeInclusive<usize>,
}

impl Expected {
    /// Refuses another answer, with its text. `about` has to stand at the start of the body.
    pub(crate) fn check(&self, answer: Answer, buffer: &[u8], about: Option<&[u8]>) -> Result<()> {
        /// The id is the first member of each answer.
        const START: usize = 64;
        let body = &buffer[answer.head_bytes..answer.len()];
        let start = &body[..body.len().min(START)];
        let is_about = about.is_none_or(|id| start.windows(id.len()).any(|part| part == id));
        if answer.status == self.status && self.body_bytes.contains(&body.len()) && is_about {
            return Ok(());
        }
        let text = String::from_utf8_lossy(&buffer[..answer.len().min(1_500)]);
        bail!("expected {} with {:?} bytes, got:\n{text}", self.status, self.body_bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &[u8] = b"HTTP/1.1 200 OK\r\nContent-Length: 11\r\n\r\n{\"id\":\"r7\"}rest";

    #[test]
    fn an_answer_is_complete_with_its_last_byte() {
        let whole = TEXT.len() - 4;
        for end in 0..whole {
            assert_eq!(Answer::find(&TEXT[..end]).unwrap(), None, "{end}");
        }
        let answer = Answer::find(TEXT).unwrap().unwrap();
        assert_eq!((answer.status, answer.len(), answer.body_bytes), (200, whole, 11));
        assert!(Answer::find(b"HTTP/1.1 200 OK\r\n\r\n").is_err(), "no length");
        assert!(Answer::find(b"nonsense").is_err());
    }

    #[test]
    fn a_wrong_status_length_or_record_is_refused() {
        let answer = Answer::find(TEXT).unwrap().unwrap();
        let check = |status, body_bytes, about: &[u8]| {
            Expected { status, body_bytes }.check(answer, TEXT, Some(about)).is_ok()
        };
        assert!(check(200, 10..=12, b"r7"));
        assert!(!check(201, 10..=12, b"r7"));
        assert!(!check(200, 12..=20, b"r7"));
        assert!(!check(200, 10..=12, b"r8"));
    }
}
