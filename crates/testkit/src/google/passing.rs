//! Requests of a connection, one after the other, and the same ones passed on to a server.

use std::fmt::Write as _;
use std::io::{BufReader, Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use anyhow::{Context, Result};

use crate::Received;
use crate::receiver::read;

/// The server behind has answered within this.
const WITHIN: Duration = Duration::from_secs(120);
/// Headers that speak of one connection, and those that are written anew.
const OWN: [&str; 4] = ["connection", "content-length", "host", "keep-alive"];

/// What is answered.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) headers: Vec<(String, String)>,
    pub(super) body: Vec<u8>,
}

impl Answer {
    /// One with a body of this type.
    pub(super) fn new(status: u16, kind: &str, body: String) -> Self {
        let headers = vec![("content-type".to_owned(), kind.to_owned())];
        Self { status, headers, body: body.into_bytes() }
    }

    /// The same with one more header.
    pub(super) fn with(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    fn write(&self, mut stream: &TcpStream, is_head: bool) -> Option<()> {
        let mut head = format!("HTTP/1.1 {} Said\r\n", self.status);
        for (name, value) in &self.headers {
            let _ = write!(head, "{name}: {value}\r\n");
        }
        if !is_head && self.status != 204 {
            let _ = write!(head, "content-length: {}\r\n", self.body.len());
        }
        stream.write_all(format!("{head}\r\n").as_bytes()).ok()?;
        if is_head { Some(()) } else { stream.write_all(&self.body).ok() }
    }
}

/// Answers until the connection ends.
pub(super) fn serve(stream: &TcpStream, answer: impl Fn(Received) -> Result<Answer>) -> Option<()> {
    let mut reader = BufReader::new(stream);
    loop {
        let request = read(&mut reader)?;
        let is_head = request.method == "HEAD";
        // Without an answer the connection is closed.
        answer(request).ok()?.write(stream, is_head)?;
    }
}

/// What the server on this port says to it.
pub(super) fn pass(port: u16, request: &Received) -> Result<Answer> {
    let mut stream = TcpStream::connect(("127.0.0.1", port))?;
    stream.set_read_timeout(Some(WITHIN))?;
    // Of an older version, so that the answer comes whole.
    let mut head = format!("{} {} HTTP/1.0\r\n", request.method, request.path);
    for (name, value) in request.headers.iter().filter(|(name, _)| !OWN.contains(&&**name)) {
        let _ = write!(head, "{name}: {value}\r\n");
    }
    let length = request.body.len();
    let _ = write!(head, "host: 127.0.0.1:{port}\r\ncontent-length: {length}\r\n\r\n");
    stream.write_all(head.as_bytes())?;
    stream.write_all(&request.body)?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer)?;
    let end = answer.windows(4).position(|bytes| bytes == b"\r\n\r\n").context("no answer")?;
    let head = String::from_utf8_lossy(&answer[..end]).into_owned();
    let mut lines = head.lines();
    let status = lines.next().and_then(|line| line.split(' ').nth(1)).context("no status")?;
    let is_head = request.method == "HEAD";
    let headers = lines.filter_map(|line| line.split_once(':'));
    let headers = headers.map(|(name, value)| (name.to_ascii_lowercase(), value.trim().to_owned()));
    let headers = headers
        .filter(|(name, _)| !OWN.contains(&&**name) || (is_head && name == "content-length"));
    let (status, headers) = (status.parse()?, headers.collect());
    Ok(Answer { status, headers, body: answer.split_off(end + 4) })
}
