//! Watching what clients send to Redis. Its own counters also count each command inside a script.

use std::io::{BufRead, BufReader, ErrorKind, Write as _};
use std::net::{Ipv4Addr, TcpStream};
use std::time::{Duration, Instant};

use anyhow::{Result, bail};

/// Of commands that scripts do, this stands where the client's address stands of others.
const BY_A_SCRIPT: &str = " lua]";
const PAUSE: Duration = Duration::from_millis(100);

/// How many commands clients send in this time.
///
/// # Errors
/// When the server does not let itself be watched.
pub(super) fn commands(port: u16, time: Duration) -> Result<u32> {
    let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port))?;
    stream.write_all(b"MONITOR\r\n")?;
    stream.set_read_timeout(Some(PAUSE))?;
    let mut lines = BufReader::new(stream);
    let (began, mut line, mut sent) = (Instant::now(), String::new(), 0);
    while began.elapsed() < time {
        match lines.read_line(&mut line) {
            Ok(0) => bail!("redis has closed the connection that watches it"),
            Ok(_) => {
                sent += u32::from(is_command(&line) && !line.contains(BY_A_SCRIPT));
                line.clear();
            }
            // What was read so far stays in the line.
            Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Ok(sent)
}

/// `+1699.2 [0 127.0.0.1:5000] "PING"`, not `+OK`.
fn is_command(line: &str) -> bool {
    line.starts_with('+') && line.contains(" [")
}

#[cfg(test)]
mod tests {
    use super::*;
    use outrigger_testkit::Redis;

    /// A busy machine needs some of it until the watch has begun and the script is sent.
    const TIME: Duration = Duration::from_secs(10);

    #[test]
    fn commands_of_clients_are_counted_and_those_inside_scripts_are_not() {
        let redis = Redis::start().unwrap();
        let port = redis.port();
        let watched = std::thread::spawn(move || commands(port, TIME).unwrap());
        let is_watched = || redis.cli(&["CLIENT", "LIST"]).unwrap().contains("cmd=monitor");
        outrigger_testkit::wait_until("it watches", TIME, is_watched).unwrap();
        let script = "for i = 1, 100 do redis.call('GET', 'a') end";
        redis.cli(&["EVAL", script, "0"]).unwrap();
        let sent = watched.join().unwrap();
        assert!((1..100).contains(&sent), "{sent}");
    }
}
