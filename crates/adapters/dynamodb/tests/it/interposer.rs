//! Stands before an emulator and does what AWS does now and then, and the emulator never: refuses
//! requests for their number, cancels transactions that meet others, loses requests and answers.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;

use serde_json::json;

/// The one request that writes.
pub(crate) const TRANSACT: &str = "TransactWriteItems";

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
    /// It is passed on, and answered with an error of the service.
    Break,
    /// Nothing of what was to be read is, for now.
    LeaveOut,
    /// The caller may not do this.
    Deny,
}

/// Does it by the names of operations.
pub(crate) type Interposer = outrigger_testkit::Interposer<Fault>;

/// One before the server on this port.
pub(crate) fn before(server: u16) -> Interposer {
    // A lost request or answer ends the connection.
    Interposer::start(
        move |interposer, client| {
            while exchange(interposer, &client, server).is_some() {}
        },
    )
    .unwrap()
}

fn exchange(interposer: &Interposer, client: &TcpStream, server: u16) -> Option<()> {
    let (head, body) = message(client)?;
    let mut client = client;
    let fault = interposer.fault(|operation| head.contains(&format!(".{operation}\r")));
    match fault {
        Some(Fault::Throttle) => {
            let said = r#""message":"too many requests""#;
            return refuse(client, "ProvisionedThroughputExceededException", said);
        }
        Some(Fault::Conflict) => {
            let said = r#""Message":"cancelled","CancellationReasons":[{"Code":"TransactionConflict","Message":"ongoing"}]"#;
            return refuse(client, "TransactionCanceledException", said);
        }
        Some(Fault::Deny) => {
            return refuse(client, "AccessDeniedException", r#""Message":"not authorized""#);
        }
        Some(Fault::LeaveOut) => {
            let mut asked: serde_json::Value = serde_json::from_slice(&body).ok()?;
            let left = json!({"Responses": {}, "UnprocessedKeys": asked["RequestItems"].take()});
            return answer(client, "200 OK", &left.to_string());
        }
        Some(Fault::LoseRequest) => return None,
        Some(Fault::LoseAnswer | Fault::Break) | None => {}
    }
    let mut server = TcpStream::connect(("127.0.0.1", server)).ok()?;
    server.write_all(head.as_bytes()).ok()?;
    server.write_all(&body).ok()?;
    let (head, body) = message(&server)?;
    match fault {
        None => {}
        Some(Fault::Break) => {
            return answer(client, "500 Internal Server Error", r#"{"__type":"InternalFailure"}"#);
        }
        Some(_) => return None,
    }
    client.write_all(head.as_bytes()).ok()?;
    client.write_all(&body).ok()
}

fn refuse(client: &TcpStream, code: &str, said: &str) -> Option<()> {
    let body = format!(r#"{{"__type":"com.amazonaws.dynamodb.v20120810#{code}",{said}}}"#);
    answer(client, "400 Bad Request", &body)
}

fn answer(mut client: &TcpStream, status: &str, body: &str) -> Option<()> {
    let head = format!("HTTP/1.1 {status}\r\nContent-Type: application/x-amz-json-1.0\r\n");
    write!(client, "{head}Content-Length: {}\r\n\r\n{body}", body.len()).ok()
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
