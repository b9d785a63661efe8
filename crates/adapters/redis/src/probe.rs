//! What Redis says of itself.

use std::collections::HashMap;

use outrigger_ports::probe::{Finding, Probed, Severity};
use redis::{FromRedisValue, Value};
use tokio::time::Instant;

use crate::client::RedisClient;
use crate::error::CallError;
use crate::link::Link;

/// Clocks further apart than this confuse the reader of logs and expiry times.
const SKEW_MAX_MS: i64 = 1_000;

/// The lines of `INFO`.
pub(crate) type Info = HashMap<String, String>;

/// Asks the server (of a cluster: any one node).
pub(crate) async fn probe(client: &RedisClient) -> Result<Probed, CallError> {
    Ok(probe_with_info(client).await?.0)
}

/// The same, and its `INFO`, which is empty when that is forbidden.
pub(crate) async fn probe_with_info(client: &RedisClient) -> Result<(Probed, Info), CallError> {
    let link = client.link()?;
    let started = Instant::now();
    link.ask(redis::cmd("PING")).await?;
    let mut probed = Probed { latency: started.elapsed(), ..Probed::default() };
    let target = client.target();
    probed.facts.push(("tls", if target.tls { "yes" } else { "no" }.to_owned()));
    if !target.exposed_hosts.is_empty() {
        let hosts = target.exposed_hosts.join(", ");
        let advice = "use rediss:// so that nobody in between reads or changes it";
        warn(&mut probed, format!("redis at {hosts} is reached in plain text; {advice}"));
    }
    let info = info(&link).await?;
    match &info {
        Some(info) => describe(&mut probed, info),
        None => warn(
            &mut probed,
            "this redis user may not run INFO; allow it (+info) to see version and memory".into(),
        ),
    }
    compare_clocks(client, &link, &mut probed).await?;
    if link.is_cluster() {
        describe_cluster(&link, &mut probed).await?;
    }
    Ok((probed, info.unwrap_or_default()))
}

fn warn(probed: &mut Probed, message: String) {
    probed.findings.push(Finding { severity: Severity::Warning, message });
}

fn fail(probed: &mut Probed, message: String) {
    probed.findings.push(Finding { severity: Severity::Error, message });
}

/// The lines of `INFO`; `None` when that is forbidden.
pub(crate) async fn info(link: &Link) -> Result<Option<Info>, CallError> {
    match link.ask(redis::cmd("INFO")).await {
        Ok(answer) => Ok(Some(lines(answer)?)),
        Err(error) if error.code() == Some("NOPERM") => Ok(None),
        Err(error) => Err(error.into()),
    }
}

fn lines(answer: Value) -> Result<Info, CallError> {
    let text = String::from_redis_value(answer).map_err(|_| CallError::Unexpected)?;
    let pairs = text.lines().filter_map(|line| line.trim_end().split_once(':'));
    Ok(pairs.map(|(name, value)| (name.to_owned(), value.to_owned())).collect())
}

fn describe(probed: &mut Probed, info: &Info) {
    let get = |name: &str| info.get(name).map_or("", String::as_str);
    probed.version = match (get("valkey_version"), get("redis_version")) {
        ("", version) => format!("Redis {version}"),
        (version, _) => format!("Valkey {version}"),
    };
    probed.facts.push(("mode", get("redis_mode").to_owned()));
    probed.facts.push(("role", get("role").to_owned()));
    probed.facts.push(("used_memory", get("used_memory_human").to_owned()));
    let maxmemory = if get("maxmemory") == "0" { "none" } else { get("maxmemory_human") };
    probed.facts.push(("maxmemory", maxmemory.to_owned()));
    probed.facts.push(("maxmemory-policy", get("maxmemory_policy").to_owned()));
    if get("role") == "slave" {
        fail(probed, "this redis is a read-only replica; give the address of the primary".into());
    }
    if get("maxmemory_policy") == "noeviction" && get("maxmemory") != "0" {
        warn(
            probed,
            "redis refuses writes when its memory is full, also of what it only caches; with \
             maxmemory-policy volatile-lru it makes room and keeps the tasks"
                .into(),
        );
    }
}

async fn compare_clocks(
    client: &RedisClient,
    link: &Link,
    probed: &mut Probed,
) -> Result<(), CallError> {
    let before = client.clock().now();
    let answer = link.ask(redis::cmd("TIME")).await?;
    // A clock may be set back in between.
    let after = client.clock().now().max(before);
    let (secs, micros) =
        <(i64, i64)>::from_redis_value(answer).map_err(|_| CallError::Unexpected)?;
    let there = secs * 1_000_000 + micros;
    // It was looked at somewhere in between: only what lies outside is surely another time.
    let here = there.clamp(before.as_micros(), after.as_micros());
    let ahead_ms = (there - here) / 1_000;
    probed.facts.push(("clock difference", format!("{ahead_ms} ms")));
    if ahead_ms.abs() > SKEW_MAX_MS {
        warn(
            probed,
            format!("redis's clock differs by {ahead_ms} ms from this machine's; run NTP on both"),
        );
    }
    Ok(())
}

async fn describe_cluster(link: &Link, probed: &mut Probed) -> Result<(), CallError> {
    let mut command = redis::cmd("CLUSTER");
    command.arg("INFO");
    let info = lines(link.ask(command).await?)?;
    let get = |name: &str| info.get(name).map_or("", String::as_str);
    probed.facts.push(("cluster size", get("cluster_size").to_owned()));
    probed.facts.push(("cluster state", get("cluster_state").to_owned()));
    if get("cluster_state") != "ok" {
        fail(probed, "the redis cluster is not whole; some keys cannot be reached".into());
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn described(lines: &[(&str, &str)]) -> Probed {
        let mut probed = Probed::default();
        let info = lines.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        describe(&mut probed, &info.collect());
        probed
    }

    #[test]
    fn a_replica_and_a_full_memory_are_found() {
        let probed = described(&[
            ("redis_version", "7.0.15"),
            ("role", "slave"),
            ("maxmemory", "1000"),
            ("maxmemory_human", "1000B"),
            ("maxmemory_policy", "noeviction"),
        ]);
        assert_eq!(probed.version, "Redis 7.0.15");
        let severities: Vec<_> = probed.findings.iter().map(|finding| finding.severity).collect();
        assert_eq!(severities, [Severity::Error, Severity::Warning]);
    }

    #[test]
    fn valkey_is_named_and_no_bound_needs_no_policy() {
        let probed = described(&[
            ("redis_version", "7.2.4"),
            ("valkey_version", "8.0.1"),
            ("role", "master"),
            ("maxmemory", "0"),
            ("maxmemory_policy", "noeviction"),
        ]);
        assert_eq!(probed.version, "Valkey 8.0.1");
        assert!(probed.findings.is_empty(), "{:?}", probed.findings);
    }
}
