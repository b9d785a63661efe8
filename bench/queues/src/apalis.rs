//! apalis on Redis, tuned: it takes 200 at a time, runs 200 at once and tells nobody of events.

use std::time::Duration;

use ::apalis::prelude::*;
use anyhow::{Result, anyhow};
use apalis_redis::{Config, RedisStorage};
use redis::AsyncCommands as _;

use crate::{BATCH, Payload, batches, waiting};

const QUEUE: &str = "bench-apalis";
const LOOK: Duration = Duration::from_millis(2);

async fn noop(task: Payload) -> Result<usize, BoxDynError> {
    Ok(task.echo)
}

pub(crate) async fn run(url: &str, count: usize) -> Result<()> {
    let mut config = Config::default().queue(QUEUE).batch_size(BATCH);
    config = config.heartbeat_interval(Duration::from_secs(1));
    config.emit_events = false;
    let connection = apalis_redis::connect(url).await?;
    let mut storage: RedisStorage<Payload> = RedisStorage::new(connection).with_config(config);
    for batch in batches(count) {
        storage.push_bulk(batch).await.map_err(|error| anyhow!("{error:?}"))?;
    }
    waiting().await?;
    let worker = WorkerBuilder::new("worker").backend(storage).concurrency(BATCH).build(noop);
    let working = tokio::spawn(async move { worker.run().await });
    let mut redis = redis::Client::open(url)?.get_multiplexed_async_connection().await?;
    while redis.scard::<_, usize>(format!("{QUEUE}:done")).await? < count {
        if working.is_finished() {
            return Err(anyhow!("the worker has ended: {:?}", working.await?));
        }
        tokio::time::sleep(LOOK).await;
    }
    working.abort();
    Ok(())
}
