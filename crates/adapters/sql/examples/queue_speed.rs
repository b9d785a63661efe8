//! How fast the queue on SQLite or PostgreSQL is; not a test, it only prints.
//!
//! `cargo run --release -p outrigger-sql --example queue_speed -- STORE TASKS BATCH WORKERS HANDLES WAITING`
//!
//! STORE is `sqlite`, `postgres` (one is started, flushing to disk), or the URL of an empty database.
//! No-op tasks are enqueued, claimed and settled in batches by so many workers, with results kept
//! for a second and purged. With HANDLES above 1 the workers are spread over so many that know
//! nothing of each other, as of processes. With WAITING it then lets so many tasks wait and times
//! single calls among them.
#![expect(clippy::print_stdout, clippy::unwrap_used, reason = "a program for a person")]

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use futures_util::future::join_all;
use outrigger_embedded::StoreQueue;
use outrigger_kernel::{Clock, Ids, SystemClock, SystemRandom};
use outrigger_ports::queue::{Claim, KindLimits, Outcome, Queue, Settlement, Task};
use outrigger_ports::store::{MigrateMode, Store};
use outrigger_sql::{PostgresOptions, PostgresStore, SqliteOptions, SqliteStore};
use outrigger_testkit::postgres::PostgresOptions as TestServer;
use outrigger_testkit::{Postgres, TempDir};
use serde_json::value::RawValue;

const QUEUE: &str = "main";

struct Bench {
    queue: StoreQueue,
    queues: Vec<StoreQueue>,
    ids: Ids,
}

fn task(ids: &Ids) -> Task {
    let now = SystemClock.now();
    Task {
        id: ids.new_id("tsk"),
        queue: QUEUE.to_owned(),
        kind: "noop".to_owned(),
        payload: RawValue::from_string("{\"n\":1}".to_owned()).unwrap(),
        sealed: false,
        priority: 5,
        run_at: now,
        unique_key: None,
        max_attempts: 5,
        timeout_ms: 60_000,
        backoff_ms: 1_000,
        backoff_max_ms: 60_000,
        retention_s: 1,
        created_at: now,
        created_by: None,
        trace: None,
    }
}

impl Bench {
    async fn enqueue(&self, count: usize, batch: usize, workers: usize) {
        let left = AtomicUsize::new(count.div_ceil(batch));
        let work = (0..workers).map(|_| async {
            while left
                .fetch_update(Ordering::SeqCst, Ordering::SeqCst, |n| n.checked_sub(1))
                .is_ok()
            {
                let tasks = (0..batch).map(|_| task(&self.ids)).collect();
                self.queue.enqueue(tasks).await.unwrap();
            }
        });
        join_all(work).await;
    }

    /// Claims and settles until `count` are done or nothing is there.
    async fn work(&self, count: usize, batch: usize, workers: usize) -> (Duration, Duration) {
        let done = AtomicUsize::new(0);
        let work = (0..workers).map(|n| {
            let (queue, done) = (&self.queues[n % self.queues.len()], &done);
            async move {
                let (kinds, worker) = ([KindLimits::none("noop")], format!("w{n}"));
                let (mut claiming, mut settling) = (Duration::ZERO, Duration::ZERO);
                while done.load(Ordering::SeqCst) < count {
                    let claim = Claim {
                        queue: QUEUE,
                        kinds: &kinds,
                        limit: batch,
                        lease_for: Duration::from_secs(30),
                        worker: &worker,
                    };
                    let began = Instant::now();
                    let leased = queue.claim(&claim).await.unwrap();
                    claiming += began.elapsed();
                    if leased.is_empty() {
                        queue.wait(&[QUEUE.to_owned()], Duration::from_millis(5)).await;
                        continue;
                    }
                    let settlements: Vec<_> = leased
                        .into_iter()
                        .map(|leased| Settlement {
                            lease: leased.lease,
                            outcome: Outcome::Succeeded {
                                result: Some(
                                    RawValue::from_string("{\"ok\":true}".into()).unwrap(),
                                ),
                            },
                        })
                        .collect();
                    let began = Instant::now();
                    let held = queue.settle(settlements).await.unwrap();
                    settling += began.elapsed();
                    done.fetch_add(held.iter().filter(|held| **held).count(), Ordering::SeqCst);
                }
                (claiming, settling)
            }
        });
        join_all(work)
            .await
            .into_iter()
            .fold((Duration::ZERO, Duration::ZERO), |a, b| (a.0 + b.0, a.1 + b.1))
    }

