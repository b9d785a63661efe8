//! Waiting for a condition with a deadline.

use std::time::{Duration, Instant};

use anyhow::{Result, bail};

/// Asks every few milliseconds until `check` gives a value, at most for `timeout`.
///
/// # Errors
/// Names `what` and the last thing that `check` said when time is up.
pub fn eventually<T>(
    what: &str,
    timeout: Duration,
    mut check: impl FnMut() -> Result<T>,
) -> Result<T> {
    let deadline = Instant::now() + timeout;
    let mut pause = Duration::from_millis(2);
    loop {
        let said = match check() {
            Ok(value) => return Ok(value),
            Err(error) => error,
        };
        if Instant::now() >= deadline {
            return Err(said.context(format!("{what}: not within {timeout:?}")));
        }
        std::thread::sleep(pause);
        pause = (pause * 2).min(Duration::from_millis(25));
    }
}

/// Asks every few milliseconds until `check` is true, at most for `timeout`.
///
/// # Errors
/// Names `what` when time is up.
pub fn wait_until(what: &str, timeout: Duration, mut check: impl FnMut() -> bool) -> Result<()> {
    eventually(what, timeout, || if check() { Ok(()) } else { bail!("it is not so") })
}
