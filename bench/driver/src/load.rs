//! The load: connections that each wait for an answer before they send the next request (a closed
//! loop), on one thread, with as few system calls as can be: it shares the machine with what it
//! measures.

use std::io::{ErrorKind, Read, Write};
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use mio::net::TcpStream;
use mio::{Events, Interest, Poll, Token};

use crate::answer::Answer;
use crate::requests::{Digits, Requests};

/// Longest time without any answer.
const PATIENCE: Duration = Duration::from_secs(20);
const BUFFER_BYTES: usize = 64 * 1024;

/// When the load ends.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Until {
    /// After this time; answers that come later are checked and counted apart.
    Time(Duration),
    /// After this many answers.
    Count(u32),
}

/// What came of it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Outcome {
    /// Answers in time.
    pub(crate) answers: u32,
    /// Answers that came after the time was over: to requests that were on their way.
    pub(crate) late: u32,
    /// How long it took.
    pub(crate) took: Duration,
    /// How long each answer took, in nanoseconds, at most 4 s.
    pub(crate) latencies: Vec<u32>,
}

/// Sends requests over `connections` connections.
///
/// # Errors
/// With the text of the first answer that is not as expected, or when no answer comes.
pub(crate) fn run(
    port: u16,
    connections: usize,
    requests: &mut Requests,
    until: Until,
) -> Result<Outcome> {
    Loop::open(port, connections)?.run(requests, until)
}

struct Loop {
    poll: Poll,
    connections: Vec<Connection>,
    buffer: Vec<u8>,
}

struct Connection {
    stream: TcpStream,
    request: Vec<u8>,
    sent: usize,
    /// What has come of an answer that was not complete.
    partial: Vec<u8>,
    number: Digits,
    started: Instant,
}

impl Loop {
    fn open(port: u16, count: usize) -> Result<Self> {
        let poll = Poll::new()?;
        let mut connections = Vec::with_capacity(count);
        for number in 0..count {
            let address = SocketAddr::from(([127, 0, 0, 1], port));
            let stream = std::net::TcpStream::connect(address)?;
            stream.set_nodelay(true)?;
            stream.set_nonblocking(true)?;
            let mut stream = TcpStream::from_std(stream);
            let both = Interest::READABLE | Interest::WRITABLE;
            poll.registry().register(&mut stream, Token(number), both)?;
            connections.push(Connection {
                stream,
                request: Vec::new(),
                sent: 0,
                partial: Vec::new(),
                number: Digits::default(),
                started: Instant::now(),
            });
        }
        Ok(Self { poll, connections, buffer: vec![0; BUFFER_BYTES] })
    }

    fn run(mut self, requests: &mut Requests, until: Until) -> Result<Outcome> {
        let mut outcome = Outcome::default();
        let started = Instant::now();
        let mut unsent = match until {
            Until::Count(count) => count,
            Until::Time(_) => u32::MAX,
        };
        let mut waiting = 0;
        for connection in &mut self.connections {
            if unsent > 0 {
                connection.start(requests)?;
                unsent -= 1;
                waiting += 1;
            }
        }
        let mut events = Events::with_capacity(self.connections.len());
        while waiting > 0 {
            self.poll.poll(&mut events, Some(PATIENCE)).context("epoll")?;
            if events.is_empty() {
                bail!("no answer within {PATIENCE:?}");
            }
            for event in &events {
                let connection = &mut self.connections[event.token().0];
                if event.is_writable() {
                    connection.send()?;
                }
                if !connection.receive(&mut self.buffer, requests)? {
                    continue;
                }
                let now = Instant::now();
                let is_late = matches!(until, Until::Time(time) if now - started > time);
                if is_late {
                    outcome.late += 1;
                } else {
                    outcome.answers += 1;
                    let nanos = (now - connection.started).as_nanos();
                    outcome.latencies.push(u32::try_from(nanos).unwrap_or(u32::MAX));
                    outcome.took = now - started;
                }
                if is_late || unsent == 0 {
                    waiting -= 1;
                } else {
                    unsent -= 1;
                    connection.start(requests)?;
                }
            }
        }
        if let Until::Time(time) = until {
            outcome.took = time;
        }
        Ok(outcome)
    }
}

impl Connection {
    fn start(&mut self, requests: &mut Requests) -> Result<()> {
        self.number = requests.write(&mut self.request);
        self.sent = 0;
        self.started = Instant::now();
        self.send()
    }

    fn send(&mut self) -> Result<()> {
        while self.sent < self.request.len() {
            match self.stream.write(&self.request[self.sent..]) {
                Ok(0) => bail!("the connection was closed"),
                Ok(bytes) => self.sent += bytes,
                Err(error) if error.kind() == ErrorKind::WouldBlock => break,
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(error).context("sending"),
            }
        }
        Ok(())
    }

    /// Takes what has come; true with the end of the answer. After that nothing more can come
    /// before the next request, so one read is enough for most answers.
    fn receive(&mut self, buffer: &mut [u8], requests: &Requests) -> Result<bool> {
        loop {
            let bytes = match self.stream.read(buffer) {
                Ok(0) => bail!("the connection was closed"),
                Ok(bytes) => bytes,
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(false),
                Err(error) if error.kind() == ErrorKind::Interrupted => continue,
                Err(error) => return Err(error).context("receiving"),
            };
            let come = if self.partial.is_empty() {
                &buffer[..bytes]
            } else {
                self.partial.extend_from_slice(&buffer[..bytes]);
                &self.partial
            };
            if let Some(answer) = Answer::find(come)? {
                let about = requests.is_echoed.then_some(&self.number[..]);
                requests.expected.check(answer, come, about)?;
                self.partial.clear();
                return Ok(true);
            }
            if self.partial.is_empty() {
                self.partial.extend_from_slice(&buffer[..bytes]);
            }
        }
    }
}
