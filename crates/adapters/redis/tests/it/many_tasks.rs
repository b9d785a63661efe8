//! The queue with very many tasks: what calls cost then, and what is left of them afterwards.

use std::sync::Arc;
use std::time::Duration;

use outrigger_conformance::queue::load::{Load, check_costs};
use outrigger_ports::queue::Queue as _;
use outrigger_testkit::{Redis, sized, wait_until};

use crate::queue::open;

const FEW: usize = 1_000;
/// Seconds for which finished tasks are kept.
const RETENTION_S: u64 = 2;

fn info(server: &Redis, section: &str, field: &str) -> i64 {
    let text = server.cli(&["INFO", section]).unwrap();
    let value = text.lines().find_map(|line| line.trim().strip_prefix(&format!("{field}:")));
    value.unwrap().parse().unwrap()
}

fn memory(server: &Redis) -> i64 {
    info(server, "memory", "used_memory")
}

fn keys(server: &Redis) -> i64 {
    server.cli(&["DBSIZE"]).unwrap().parse().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn calls_cost_the_same_however_many_tasks_wait() {
    let count = sized(30_000, 1_000_000);
    let server = Redis::start().unwrap();
    let few = Load::on(Arc::new(open(&server, "few:").await), 60);
    let many = Load::on(Arc::new(open(&server, "many:").await), 60);
    few.fill(FEW).await;
    let before = memory(&server);
    many.fill(count).await;
    let each = (memory(&server) - before) / i64::try_from(count).unwrap();
    // Costs that grew with the number would be 30 times as high in the short run.
    let most = if count < 1_000_000 { 5.0 } else { 2.0 };
    let costs = check_costs(&few, &many, most).await;
    println!("redis, {FEW} and {count} tasks wait, {each} bytes each: {costs}");
}

#[tokio::test(flavor = "multi_thread")]
async fn finished_tasks_leave_nothing_behind() {
    let (count, part) = (sized(20_000, 200_000), 5_000);
    let server = Redis::start().unwrap();
    let queue = Arc::new(open(&server, "soak:").await);
    let load = Load::on(queue.clone(), RETENTION_S);
    let settled = async || {
        let patience = Duration::from_secs(180);
        let began = std::time::Instant::now();
        loop {
            queue.tend().await.unwrap();
            let count = |set: &str| server.cli(&["ZCARD", &format!("soak:{{q}}:{set}")]).unwrap();
            let (tasks, leases) = (count("all"), count("e"));
            if tasks == "0" && leases == "0" {
                return;
            }
            assert!(
                began.elapsed() < patience,
                "{tasks} tasks and ends of {leases} leases are kept"
            );
        }
    };
    // What a queue that has been used once keeps, such as scripts and the names of its lanes.
    load.fill(part).await;
    load.drain().await;
    settled().await;
    let (keys_before, memory_before) = (keys(&server), memory(&server));
    let mut most = 0;
    let mut done = 0;
    while done < count {
        load.fill(part).await;
        done += load.drain().await;
        queue.tend().await.unwrap();
        most = most.max(memory(&server));
    }
    settled().await;
    assert_eq!(keys(&server), keys_before);
    // The server gives memory back in its own time.
    let is_back = || memory(&server) - memory_before < 1_000_000;
    wait_until("the memory is as before", Duration::from_secs(60), is_back).unwrap();
    println!(
        "redis, {done} tasks kept for {RETENTION_S} s: {keys_before} keys before, {} after; \
         {memory_before} bytes before, {most} at most, {} after",
        keys(&server),
        memory(&server)
    );
}
