//! Work in the background on a bare Redis stream: adding a task for a signed-in user, and finishing
//! as many as can be.

use std::sync::Arc;
use std::time::Instant;

use anyhow::{Context, Result, bail};
use axum::extract::State;
use axum::response::Response;
use bytes::Bytes;
use http::{HeaderMap, StatusCode};
use redis::aio::MultiplexedConnection;
use redis::{AsyncCommands, Value, cmd, pipe};

use crate::answer::{Failed, json};
use crate::core::{Core, PREFIX};
use crate::read::session_of;
use crate::token::{now_us, random_hex};

const STREAM: &str = "fl:tasks";
const GROUP: &str = "workers";
/// Tasks that are taken, and finished, in one call.
const BATCH: usize = 200;
/// How long a result is kept, in seconds.
const RETENTION_S: u64 = 86_400;

/// `POST /tasks`
pub(crate) async fn add(
    State(core): State<Arc<Core>>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Response, Failed> {
    let session = session_of(&core, &headers)?;
    let live: Option<Vec<u8>> = core.redis().get(format!("{PREFIX}s:{session}")).await?;
    if live.is_none() {
        return Err(Failed::status(StatusCode::UNAUTHORIZED));
    }
    let task: serde_json::Value = serde_json::from_slice(&body)?;
    let kind = task["kind"].as_str().context("a task without a kind")?;
    let id = format!("tsk_{:013x}{}", now_us(), random_hex::<6>()?);
    let payload = task["payload"].to_string();
    let () = core.redis().xadd(STREAM, "*", &[("id", id.as_str()), ("task", &payload)]).await?;
    let text = format!("{{\"id\":\"{id}\",\"kind\":\"{kind}\",\"status\":\"queued\"}}");
    Ok(json(StatusCode::ACCEPTED, text))
}

/// Adds `count` tasks, then takes and finishes them with their results; how many a second were
/// finished.
pub(crate) async fn finish(redis: &str, count: usize) -> Result<f64> {
    let mut redis = redis::Client::open(redis)?.get_multiplexed_async_connection().await?;
    let () = redis.xgroup_create_mkstream(STREAM, GROUP, "0").await?;
    for batch in 0..count.div_ceil(BATCH) {
        let mut calls = pipe();
        for number in 0..BATCH.min(count - batch * BATCH) {
            let id = format!("tsk_{:013x}{number:012}", now_us());
            calls.xadd(STREAM, "*", &[("id", id.as_str()), ("task", "{\"echo\":1}")]).ignore();
        }
        let () = calls.query_async(&mut redis).await?;
    }
    let (began, mut done) = (Instant::now(), 0);
    while done < count {
        let taken = take(&mut redis).await?;
        if taken.is_empty() {
            bail!("{done} of {count} tasks were there");
        }
        let mut calls = pipe();
        let entries: Vec<&str> = taken.iter().map(|(entry, _)| entry.as_str()).collect();
        calls.xack(STREAM, GROUP, &entries).ignore().xdel(STREAM, &entries).ignore();
        for (_, id) in &taken {
            calls.set_ex(format!("{PREFIX}r:{id}"), "1", RETENTION_S).ignore();
        }
        let () = calls.query_async(&mut redis).await?;
        done += taken.len();
    }
    let count = f64::from(u32::try_from(count)?);
    Ok(count / began.elapsed().as_secs_f64())
}

/// Its id, and fields and values in turn.
type Entry = (String, Vec<String>);

/// The next tasks: entry and id.
async fn take(redis: &mut MultiplexedConnection) -> Result<Vec<(String, String)>> {
    let mut call = cmd("XREADGROUP");
    call.arg("GROUP").arg(GROUP).arg("worker").arg("COUNT").arg(BATCH);
    let answer: Value = call.arg("STREAMS").arg(STREAM).arg(">").query_async(redis).await?;
    let streams: Vec<(String, Vec<Entry>)> = redis::from_redis_value(answer)?;
    let entries = streams.into_iter().flat_map(|(_, entries)| entries);
    entries
        .map(|(entry, fields)| {
            Ok((entry, fields.get(1).context("an entry without an id")?.clone()))
        })
        .collect()
}
