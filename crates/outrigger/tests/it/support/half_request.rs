//! Requests that take as long as the test wants.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

/// A request whose body has not arrived completely; it stays in flight until it is finished or
/// dropped.
#[derive(Debug)]
pub(crate) struct HalfRequest {
    stream: TcpStream,
    rest: String,
}

impl HalfRequest {
    /// Sends the head and one half of a JSON body, over a connection of its own.
    pub(crate) fn begin(port: u16, method: &str, path: &str, body: &str) -> Self {
        Self::begin_with(port, method, path, body, "")
    }

    /// The same with further header lines, each with its line end.
    pub(crate) fn begin_with(
        port: u16,
        method: &str,
        path: &str,
        body: &str,
        headers: &str,
    ) -> Self {
        let mut stream =
            TcpStream::connect(SocketAddr::from(([127, 0, 0, 1], port))).expect("a connection");
        stream.set_read_timeout(Some(Duration::from_secs(60))).expect("a timeout");
        let (first, rest) = body.split_at(body.len() / 2);
        let length = body.len();
        write!(
            stream,
            "{method} {path} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\
             content-type: application/json\r\ncontent-length: {length}\r\n{headers}\r\n{first}"
        )
        .expect("the first half is sent");
        Self { stream, rest: rest.to_owned() }
    }

    /// Sends the rest; the status and the body of the answer.
    pub(crate) fn finish(mut self) -> (u16, String) {
        // When the server has answered already, it may have closed its end.
        let _ = self.stream.write_all(self.rest.as_bytes());
        self.answer()
    }

    /// The answer, without sending the rest.
    pub(crate) fn answer(mut self) -> (u16, String) {
        let mut answer = Vec::new();
        let read = self.stream.read_to_end(&mut answer);
        let answer = String::from_utf8_lossy(&answer).into_owned();
        let status = answer.split(' ').nth(1).and_then(|status| status.parse().ok());
        (status.unwrap_or_else(|| panic!("no answer: {read:?} {answer}")), answer)
    }
}