    async fn single(&self, what: &str) {
        for batch in [1, 20] {
            let (mut enqueues, mut claims) = (Vec::new(), Vec::new());
            for _ in 0..60 {
                let tasks: Vec<Task> = (0..batch).map(|_| task(&self.ids)).collect();
                let began = Instant::now();
                self.queue.enqueue(tasks).await.unwrap();
                enqueues.push(began.elapsed());
                let kinds = [KindLimits::none("noop")];
                let lease_for = Duration::from_secs(3_600);
                let claim =
                    Claim { queue: QUEUE, kinds: &kinds, limit: batch, lease_for, worker: "w" };
                let began = Instant::now();
                let leased = self.queue.claim(&claim).await.unwrap();
                claims.push(began.elapsed());
                assert_eq!(leased.len(), batch);
            }
            enqueues.sort_unstable();
            claims.sort_unstable();
            println!(
                "{what}: batch {batch}: enqueue {:?} (p90 {:?}), claim {:?} (p90 {:?})",
                enqueues[30], enqueues[54], claims[30], claims[54]
            );
        }
    }
}

async fn run(store: Arc<dyn Store>, numbers: &[usize]) {
    let number = |at: usize| numbers.get(at).copied().unwrap_or_default();
    let (count, batch, workers, waiting) = (number(0), number(1), number(2), number(4));
    store.migrate(MigrateMode::Apply { wait: Duration::from_secs(10) }).await.unwrap();
    let (clock, random) = (Arc::new(SystemClock), Arc::new(SystemRandom));
    let ids = Ids::new(clock.clone(), random.clone());
    let queue = || StoreQueue::new(store.clone(), clock.clone(), random.clone());
    let queues: Vec<StoreQueue> = (0..number(3).max(1)).map(|_| queue()).collect();
    let bench = Bench { queue: queues[0].clone(), queues, ids };
    #[expect(clippy::cast_precision_loss, reason = "for a person")]
    let rate = |began: Instant| count as f64 / began.elapsed().as_secs_f64();
    let began = Instant::now();
    bench.enqueue(count, batch, workers).await;
    println!("enqueue alone: {:.0} tasks/s", rate(began));
    let began = Instant::now();
    let (claiming, settling) = bench.work(count, batch, workers).await;
    let ended = format!("{:.0} tasks/s", rate(began));
    println!("claim and settle: {ended} (claiming {claiming:?}, settling {settling:?})");
    let began = Instant::now();
    tokio::join!(bench.enqueue(count, batch, workers), bench.work(count, batch, workers));
    println!("all at once: {:.0} tasks/s", rate(began));
    tokio::time::sleep(Duration::from_millis(1_100)).await;
    let began = Instant::now();
    let mut purged = 0;
    while let more = store.purge_expired(1_000).await.unwrap()
        && more > 0
    {
        purged += more;
    }
    println!("{purged} finished tasks were purged in {:?}", began.elapsed());
    if waiting > 0 {
        bench.enqueue(1_000, 100, 4).await;
        bench.single("1000 wait").await;
        let began = Instant::now();
        bench.enqueue(waiting, 200, 8).await;
        println!("{waiting} more were enqueued in {:?}", began.elapsed());
        bench.single(&format!("{waiting} wait")).await;
    }
}

fn main() {
    let mut args = std::env::args().skip(1);
    let url = args.next().unwrap_or_else(|| "sqlite".to_owned());
    let numbers: Vec<usize> = args.map(|arg| arg.parse().expect("a number")).collect();
    let numbers = if numbers.is_empty() { vec![20_000, 100, 4, 1, 0] } else { numbers };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let clock = Arc::new(SystemClock);
        if url == "sqlite" {
            let dir = TempDir::new("queue-speed").unwrap();
            let options = SqliteOptions::at(dir.join("data/test.db"));
            let store = SqliteStore::open(&options, clock).unwrap();
            run(Arc::new(store), &numbers).await;
        } else {
            let options = TestServer { durable: true, ..TestServer::default() };
            let server = (url == "postgres").then(|| Postgres::start_with(options).unwrap());
            let url = server.as_ref().map_or(Ok(url), Postgres::fresh_database).unwrap();
            let store = PostgresStore::connect(&PostgresOptions::at(url), clock).await.unwrap();
            run(Arc::new(store), &numbers).await;
        }
    });
}
