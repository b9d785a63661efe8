//! Lua scripts, called by their hash.

use redis::{Cmd, RedisError, ServerErrorKind, ToRedisArgs, Value};

use crate::client::RedisClient;
use crate::error::CallError;
use crate::link::Link;

/// A script and its hash.
#[derive(Debug)]
pub(crate) struct Script {
    source: &'static str,
    hash: String,
}

impl Script {
    pub(crate) fn new(source: &'static str) -> Self {
        let hash = redis::Script::new(source).get_hash().to_owned();
        Self { source, hash }
    }

    /// Runs the script; a server that does not know it yet is given it.
    pub(crate) async fn run<A: ToRedisArgs>(
        &self,
        client: &RedisClient,
        keys: &[String],
        arguments: &A,
    ) -> Result<Value, CallError> {
        self.run_on(&*client.link()?, keys, arguments).await
    }

    /// The same on this connection only, for keys whose names belong to it.
    pub(crate) async fn run_on<A: ToRedisArgs>(
        &self,
        link: &Link,
        keys: &[String],
        arguments: &A,
    ) -> Result<Value, CallError> {
        let by_hash = Self::command("EVALSHA", &self.hash, keys, arguments);
        let answer = match link.call(&by_hash).await {
            Err(error) if is_unknown(&error) => {
                link.call(&Self::command("EVAL", self.source, keys, arguments)).await
            }
            answer => answer,
        };
        Ok(answer?)
    }

    fn command<A: ToRedisArgs>(name: &str, script: &str, keys: &[String], arguments: &A) -> Cmd {
        let mut command = redis::cmd(name);
        command.arg(script).arg(keys.len()).arg(keys).arg(arguments);
        command
    }
}

fn is_unknown(error: &RedisError) -> bool {
    error.kind() == redis::ErrorKind::Server(ServerErrorKind::NoScript)
}
