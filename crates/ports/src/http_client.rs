//! Requests to web servers that somebody else runs: webhooks.

use std::fmt;
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;

/// One request. It is sent once: no redirect is followed, nothing is tried again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HttpRequest {
    /// Such as `POST`.
    pub method: String,
    /// `http://` or `https://`.
    pub url: String,
    /// Names and values, besides those that the client sets itself (`host`, `content-length`).
    pub headers: Vec<(String, String)>,
    /// Sent as it is; may be empty.
    pub body: Bytes,
    /// For all of it, from the look-up of the name to the end of the answer.
    pub timeout: Duration,
    /// So much of the answer's body is read.
    pub answer_bytes_max: usize,
}

/// What the server answered, with whatever status.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HttpAnswer {
    /// The status, such as 200.
    pub status: u16,
    /// Names in lower case, and values that are text.
    pub headers: Vec<(String, String)>,
    /// The body, or its beginning.
    pub body: Bytes,
    /// Whether there was more of the body.
    pub is_cut: bool,
}

impl HttpAnswer {
    /// The first header of this name, which is in lower case.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }
}

/// Why there is no answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum HttpFault {
    /// The request cannot be sent at all, or not there: it will not work another time either.
    Refused(String),
    /// No answer in time.
    TimedOut,
    /// The server cannot be reached, or the connection broke.
    Connection(String),
}

impl fmt::Display for HttpFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Refused(why) | Self::Connection(why) => f.write_str(why),
            Self::TimedOut => f.write_str("no answer in time"),
        }
    }
}

impl std::error::Error for HttpFault {}

/// Sends requests.
///
/// The address may come from somebody who must not reach what this process can reach. So unless it
/// is set up otherwise, an adapter refuses every address that is not on the public internet, and
/// connects to exactly the address that it has checked.
#[async_trait]
pub trait HttpClient: Send + Sync + fmt::Debug {
    /// Sends one request and reads its answer.
    ///
    /// # Errors
    /// [`HttpFault`] when there is no answer. An answer with an error's status is an answer.
    async fn send(&self, request: HttpRequest) -> Result<HttpAnswer, HttpFault>;
}
