//! BullMQ, by its own port to Rust: 200 tasks at once.

use std::time::Duration;

use ::bullmq::options::{QueueOptions, RedisConnectionOptions, WorkerOptions};
use ::bullmq::worker::CancellationToken;
use ::bullmq::{BulkJob, Job, Queue, Worker};
use anyhow::Result;

use crate::{BATCH, batches, waiting};

const QUEUE: &str = "bench-bullmq";
const LOOK: Duration = Duration::from_millis(2);

pub(crate) async fn run(url: &str, count: usize) -> Result<()> {
    let connection = RedisConnectionOptions::new().url(url);
    let options = QueueOptions { connection: connection.clone(), ..QueueOptions::default() };
    let queue = Queue::with_options(QUEUE, options).await?;
    for batch in batches(count) {
        let jobs = batch.into_iter().map(|payload| BulkJob::new("noop", payload)).collect();
        queue.add_bulk(jobs).await?;
    }
    waiting().await?;
    let options = WorkerOptions { connection, concurrency: BATCH, ..WorkerOptions::default() };
    let noop = |_: Job, _: CancellationToken| async { Ok(serde_json::json!(1)) };
    let worker = Worker::with_options(QUEUE, noop, options).await?;
    while (queue.get_completed_count().await? as usize) < count {
        tokio::time::sleep(LOOK).await;
    }
    worker.close(1_000).await?;
    Ok(())
}
