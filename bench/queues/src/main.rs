//! No-op tasks in the queues of others, for the benchmark: `outrigger-bench-queues QUEUE REDIS_URL COUNT`.
//! Enqueues the tasks, says `waiting`, works from the next line of standard input on, and says `done` when
//! Redis knows of each that it has succeeded.

mod apalis;
mod bullmq;

use anyhow::{Context, Result, bail};
use serde::{Deserialize, Serialize};
use tokio::io::{AsyncBufReadExt as _, BufReader};

/// Tasks that are enqueued in one call, taken in one call, and run at once.
const BATCH: usize = 200;

/// What a task is given and gives back.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Payload {
    echo: usize,
}

/// The payloads of `count` tasks, in batches.
fn batches(count: usize) -> impl Iterator<Item = Vec<Payload>> {
    let batch = move |from: usize| (from..count.min(from + BATCH)).map(|echo| Payload { echo });
    (0..count).step_by(BATCH).map(move |from| batch(from).collect())
}

/// Says that all tasks wait; returns when they may be worked on.
async fn waiting() -> Result<()> {
    println!("waiting");
    let mut line = String::new();
    BufReader::new(tokio::io::stdin()).read_line(&mut line).await?;
    Ok(())
}

#[tokio::main]
async fn main() -> Result<()> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let [queue, url, count] = &args[..] else { bail!("say QUEUE REDIS_URL COUNT") };
    let count: usize = count.parse().context("COUNT")?;
    match queue.as_str() {
        "apalis" => apalis::run(url, count).await?,
        "bullmq" => bullmq::run(url, count).await?,
        _ => bail!("QUEUE is apalis or bullmq"),
    }
    println!("done");
    Ok(())
}
