//! One JSON request over a connection of its own.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use anyhow::{Context, Result, bail};
use serde_json::Value;

/// Sends `body` and gives the answer's JSON.
///
/// # Errors
/// When there is no answer or its status is not 2xx; with the status and the body.
pub(super) fn send(
    address: SocketAddr,
    method: &str,
    path: &str,
    token: &str,
    body: &Value,
) -> Result<Value> {
    let place = || format!("{method} {path}");
    let timeout = Some(Duration::from_secs(60));
    let mut stream = TcpStream::connect(address).with_context(place)?;
    stream.set_read_timeout(timeout)?;
    stream.set_write_timeout(timeout)?;
    let body = body.to_string();
    write!(
        stream,
        "{method} {path} HTTP/1.0\r\nHost: {address}\r\nConnection: close\r\n\
         Content-Type: application/json\r\nContent-Length: {}\r\n{}\r\n{body}",
        body.len(),
        if token.is_empty() { String::new() } else { format!("Authorization: Bearer {token}\r\n") },
    )
    .with_context(place)?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).with_context(place)?;
    let (head, body) = answer.split_once("\r\n\r\n").with_context(place)?;
    let status = head.split(' ').nth(1).unwrap_or_default();
    if !status.starts_with('2') {
        bail!("{}: {status} {body}", place());
    }
    serde_json::from_str(body).with_context(place)
}
