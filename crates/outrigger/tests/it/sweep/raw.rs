//! Requests byte by byte, also such as no client library sends.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use crate::support::Answer;

/// Sends these bytes over a connection of its own, and reads until the server closes it or has
/// been silent for a moment after an answer. `None` when nothing came back.
pub(super) fn exchange(port: u16, bytes: &[u8]) -> Option<Answer> {
    let mut stream =
        TcpStream::connect(SocketAddr::from(([127, 0, 0, 1], port))).expect("a connection");
    stream.set_read_timeout(Some(Duration::from_secs(30))).expect("a timeout");
    // The server may have refused before it has read everything.
    let _ = stream.write_all(bytes);
    read_answer(&mut stream)
}

/// Reads one answer.
pub(super) fn read_answer(stream: &mut TcpStream) -> Option<Answer> {
    let mut answer = Vec::new();
    let mut buffer = [0; 8_192];
    loop {
        match stream.read(&mut buffer) {
            Ok(0) | Err(_) => break,
            Ok(count) => answer.extend_from_slice(&buffer[..count]),
        }
        if is_complete(&answer) {
            break;
        }
    }
    parse(&answer)
}

fn head_of(answer: &[u8]) -> Option<(String, usize)> {
    let end = answer.windows(4).position(|window| window == b"\r\n\r\n")?;
    Some((String::from_utf8_lossy(&answer[..end]).into_owned(), end + 4))
}

fn is_complete(answer: &[u8]) -> bool {
    let Some((head, start)) = head_of(answer) else { return false };
    let length = head.to_ascii_lowercase().lines().find_map(|line| {
        line.strip_prefix("content-length:").and_then(|length| length.trim().parse::<usize>().ok())
    });
    length.is_some_and(|length| answer.len() >= start + length)
}

fn parse(answer: &[u8]) -> Option<Answer> {
    let (head, start) = head_of(answer)?;
    let mut lines = head.lines();
    let status = lines.next()?.split(' ').nth(1)?.parse().ok()?;
    let headers = lines.filter_map(|line| line.split_once(':'));
    let headers = headers.map(|(name, value)| (name.to_owned(), value.trim().to_owned())).collect();
    Some(Answer { status, headers, text: String::from_utf8_lossy(&answer[start..]).into_owned() })
}

/// A request with a body of any bytes.
pub(super) fn request(method: &str, path: &str, headers: &[(&str, &str)], body: &[u8]) -> Vec<u8> {
    let mut text = format!("{method} {path} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n");
    for (name, value) in headers {
        text = format!("{text}{name}: {value}\r\n");
    }
    text = format!("{text}content-length: {}\r\n\r\n", body.len());
    [text.as_bytes(), body].concat()
}
