//! The cache port.

use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use futures_util::future::join_all;
use outrigger_ports::cache::{Cache, CacheError, Hold, Lease, Lookup};
use outrigger_ports::gather::Gather;
use outrigger_ports::probe::Probed;
use redis::{ToRedisArgs, Value};

use crate::client::RedisClient;
use crate::error::CallError;
use crate::probe;
use crate::script::Script;

/// Largest value that is kept, in bytes.
const VALUE_BYTES_MAX: usize = 1024 * 1024;

/// A cache on Redis. All hits of one turn of the event loop are one `MGET` (on a cluster, one `GET`
/// each); everything else is one small script per key.
#[derive(Debug)]
pub struct RedisCache {
    client: RedisClient,
    values: Gather<String, Result<Option<Bytes>, CallError>>,
    miss: Script,
    fill: Script,
    abandon: Script,
    hold: Script,
    release: Script,
}

impl RedisCache {
    /// The cache behind this connection.
    pub fn new(client: RedisClient) -> Self {
        Self {
            client,
            values: Gather::unbounded(),
            miss: Script::new(include_str!("scripts/cache_miss.lua")),
            fill: Script::new(include_str!("scripts/cache_fill.lua")),
            abandon: Script::new(include_str!("scripts/cache_abandon.lua")),
            hold: Script::new(include_str!("scripts/cache_hold.lua")),
            release: Script::new(include_str!("scripts/cache_release.lua")),
        }
    }

    /// Value, lease and holds of a key. What is in braces decides the hash slot; it is never
    /// empty, and no two keys share a name.
    fn value_name(&self, key: &str) -> String {
        format!("{}{{c:{key}}}", self.client.prefix())
    }

    fn lease_name(&self, key: &str) -> String {
        format!("{}{{c:{key}}}l", self.client.prefix())
    }

    fn holds_name(&self, key: &str) -> String {
        format!("{}{{c:{key}}}h", self.client.prefix())
    }

    fn names(&self, key: &str) -> [String; 3] {
        [self.value_name(key), self.lease_name(key), self.holds_name(key)]
    }

    async fn value(&self, key: &str) -> Result<Option<Bytes>, CallError> {
        let name = self.value_name(key);
        if self.client.link()?.is_cluster() {
            let mut get = redis::cmd("GET");
            return value_of(self.client.call(get.arg(name)).await?);
        }
        let client = self.client.clone();
        let found = self.values.answer(name, move |names| async move {
            match values(&client, &names).await {
                Ok(values) => values.into_iter().map(value_of).collect(),
                Err(error) => vec![Err(error); names.len()],
            }
        });
        found.await.unwrap_or(Err(CallError::Unexpected))
    }

    /// Runs the script for each key, all at once: on one connection they travel together, on a
    /// cluster each to its node. Also when one fails the others are done.
    async fn for_each<A: ToRedisArgs>(
        &self,
        script: &Script,
        keys: &[String],
        arguments: &A,
    ) -> Result<(), CallError> {
        let each = keys
            .iter()
            .map(async |key| script.run(&self.client, &self.names(key), arguments).await);
        join_all(each).await.into_iter().try_for_each(|result| result.map(drop))
    }
}

/// The values of these names, in their order.
async fn values(client: &RedisClient, names: &[String]) -> Result<Vec<Value>, CallError> {
    let mut get = redis::cmd("MGET");
    match client.call(get.arg(names)).await? {
        Value::Array(values) => Ok(values),
        _ => Err(CallError::Unexpected),
    }
}

fn value_of(answer: Value) -> Result<Option<Bytes>, CallError> {
    match answer {
        Value::Nil => Ok(None),
        Value::BulkString(value) => Ok(Some(value.into())),
        _ => Err(CallError::Unexpected),
    }
}

/// A cache that has no room for more goes on with what it has.
fn is_full(error: &CallError) -> bool {
    let CallError::Failed(error) = error else { return false };
    // Redis 6 wraps the error of a command in one of the script.
    error.code() == Some("OOM") || error.to_string().contains("-OOM ")
}

fn token(token: u128) -> String {
    format!("{token:032x}")
}

/// At least one: Redis refuses an expiry of zero.
fn millis(span: Duration) -> u64 {
    u64::try_from(span.as_millis()).unwrap_or(u64::MAX).clamp(1, 1 << 42)
}

#[async_trait]
impl Cache for RedisCache {
    async fn lookup(&self, key: &str, lease_for: Duration) -> Result<Lookup, CacheError> {
        if let Some(value) = self.value(key).await? {
            return Ok(Lookup::Hit(value));
        }
        let lease = Lease(self.client.token());
        let arguments = (token(lease.0), millis(lease_for));
        match self.miss.run(&self.client, &self.names(key), &arguments).await {
            Ok(Value::BulkString(value)) => Ok(Lookup::Hit(value.into())),
            Ok(Value::Int(0)) => Ok(Lookup::Miss(lease)),
            Ok(Value::Int(1)) => Ok(Lookup::Held),
            Ok(Value::Int(2)) => Ok(Lookup::Loading),
            Ok(_) => Err(CallError::Unexpected.into()),
            Err(error) if is_full(&error) => Ok(Lookup::Held),
            Err(error) => Err(error.into()),
        }
    }

    async fn peek(&self, key: &str) -> Result<Option<Bytes>, CacheError> {
        Ok(self.value(key).await?)
    }

    async fn fill(
        &self,
        key: &str,
        lease: &Lease,
        value: Bytes,
        ttl: Duration,
    ) -> Result<bool, CacheError> {
        if value.len() > VALUE_BYTES_MAX {
            self.abandon(key, lease).await?;
            return Ok(false);
        }
        let [value_name, lease_name, _] = self.names(key);
        let arguments = (token(lease.0), &value[..], millis(ttl));
        match self.fill.run(&self.client, &[value_name, lease_name], &arguments).await {
            Ok(answer) => Ok(answer == Value::Int(1)),
            Err(error) if is_full(&error) => Ok(false),
            Err(error) => Err(error.into()),
        }
    }

    async fn abandon(&self, key: &str, lease: &Lease) -> Result<(), CacheError> {
        let names = [self.lease_name(key)];
        self.abandon.run(&self.client, &names, &token(lease.0)).await?;
        Ok(())
    }

    async fn hold(&self, keys: &[String], hold_for: Duration) -> Result<Hold, CacheError> {
        let hold = Hold(self.client.token());
        let arguments = (token(hold.0), millis(hold_for));
        self.for_each(&self.hold, keys, &arguments).await?;
        Ok(hold)
    }

    async fn release(&self, keys: &[String], hold: &Hold) -> Result<(), CacheError> {
        self.for_each(&self.release, keys, &(token(hold.0),)).await?;
        Ok(())
    }

    async fn probe(&self) -> Result<Probed, CacheError> {
        Ok(probe::probe(&self.client).await?)
    }
}
