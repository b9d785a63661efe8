//! A web server that remembers what it was sent, and answers as it was told.

use std::collections::VecDeque;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use anyhow::{Context, Result};

/// One request that came.
#[derive(Clone, Debug)]
pub struct Received {
    /// Such as `POST`.
    pub method: String,
    /// The path and query.
    pub path: String,
    /// Names in lower case, and values.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Vec<u8>,
}

impl Received {
    /// The value of the header, or nothing.
    pub fn header(&self, name: &str) -> &str {
        let found = self.headers.iter().find(|(known, _)| known == name);
        found.map_or("", |(_, value)| value)
    }
}

#[derive(Debug, Default)]
struct Script {
    answers: VecDeque<String>,
    received: Vec<Received>,
}

/// A web server on 127.0.0.1; it runs until the process ends.
#[derive(Clone, Debug)]
pub struct Receiver {
    port: u16,
    script: Arc<Mutex<Script>>,
}

impl Receiver {
    /// Starts one on any free port.
    ///
    /// # Errors
    /// When it cannot listen.
    pub fn start() -> Result<Self> {
        let listener = TcpListener::bind(("127.0.0.1", 0)).context("a receiver's port")?;
        let port = listener.local_addr()?.port();
        let script = Arc::new(Mutex::new(Script::default()));
        let receiver = Self { port, script };
        let server = receiver.clone();
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let server = server.clone();
                thread::spawn(move || server.serve(stream));
            }
        });
        Ok(receiver)
    }

    /// The port.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// A URL with this path on it.
    pub fn url(&self, path: &str) -> String {
        format!("http://127.0.0.1:{}{path}", self.port)
    }

    /// The next request gets this answer: status line, headers and body as they go over the wire,
    /// without the length and the empty line, such as `503 Busy\r\nRetry-After: 1`.
    pub fn answer(&self, head: &str, body: &str) {
        self.script().answers.push_back(text(head, body));
    }

    /// The next request gets nothing at all: the connection stays open.
    pub fn stay_silent(&self) {
        self.script().answers.push_back(String::new());
    }

    /// The requests so far, the first first.
    pub fn received(&self) -> Vec<Received> {
        self.script().received.clone()
    }

    fn script(&self) -> MutexGuard<'_, Script> {
        self.script.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn serve(&self, mut stream: TcpStream) -> Option<()> {
        let received = read(&mut BufReader::new(&stream))?;
        let answer = {
            let mut script = self.script();
            script.received.push(received);
            script.answers.pop_front()
        };
        let answer = answer.unwrap_or_else(|| text("200 OK\r\nContent-Type: text/plain", "ok"));
        if answer.is_empty() {
            stream.set_read_timeout(Some(Duration::from_secs(60))).ok()?;
            let _ = stream.read(&mut [0]);
            return None;
        }
        stream.write_all(answer.as_bytes()).ok()
    }
}

/// An answer after which the connection ends: else a client that is quick sends its next request on one
/// that is about to be closed.
fn text(head: &str, body: &str) -> String {
    let length = body.len();
    format!("HTTP/1.1 {head}\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n{body}")
}

/// The next request of a connection, if another one comes.
pub(crate) fn read(reader: &mut impl BufRead) -> Option<Received> {
    let mut line = String::new();
    reader.read_line(&mut line).ok()?;
    let mut words = line.split_whitespace().map(ToOwned::to_owned);
    let (method, path) = (words.next()?, words.next()?);
    let mut headers = Vec::new();
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).ok()?;
        let Some((name, value)) = line.trim_end().split_once(':') else { break };
        headers.push((name.to_ascii_lowercase(), value.trim().to_owned()));
    }
    let mut received = Received { method, path, headers, body: Vec::new() };
    let length = received.header("content-length").parse().unwrap_or(0);
    received.body.resize(length, 0);
    reader.read_exact(&mut received.body).ok()?;
    Some(received)
}
