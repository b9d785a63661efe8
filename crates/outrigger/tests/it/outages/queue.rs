//! The queue's Redis is away for a while, and one that would lose tasks is refused.

use std::time::{Duration, Instant};

use outrigger_testkit::{Postgres, Redis, RedisOptions, eventually, sized, wait_until};
use serde_json::json;

use crate::support::{Api, Backend, Server, ServerOptions, run, unique};

/// Tasks that wait when Redis goes away.
const TASKS: u16 = 150;
/// Tasks that are enqueued while it is away.
const MEANWHILE: u16 = 40;
/// How long each takes, in milliseconds. All of them take ten seconds, so that what goes away does so
/// meanwhile, on a busy machine too.
const EACH_MS: u64 = 300;
/// Tasks that are done by then.
const DONE: f64 = 8.0;
/// Within this time of Redis being there again, tasks are done again: the 5 s that are promised, and
/// three times as much for a machine on which processes stand still.
const RESUMED: Duration = Duration::from_secs(20);
const PATIENCE: Duration = Duration::from_secs(60);

fn on_redis(redis: &Redis) -> ServerOptions {
    let database = Postgres::shared().and_then(Postgres::fresh_database).expect("a database");
    ServerOptions::on(Backend::Urls { database, redis: Some(redis.url()) })
        .set("OUTRIGGER__TASKS__QUEUE", "redis")
        .set("OUTRIGGER__WORKER__LEASE_S", "3")
        .set("OUTRIGGER__WORKER__CONCURRENCY", "4")
}

fn done(worker: &Server) -> f64 {
    super::metric(worker, &["outrigger_task_duration_seconds_count", "outcome=\"succeeded\""])
}

/// Enqueues one, answered by the database when Redis is away; gives its path.
fn enqueue(admin: &Api, n: u16) -> String {
    let body = json!({"kind": "noop", "payload": {"sleep_ms": EACH_MS, "echo": n}});
    let keyed = admin.with("idempotency-key", &unique("outage-"));
    keyed.post("/api/v1/tasks", &body).expect(202).header("location").to_owned()
}

#[test]
fn work_goes_on_by_itself_once_redis_is_back_and_nothing_is_lost() {
    let outage = Duration::from_secs(sized(8, 60) as u64);
    let options = RedisOptions { appendonly: true, ..RedisOptions::default() };
    let redis = Redis::start_with(options).unwrap();
    let options = on_redis(&redis);
    let api = Server::start_with(&options, &["--roles", "api"]);
    let admin = api.admin();
    let mut paths: Vec<String> = (0..TASKS).map(|n| enqueue(&admin, n)).collect();
    let worker = Server::start_with(&options, &["--roles", "worker"]);
    wait_until("some are done", PATIENCE, || done(&worker) >= DONE).unwrap();
    redis.stop().unwrap();
    let stopped = Instant::now();
    super::wait_for_check(&api, "queue", "degraded");
    // Without a key the queue itself would have to take it.
    let refused = admin.post("/api/v1/tasks", &json!({"kind": "noop", "payload": {}})).expect(503);
    assert_eq!(refused.code(), "queue_unavailable");
    assert!(!refused.header("retry-after").is_empty());
    // With a key the database takes it, and it is passed on later.
    paths.extend((TASKS..TASKS + MEANWHILE).map(|n| enqueue(&admin, n)));
    while stopped.elapsed() < outage {
        worker.internal().get("/health/live").expect(200);
    }
    let before = done(&worker);
    redis.start_again().unwrap();
    let back = Instant::now();
    wait_until("work goes on", PATIENCE, || done(&worker) > before).unwrap();
    let resumed = back.elapsed();
    assert!(resumed < RESUMED, "work went on after {resumed:?}");
    for (n, path) in paths.iter().enumerate() {
        // For a moment threads of the API may still be on their way to Redis.
        let task = eventually("it is done", PATIENCE, || {
            let answer = admin.get(path);
            anyhow::ensure!(answer.json()["status"] == "succeeded", "{}", answer.text);
            Ok(answer.json())
        });
        assert_eq!(task.unwrap()["result"], json!(n), "{path}");
    }
    println!(
        "redis away for {:.0} s: work went on {:.2} s after its start, all {} tasks done, \
         {MEANWHILE} of them enqueued meanwhile",
        outage.as_secs_f64(),
        resumed.as_secs_f64(),
        paths.len()
    );
}

#[test]
fn work_goes_on_by_itself_once_the_database_is_back_and_nothing_is_lost() {
    let outage = Duration::from_secs(sized(5, 60) as u64);
    let postgres = Postgres::start().unwrap();
    let database = postgres.fresh_database().unwrap();
    let options = ServerOptions::on(Backend::Urls { database, redis: None })
        .set("OUTRIGGER__WORKER__LEASE_S", "3")
        .set("OUTRIGGER__WORKER__CONCURRENCY", "4");
    let api = Server::start_with(&options, &["--roles", "api"]);
    let admin = api.admin();
    let paths: Vec<String> = (0..TASKS).map(|n| enqueue(&admin, n)).collect();
    let worker = Server::start_with(&options, &["--roles", "worker"]);
    wait_until("some are done", PATIENCE, || done(&worker) >= DONE).unwrap();
    postgres.stop().unwrap();
    let stopped = Instant::now();
    while stopped.elapsed() < outage {
        worker.internal().get("/health/live").expect(200);
    }
    let before = done(&worker);
    assert!(before < f64::from(TASKS), "the outage came too late");
    postgres.start_again().unwrap();
    let back = Instant::now();
    wait_until("work goes on", PATIENCE, || done(&worker) > before).unwrap();
    let resumed = back.elapsed();
    assert!(resumed < RESUMED, "work went on after {resumed:?}");
    for (n, path) in paths.iter().enumerate() {
        let task = eventually("it is done", PATIENCE, || {
            let answer = admin.get(path);
            anyhow::ensure!(answer.json()["status"] == "succeeded", "{}", answer.text);
            Ok(answer.json())
        });
        assert_eq!(task.unwrap()["result"], json!(n), "{path}");
    }
}

#[test]
fn a_redis_that_would_throw_tasks_away_is_refused() {
    let args = ["--maxmemory", "100mb", "--maxmemory-policy", "allkeys-lru"];
    let args = args.map(ToOwned::to_owned).to_vec();
    let redis = Redis::start_with(RedisOptions { args, ..RedisOptions::default() }).unwrap();
    let options = on_redis(&redis);
    let folder = outrigger_testkit::TempDir::new("unfit").unwrap();
    let sentence = "redis would throw tasks away when its memory is full (maxmemory-policy \
                    allkeys-lru); set maxmemory-policy to noeviction or volatile-lru, or give the \
                    queue a redis of its own";
    for roles in ["api", "worker", "api,worker,scheduler"] {
        let (started, said) = run(&options, folder.path(), &["serve", "--roles", roles], "");
        assert!(!started && said.contains(sentence), "{roles}: {said}");
    }
    let (passed, said) = run(&options, folder.path(), &["doctor"], "");
    assert!(!passed && said.contains(&format!("error    queue: {sentence}")), "{said}");
    // With tasks in the database it is as good as any other for a cache.
    let options = options.set("OUTRIGGER__TASKS__QUEUE", "database");
    let (_, said) = run(&options, folder.path(), &["doctor"], "");
    assert!(!said.contains(sentence), "{said}");
    Server::start(&options);
}
