//! Stands before an emulator and does what AWS does now and then, and the emulator never: refuses
//! requests for their number, cancels transactions that meet others, loses requests and answers.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;

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
