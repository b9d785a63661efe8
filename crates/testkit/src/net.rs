//! Free ports and plain questions to a socket.

use std::collections::HashSet;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::ops::Range;
use std::sync::Mutex;
use std::time::Duration;

use anyhow::{Context, Result, bail};

/// Below the ports that Linux gives to outgoing connections (32768 and up), so that no client
/// takes a port between its choice and its use.
const PORTS: Range<u16> = 22_000..32_000;
/// Redis Cluster nodes also use port + 10,000.
const CLUSTER_PORTS: Range<u16> = 12_000..21_900;
const CLUSTER_BUS: u16 = 10_000;

static TAKEN: Mutex<Option<HashSet<u16>>> = Mutex::new(None);

/// A port on 127.0.0.1 on which nothing listens, and which this process was not given before.
///
/// # Errors
/// When there is none.
pub fn free_port() -> Result<u16> {
    take(PORTS, &[0])
}

/// A free port whose cluster bus port is free too.
pub(crate) fn free_cluster_port() -> Result<u16> {
    take(CLUSTER_PORTS, &[0, CLUSTER_BUS])
}

fn take(range: Range<u16>, offsets: &[u16]) -> Result<u16> {
    let mut taken = TAKEN.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    let taken = taken.get_or_insert_default();
    // Processes that run at the same time start at different places.
    let nanos = std::time::UNIX_EPOCH.elapsed().map_or(0, |since| since.subsec_nanos());
    let length = u32::from(range.end - range.start);
    let start = (nanos / 1_000).wrapping_add(std::process::id().wrapping_mul(7_919)) % length;
    for step in 0..length {
        let offset = u16::try_from((start + step) % length).context("a port is below 65,536")?;
        let port = range.start + offset;
        let all_free = offsets.iter().all(|offset| {
            let port = port + offset;
            !taken.contains(&port) && TcpListener::bind(("127.0.0.1", port)).is_ok()
        });
        if all_free {
            taken.extend(offsets.iter().map(|offset| port + offset));
            return Ok(port);
        }
    }
    bail!("no free port between {} and {}", range.start, range.end)
}

/// Whether something accepts connections on 127.0.0.1 at this port.
pub fn accepts(port: u16) -> bool {
    let address = SocketAddr::from(([127, 0, 0, 1], port));
    TcpStream::connect_timeout(&address, Duration::from_secs(1)).is_ok()
}

/// The status and body of `GET path`, over a connection of its own; each step at most a minute.
///
/// # Errors
/// When there is no connection or no HTTP answer.
pub fn http_get(address: SocketAddr, path: &str) -> Result<(u16, String)> {
    http(address, "GET", path)
}

/// As [`http_get`], with another method and no body.
pub(crate) fn http(address: SocketAddr, method: &str, path: &str) -> Result<(u16, String)> {
    // One emulator serves many tests at once, on a machine that may be busy.
    let timeout = Duration::from_secs(60);
    let mut stream = TcpStream::connect_timeout(&address, timeout)?;
    stream.set_read_timeout(Some(timeout))?;
    stream.set_write_timeout(Some(timeout))?;
    let length = if method == "GET" { "" } else { "Content-Length: 0\r\n" };
    write!(
        stream,
        "{method} {path} HTTP/1.0\r\nHost: {address}\r\n{length}Connection: close\r\n\r\n"
    )?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer)?;
    let answer = String::from_utf8_lossy(&answer);
    let (head, body) = answer.split_once("\r\n\r\n").context("no HTTP answer")?;
    let status = head.split(' ').nth(1).and_then(|status| status.parse().ok());
    Ok((status.context("no HTTP status")?, body.to_owned()))
}
