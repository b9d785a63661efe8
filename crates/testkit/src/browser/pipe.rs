//! Messages to and from the browser: JSON, each with a zero byte at its end.

use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdin};
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use anyhow::{Context, Result, anyhow, bail};
use serde_json::{Value, json};

/// An answer is there within this, which is longer than what a page may be waited for.
const PATIENCE: Duration = Duration::from_secs(180);

/// It ends within this when it is asked to.
const END: Duration = Duration::from_secs(5);

/// The two ends of a browser, which is ended with them.
#[derive(Debug)]
pub(super) struct Pipe {
    child: Child,
    to: ChildStdin,
    from: Receiver<Value>,
    last: u64,
    /// What the browser said by itself, since it was asked for last.
    told: Vec<Value>,
}

impl Pipe {
    pub(super) fn of(mut child: Child) -> Result<Self> {
        let to = child.stdin.take().context("the browser has no input")?;
        let output = child.stdout.take().context("the browser has no output")?;
        let (sender, from) = channel();
        std::thread::spawn(move || {
            let messages = BufReader::new(output).split(0).map_while(Result::ok);
            for message in messages.filter_map(|text| serde_json::from_slice(&text).ok()) {
                if sender.send(message).is_err() {
                    break;
                }
            }
        });
        Ok(Self { child, to, from, last: 0, told: Vec::new() })
    }

    /// Calls a method, of a session where one is named, and waits for its answer.
    ///
    /// # Errors
    /// What the browser says is wrong, or that it has ended.
    pub(super) fn call(
        &mut self,
        method: &str,
        session: Option<&str>,
        params: &Value,
    ) -> Result<Value> {
        self.last += 1;
        let mut message = json!({"id": self.last, "method": method, "params": params});
        if let Some(session) = session {
            message["sessionId"] = session.into();
        }
        let mut text = message.to_string().into_bytes();
        text.push(0);
        self.to.write_all(&text).context("the browser has ended")?;
        loop {
            let answer = self.from.recv_timeout(PATIENCE);
            let mut answer =
                answer.map_err(|_| anyhow!("{method}: the browser does not answer"))?;
            if answer["id"] != self.last {
                self.told.push(answer);
                continue;
            }
            if let Some(error) = answer.get("error") {
                bail!("{method}: {error}");
            }
            return Ok(answer["result"].take());
        }
    }

    /// What the browser said by itself on this session since this was asked last.
    pub(super) fn told(&mut self, session: &str) -> Vec<Value> {
        let all = std::mem::take(&mut self.told);
        let (mine, rest) = all.into_iter().partition(|told| told["sessionId"] == session);
        self.told = rest;
        mine
    }
}

impl Drop for Pipe {
    /// Asked, it takes its helpers with it.
    fn drop(&mut self) {
        let _ = self.call("Browser.close", None, &json!({}));
        // It has said all that it will: this ends with it.
        while self.from.recv_timeout(END).is_ok() {}
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
