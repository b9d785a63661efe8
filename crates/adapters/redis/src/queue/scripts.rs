//! The scripts of the queue, and how their arguments are written.

use std::io::Write as _;

use redis::{RedisWrite, ToRedisArgs};

use crate::script::Script;

/// A script behind what all of them share.
macro_rules! queue_script {
    ($name:literal) => {
        Script::new(concat!(
            include_str!("../scripts/queue_common.lua"),
            include_str!(concat!("../scripts/queue_", $name, ".lua"))
        ))
    };
}

/// One per thing that is done to a queue.
#[derive(Debug)]
pub(super) struct Scripts {
    pub(super) enqueue: Script,
    pub(super) claim: Script,
    pub(super) beat: Script,
    pub(super) lost: Script,
    pub(super) settle: Script,
    pub(super) tend: Script,
    pub(super) change: Script,
    pub(super) list: Script,
    pub(super) queues: Script,
    pub(super) pause: Script,
}

impl Scripts {
    pub(super) fn new() -> Self {
        Self {
            enqueue: queue_script!("enqueue"),
            claim: queue_script!("claim"),
            beat: queue_script!("beat"),
            lost: queue_script!("lost"),
            settle: queue_script!("settle"),
            tend: queue_script!("tend"),
            change: queue_script!("change"),
            list: queue_script!("list"),
            queues: queue_script!("queues"),
            pause: queue_script!("pause"),
        }
    }
}

/// Arguments of a script, one after the other in one buffer.
#[derive(Debug, Default)]
pub(super) struct Args {
    bytes: Vec<u8>,
    ends: Vec<usize>,
}

impl Args {
    pub(super) fn text(&mut self, text: &str) -> &mut Self {
        self.bytes.extend_from_slice(text.as_bytes());
        self.end()
    }

    pub(super) fn number(&mut self, number: i64) -> &mut Self {
        write!(self.bytes, "{number}").expect("a vector takes every write");
        self.end()
    }

    /// As JSON.
    ///
    /// # Errors
    /// When it has no JSON form.
    pub(super) fn json(&mut self, value: &impl serde::Serialize) -> serde_json::Result<&mut Self> {
        serde_json::to_writer(&mut self.bytes, value)?;
        Ok(self.end())
    }

    /// Puts these behind.
    pub(super) fn append(&mut self, more: &Self) {
        let start = self.bytes.len();
        self.bytes.extend_from_slice(&more.bytes);
        self.ends.extend(more.ends.iter().map(|end| start + end));
    }

    /// So many bytes so far.
    pub(super) fn len(&self) -> usize {
        self.bytes.len()
    }

    fn end(&mut self) -> &mut Self {
        self.ends.push(self.bytes.len());
        self
    }
}

impl ToRedisArgs for Args {
    fn write_redis_args<W: ?Sized + RedisWrite>(&self, out: &mut W) {
        let mut start = 0;
        for end in &self.ends {
            out.write_arg(&self.bytes[start..*end]);
            start = *end;
        }
    }

    fn num_of_args(&self) -> usize {
        self.ends.len()
    }
}
