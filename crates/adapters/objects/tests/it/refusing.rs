//! A server that lets everything pass but what it is told to refuse, as rights of a bucket do.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::thread;

const BEGUN: &str =
    "<InitiateMultipartUploadResult><UploadId>1</UploadId></InitiateMultipartUploadResult>";

/// What it does not do as it should.
#[derive(Clone, Copy, Debug)]
struct Fault {
    /// Requests with this method are answered 403...
    refused: &'static str,
    /// ...if they are of uploads in parts, or if they are not.
    of_parts: bool,
    /// What is there is written over by requests that say not to.
    overwrites: bool,
}

/// Listens on 127.0.0.1 until the process ends; its address. Requests with this method, for
/// uploads in parts or for whole objects, are answered 403; others as if there were just what the probe
/// writes.
pub(crate) fn refusing(refused: &'static str, of_parts: bool) -> String {
    listen(Fault { refused, of_parts, overwrites: false })
}

/// The same, but nothing is refused, not even to write over what is there.
pub(crate) fn overwriting() -> String {
    listen(Fault { refused: "", of_parts: false, overwrites: true })
}

fn listen(fault: Fault) -> String {
    let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let port = listener.local_addr().unwrap().port();
    thread::spawn(move || {
        for client in listener.incoming().flatten() {
            thread::spawn(move || while exchange(&client, fault).is_some() {});
        }
    });
    format!("http://127.0.0.1:{port}")
}

fn exchange(mut client: &TcpStream, fault: Fault) -> Option<()> {
    let mut reader = BufReader::new(client);
    let (mut line, mut length, mut is_only_new) = (String::new(), 0, false);
    reader.read_line(&mut line).ok().filter(|read| *read > 0)?;
    loop {
        let mut header = String::new();
        reader.read_line(&mut header).ok().filter(|read| *read > 2)?;
        let (name, value) = header.trim_end().split_once(": ").unwrap_or_default();
        if name.eq_ignore_ascii_case("content-length") {
            length = value.parse().ok()?;
        }
        is_only_new |= name.eq_ignore_ascii_case("if-none-match");
        if reader.buffer().starts_with(b"\r\n") {
            break;
        }
    }
    let mut body = vec![0; length + 2];
    reader.read_exact(&mut body).ok()?;
    let is_of_parts = line.contains("?upload");
    let (status, text) = match line.split(' ').next()? {
        method if method == fault.refused && is_of_parts == fault.of_parts => ("403 Forbidden", ""),
        "HEAD" => ("404 Not Found", ""),
        "POST" => ("200 OK", BEGUN),
        "GET" if is_of_parts => ("200 OK", "<ListMultipartUploadsResult/>"),
        "GET" => ("200 OK", "outrigger doctor"),
        "PUT" if is_only_new && !fault.overwrites => ("412 Precondition Failed", ""),
        _ => ("200 OK", ""),
    };
    let fixed = "ETag: \"1\"\r\nLast-Modified: Sat, 21 Nov 2026 22:00:00 GMT";
    let length = text.len();
    write!(client, "HTTP/1.1 {status}\r\n{fixed}\r\nContent-Length: {length}\r\n\r\n{text}").ok()
}
