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
use crate::link::Link;
use crate::probe;
use crate::script::Script;

/// Largest value that is kept, in bytes.
const VALUE_BYTES_MAX: usize = 1024 * 1024;

/// A cache on Redis. All hits of one turn of the event loop are one `MGET` (on a cluster, one `GET`
/// each); everything else is one small script per key.
///
/// What an earlier run of the server has kept is not believed: a server that was restarted, or
/// promoted, may have lost the last writes, and with them that a value was removed. So names carry
/// the run of the server that a connection goes to, and are used on this connection only. (Not on a
/// cluster, whose nodes fail over at instants that the processes learn of one after the other.)
#[derive(Debug)]
pub struct RedisCache {
    client: RedisClient,
    values: Gather<Box<str>, Result<Option<Bytes>, CallError>>,
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

    /// Value, lease and holds of a key, on this connection.
    fn names(&self, link: &Link, key: &str) -> [String; 3] {
        let value = value_name(self.client.prefix(), link, key);
        let (lease, holds) = (format!("{value}l"), format!("{value}h"));
        [value, lease, holds]
    }

    async fn value(&self, key: &str) -> Result<Option<Bytes>, CallError> {
        let link = self.client.link()?;
        if link.is_cluster() {
            let mut get = redis::cmd("GET");
            let name = value_name(self.client.prefix(), &link, key);
            return value_of(link.call(get.arg(name)).await?);
        }
        let client = self.client.clone();
        let found = self.values.answer(key.into(), move |keys| async move {
            match values(&client, &keys).await {
                Ok(values) => values.into_iter().map(value_of).collect(),
                Err(error) => vec![Err(error); keys.len()],
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
        let link = &*self.client.link()?;
        let each = keys
            .iter()
            .map(async |key| script.run_on(link, &self.names(link, key), arguments).await);
        join_all(each).await.into_iter().try_for_each(|result| result.map(drop))
    }
}

/// What is in braces decides the hash slot; it is never empty, and no two keys share a name.
fn value_name(prefix: &str, link: &Link, key: &str) -> String {
    format!("{prefix}{{c{}:{key}}}", link.run())
}

/// The values of these keys, in their order.
async fn values(client: &RedisClient, keys: &[Box<str>]) -> Result<Vec<Value>, CallError> {
    let link = client.link()?;
    let mut get = redis::cmd("MGET");
    for key in keys {
        get.arg(value_name(client.prefix(), &link, key));
    }
    match link.call(&get).await? {
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
        let link = self.client.link()?;
        match self.miss.run_on(&link, &self.names(&link, key), &arguments).await {
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
        let link = self.client.link()?;
        let [value_name, lease_name, _] = self.names(&link, key);
        let arguments = (token(lease.0), &value[..], millis(ttl));
        match self.fill.run_on(&link, &[value_name, lease_name], &arguments).await {
            Ok(answer) => Ok(answer == Value::Int(1)),
            Err(error) if is_full(&error) => Ok(false),
            Err(error) => Err(error.into()),
        }
    }

    async fn abandon(&self, key: &str, lease: &Lease) -> Result<(), CacheError> {
        let link = self.client.link()?;
        let [_, lease_name, _] = self.names(&link, key);
        self.abandon.run_on(&link, &[lease_name], &token(lease.0)).await?;
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
