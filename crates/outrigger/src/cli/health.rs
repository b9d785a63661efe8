//! `outrigger health`: for containers that have no other program to ask with.

use std::io::{Read, Write};
use std::net::{TcpStream, ToSocketAddrs};
use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context, Result};

use super::say;
use crate::config::Config;

const TIMEOUT: Duration = Duration::from_secs(3);

pub(super) fn run(config: &Config) -> Result<ExitCode> {
    let place = ("127.0.0.1", config.http.internal_port);
    let address = place.to_socket_addrs()?.next().context("no address")?;
    let mut stream = TcpStream::connect_timeout(&address, TIMEOUT)
        .with_context(|| format!("nothing listens on {address} (http.internal_port)"))?;
    stream.set_read_timeout(Some(TIMEOUT))?;
    stream
        .write_all(b"GET /health/live HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n")?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).context("the process does not answer")?;
    let status = answer.split(' ').nth(1).unwrap_or_default();
    say(answer.lines().last().unwrap_or_default());
    Ok(if status == "200" { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
