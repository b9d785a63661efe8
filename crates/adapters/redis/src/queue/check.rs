//! Whether a Redis may carry a queue.

use std::sync::atomic::{AtomicBool, Ordering};

use outrigger_ports::probe::{Finding, Probed, Severity};
use outrigger_ports::queue::QueueError;

use crate::client::RedisClient;
use crate::error::CallError;
use crate::probe::{self, Info};

/// A Redis that is set up so that it would lose tasks.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
struct Unfit(String);

/// What a server that evicts keys at random would lose.
fn eviction(info: &Info) -> Option<String> {
    let policy = info.get("maxmemory_policy")?;
    policy.starts_with("allkeys-").then(|| {
        format!(
            "redis would throw tasks away when its memory is full (maxmemory-policy {policy}); \
             set maxmemory-policy to noeviction or volatile-lru, or give the queue a redis of its own"
        )
    })
}

fn persistence(info: &Info) -> Option<String> {
    (info.get("aof_enabled").map(String::as_str) == Some("0")).then(|| {
        "redis keeps no append-only file: tasks that are not finished are lost when it restarts; \
         set appendonly to yes"
            .to_owned()
    })
}

/// Refuses a Redis that evicts keys which carry no expiry; the keys of a queue carry none. A user
/// who may not run `INFO` is not refused: it cannot be known.
pub(super) async fn check(client: &RedisClient) -> Result<(), QueueError> {
    let info = probe::info(&*client.link()?).await?.unwrap_or_default();
    match eviction(&info) {
        Some(unfit) => Err(QueueError::Internal(Box::new(Unfit(unfit)))),
        None => Ok(()),
    }
}

/// Whether this process may use the channel over which workers hear of tasks. Redis 7 allows it to a user
/// only by name; that it is allowed is asked once, as everybody who waits hears the question.
#[derive(Debug, Default)]
pub(super) struct Channel {
    is_allowed: AtomicBool,
}

impl Channel {
    async fn check(&self, client: &RedisClient, name: &str) -> Result<Option<String>, CallError> {
        if self.is_allowed.load(Ordering::Relaxed) {
            return Ok(None);
        }
        let mut publish = redis::cmd("PUBLISH");
        match client.link()?.call(publish.arg(name).arg("")).await {
            Ok(_) => {
                self.is_allowed.store(true, Ordering::Relaxed);
                Ok(None)
            }
            Err(error) if error.code() == Some("NOPERM") => Ok(Some(format!(
                "the user of redis may not publish to {name}: workers look for tasks only each half \
                 second; allow it with ACL SETUSER … resetchannels &{name}"
            ))),
            Err(error) => Err(error.into()),
        }
    }
}

/// What the cache's probe says, and what matters to a queue.
pub(super) async fn probe(
    client: &RedisClient,
    channel: &Channel,
    wake: &str,
) -> Result<Probed, QueueError> {
    let (mut probed, info) = probe::probe_with_info(client).await?;
    let found = [
        (Severity::Error, eviction(&info)),
        (Severity::Warning, persistence(&info)),
        (Severity::Warning, channel.check(client, wake).await?),
    ];
    let findings = found
        .into_iter()
        .filter_map(|(severity, message)| message.map(|message| Finding { severity, message }));
    probed.findings.extend(findings);
    Ok(probed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_policies_that_evict_everything_are_refused() {
        let refused = |policy: &str| {
            eviction(&Info::from([("maxmemory_policy".to_owned(), policy.to_owned())]))
        };
        for policy in ["noeviction", "volatile-lru", "volatile-lfu", "volatile-ttl"] {
            assert_eq!(refused(policy), None, "{policy}");
        }
        for policy in ["allkeys-lru", "allkeys-lfu", "allkeys-random"] {
            assert!(refused(policy).unwrap().contains(policy), "{policy}");
        }
        assert_eq!(eviction(&Info::new()), None);
    }
}
