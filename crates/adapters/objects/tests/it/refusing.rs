//! A server that lets everything pass but what it is told to refuse, as rights of a bucket do.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::thread;

/// Listens on 127.0.0.1 until the process ends; its address. Requests with this method, to a key that
/// is there or not, are answered 403; an object is there when it was written before.
pub(crate) fn refusing(method: &'static str) -> String {
    let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let port = listener.local_addr().unwrap().port();
    thread::spawn(move || {
        for client in listener.incoming().flatten() {
            thread::spawn(move || while exchange(&client, method).is_some() {});
        }
    });
    format!("http://127.0.0.1:{port}")
}

fn exchange(mut client: &TcpStream, refused: &str) -> Option<()> {
    let mut reader = BufReader::new(client);
    let (mut line, mut length) = (String::new(), 0);
    reader.read_line(&mut line).ok().filter(|read| *read > 0)?;
    let method = line.split(' ').next()?.to_owned();
    loop {
        let mut header = String::new();
        reader.read_line(&mut header).ok().filter(|read| *read > 2)?;
        let (name, value) = header.trim_end().split_once(": ").unwrap_or_default();
        if name.eq_ignore_ascii_case("content-length") {
            length = value.parse().ok()?;
        }
        if reader.buffer().starts_with(b"\r\n") {
            break;
        }
    }
    let mut body = vec![0; length + 2];
    reader.read_exact(&mut body).ok()?;
    let (status, text) = match method.as_str() {
        method if method == refused => ("403 Forbidden", ""),
        "HEAD" => ("404 Not Found", ""),
        "GET" => ("200 OK", "outrigger doctor"),
        _ => ("200 OK", ""),
    };
    let fixed = "ETag: \"1\"\r\nLast-Modified: Sat, 21 Nov 2026 22:00:00 GMT";
    let length = text.len();
    write!(client, "HTTP/1.1 {status}\r\n{fixed}\r\nContent-Length: {length}\r\n\r\n{text}").ok()
}
