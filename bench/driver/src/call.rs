//! Single requests, for setting things up.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use anyhow::{Context, Result, bail};
use serde_json::Value;

use crate::answer::Answer;
use crate::requests::Requests;

const TIMEOUT: Duration = Duration::from_secs(30);

/// Sends one request and returns status and body.
///
/// # Errors
/// When there is no answer.
pub(crate) fn call(
    port: u16,
    method: &str,
    path: &str,
    token: Option<&str>,
    body: Option<&Value>,
) -> Result<(u16, Vec<u8>)> {
    let mut stream = TcpStream::connect(SocketAddr::from(([127, 0, 0, 1], port)))?;
    stream.set_read_timeout(Some(TIMEOUT))?;
    let body = body.map(Value::to_string);
    let mut request = Vec::new();
    Requests::new(method, path, token, body.as_deref()).write(&mut request);
    stream.write_all(&request)?;
    let mut buffer = Vec::new();
    let mut part = [0; 16 * 1024];
    loop {
        let bytes = stream.read(&mut part)?;
        if bytes == 0 {
            bail!("{method} {path}: the connection was closed");
        }
        buffer.extend_from_slice(&part[..bytes]);
        if let Some(answer) = Answer::find(&buffer)? {
            return Ok((answer.status, buffer[answer.head_bytes..answer.len()].to_vec()));
        }
    }
}

/// Sends one request whose answer has to be JSON with a status of success.
///
/// # Errors
/// With the text of another answer.
pub(crate) fn call_json(
    port: u16,
    method: &str,
    path: &str,
    token: Option<&str>,
    body: &Value,
) -> Result<Value> {
    let (status, text) = call(port, method, path, token, Some(body))?;
    if !(200..300).contains(&status) {
        bail!("{method} {path}: {status} {}", String::from_utf8_lossy(&text));
    }
    serde_json::from_slice(&text).with_context(|| format!("{method} {path}"))
}
