//! Stands before an emulator and does what AWS does now and then, and the emulator never: refuses
//! requests for their number, cancels transactions that meet others, loses requests and answers.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

/// What is done instead of passing a request on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    /// It is over the table's capacity.
    Throttle,
    /// Another transaction is at the same items.
    Conflict,
    /// The request gets lost.
    LoseRequest,
    /// It is passed on, and the answer gets lost.
    LoseAnswer,
}

#[derive(Clone, Copy, Debug)]
struct Rule {
    operation: &'static str,
    left: usize,
    fault: Fault,
}

/// Listens on 127.0.0.1 until the process ends.
#[derive(Clone, Debug)]
pub(crate) struct Interposer {
    port: u16,
    rules: Arc<Mutex<Vec<Rule>>>,
}

impl Interposer {
    /// One before the server on this port.
    pub(crate) fn before(server: u16) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let port = listener.local_addr().unwrap().port();
        let interposer = Self { port, rules: Arc::default() };
        let serving = interposer.clone();
        thread::spawn(move || {
            for client in listener.incoming().flatten() {
                let serving = serving.clone();
                // A lost request or answer ends the connection.
                thread::spawn(move || while serving.exchange(&client, server).is_some() {});
            }
        });
        interposer
    }

    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    /// The next `count` requests of this operation meet the fault.
    pub(crate) fn next(&self, count: usize, operation: &'static str, fault: Fault) {
        let mut rules = self.rules.lock().unwrap_or_else(PoisonError::into_inner);
        rules.push(Rule { operation, left: count, fault });
    }

    /// From now on everything is passed on; how many faults were still to come.
    pub(crate) fn relent(&self) -> usize {
        let mut rules = self.rules.lock().unwrap_or_else(PoisonError::into_inner);
        rules.drain(..).map(|rule| rule.left).sum()
    }

    fn fault(&self, head: &str) -> Option<Fault> {
        let mut rules = self.rules.lock().unwrap_or_else(PoisonError::into_inner);
        let is =
            |rule: &&mut Rule| rule.left > 0 && head.contains(&format!(".{}\r", rule.operation));
        let rule = rules.iter_mut().find(is)?;
        rule.left -= 1;
        Some(rule.fault)
    }

    fn exchange(&self, client: &TcpStream, server: u16) -> Option<()> {
        let (head, body) = message(client)?;
        let mut client = client;
        let fault = self.fault(&head);
        match fault {
            Some(Fault::Throttle) => {
                let said = r#""message":"too many requests""#;
                return refuse(client, "ProvisionedThroughputExceededException", said);
            }
            Some(Fault::Conflict) => {
                let said = r#""Message":"cancelled","CancellationReasons":[{"Code":"TransactionConflict","Message":"ongoing"}]"#;
                return refuse(client, "TransactionCanceledException", said);
            }
            Some(Fault::LoseRequest) => return None,
            Some(Fault::LoseAnswer) | None => {}
        }
        let mut server = TcpStream::connect(("127.0.0.1", server)).ok()?;
        server.write_all(head.as_bytes()).ok()?;
        server.write_all(&body).ok()?;
        let (head, body) = message(&server)?;
        if fault.is_some() {
            return None;
        }
        client.write_all(head.as_bytes()).ok()?;
        client.write_all(&body).ok()
    }
}

fn refuse(mut client: &TcpStream, code: &str, said: &str) -> Option<()> {
    let body = format!(r#"{{"__type":"com.amazonaws.dynamodb.v20120810#{code}",{said}}}"#);
    let head = "HTTP/1.1 400 Bad Request\r\nContent-Type: application/x-amz-json-1.0\r\n";
    let length = body.len();
    write!(client, "{head}Content-Length: {length}\r\n\r\n{body}").ok()
}

/// The head, with the empty line after it, and the body of a request or an answer.
fn message(stream: &TcpStream) -> Option<(String, Vec<u8>)> {
    let mut reader = BufReader::new(stream);
    let (mut head, mut length) = (String::new(), 0);
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line).ok()? == 0 {
            return None;
        }
        let (name, value) = line.split_once(':').unwrap_or_default();
        if name.eq_ignore_ascii_case("content-length") {
            length = value.trim().parse().ok()?;
        }
        head.push_str(&line);
        if line == "\r\n" {
            break;
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).ok()?;
    Some((head, body))
}
