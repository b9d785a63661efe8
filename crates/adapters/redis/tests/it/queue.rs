//! The queue on a real Redis: what the suite of the port does not see.

use std::sync::Arc;
use std::time::Duration;

use outrigger_kernel::{Clock as _, Ids, SystemClock, SystemRandom};
use outrigger_ports::queue::{
    Claim, Enqueued, Heartbeat, KindLimits, Leased, Outcome, Queue, QueueError, Settlement, Status,
    Task, TaskBoard, TaskFilter,
};
use outrigger_redis::{RedisOptions, RedisQueue};
use outrigger_testkit::Redis;

use crate::{client, options};

pub(crate) const LEASE: Duration = Duration::from_secs(60);

pub(crate) fn task(kind: &str) -> Task {
    let (clock, random) = (Arc::new(SystemClock), Arc::new(SystemRandom));
    let now = SystemClock.now();
    Task {
        id: Ids::new(clock, random).new_id("tsk"),
        queue: "default".into(),
        kind: kind.into(),
        payload: serde_json::value::to_raw_value(&serde_json::json!({"to": "somebody"})).unwrap(),
        sealed: false,
        priority: 5,
        run_at: now,
        unique_key: None,
        max_attempts: 5,
        timeout_ms: 60_000,
        backoff_ms: 1_000,
        backoff_max_ms: 60_000,
        retention_s: 3_600,
        created_at: now,
        created_by: None,
        trace: None,
    }
}

/// A queue of its own on this server.
pub(crate) async fn open(server: &Redis, prefix: &str) -> RedisQueue {
    let options = RedisOptions { prefix: prefix.into(), ..options(server.url()) };
    RedisQueue::new(client(&options).await)
}

pub(crate) async fn claim(queue: &RedisQueue, limit: usize) -> Result<Vec<Leased>, QueueError> {
    let kinds = [KindLimits::none("noop")];
    let claim =
        Claim { queue: "default", kinds: &kinds, limit, lease_for: LEASE, worker: "worker-1" };
    queue.claim(&claim).await
}

pub(crate) fn done(leased: &[Leased]) -> Vec<Settlement> {
    let result = serde_json::value::to_raw_value("done").unwrap();
    let outcome = || Outcome::Succeeded { result: Some(result.clone()) };
    let settle = |leased: &Leased| Settlement { lease: leased.lease.clone(), outcome: outcome() };
    leased.iter().map(settle).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_task_goes_through_the_queue() {
    let queue = open(Redis::shared().unwrap(), "queue-through:").await;
    let task = task("noop");
    assert_eq!(queue.enqueue(vec![task.clone()]).await.unwrap(), [Enqueued::New]);
    assert_eq!(queue.enqueue(vec![task.clone()]).await.unwrap(), [Enqueued::Known]);
    let found = queue.find(&task.id).await.unwrap().unwrap();
    assert_eq!((found.status, found.attempts), (Status::Queued, 0));
    let leased = claim(&queue, 10).await.unwrap();
    assert_eq!(leased.len(), 1);
    assert_eq!(leased[0].task.payload.get(), task.payload.get());
    assert_eq!(queue.settle(done(&leased)).await.unwrap(), [true]);
    assert_eq!(queue.settle(done(&leased)).await.unwrap(), [false]);
    let found = queue.find(&task.id).await.unwrap().unwrap();
    assert_eq!(found.status, Status::Succeeded);
    assert_eq!(found.result.unwrap().get(), "\"done\"");
    assert!(found.started_at.unwrap() <= found.finished_at.unwrap());
    let listed = queue.list(&TaskFilter { limit: 10, ..Default::default() }).await.unwrap().tasks;
    assert_eq!(listed.len(), 1);
    let state = &queue.queues(100).await.unwrap()[0];
    assert_eq!((state.queued, state.running, state.scheduled), (0, 0, 0));
}

/// A full Redis that evicts nothing takes no more tasks, but those that it has come to their end, and
/// are forgotten, so that there is room again.
#[tokio::test(flavor = "multi_thread")]
async fn a_full_redis_finishes_and_forgets_what_it_has() {
    let args = ["--maxmemory", "12mb", "--maxmemory-policy", "noeviction"].map(str::to_owned);
    let full = outrigger_testkit::RedisOptions { args: args.to_vec(), ..Default::default() };
    let server = Redis::start_with(full).unwrap();
    let queue = open(&server, "full:").await;
    let some = |count: usize, delay: Duration| -> Vec<Task> {
        let payload = serde_json::value::to_raw_value(&"x".repeat(4_000)).unwrap();
        let task = || Task { payload: payload.clone(), retention_s: 1, ..task("noop") };
        let due = SystemClock.now().plus(delay);
        (0..count).map(|_| Task { run_at: due, ..task() }).collect()
    };
    queue.enqueue(some(10, Duration::from_millis(200))).await.unwrap();
    let mut held = 10;
    for batch in [50, 1] {
        while queue.enqueue(some(batch, Duration::ZERO)).await.is_ok() {
            held += batch;
            assert!(held < 10_000, "it is never full");
        }
    }
    let (mut done_with, mut forgotten) = (0, 0);
    while done_with < held {
        // Those that were done first may be forgotten before the last are done.
        forgotten += queue.tend().await.unwrap().forgotten;
        let leased = claim(&queue, 100).await.unwrap();
        let beats =
            leased.iter().map(|leased| Heartbeat { lease: leased.lease.clone(), progress: None });
        queue.heartbeat(beats.collect(), LEASE).await.unwrap();
        let settled = queue.settle(done(&leased)).await.unwrap();
        assert!(settled.iter().all(|held| *held));
        done_with += leased.len();
    }
    while forgotten < held {
        forgotten += queue.tend().await.unwrap().forgotten;
    }
    queue.enqueue(some(50, Duration::ZERO)).await.unwrap();
}

/// A claim whose answer is lost has leased tasks that nobody knows of: the next one has them, and
/// neither an attempt nor a crash is counted.
#[tokio::test(flavor = "multi_thread")]
async fn what_a_lost_answer_has_leased_is_given_back() {
    let server = Redis::start().unwrap();
    let queue = open(&server, "lost:").await;
    let tasks: Vec<Task> = (0..3).map(|_| Task { max_attempts: 1, ..task("noop") }).collect();
    queue.enqueue(tasks).await.unwrap();
    server.pause().unwrap();
    let unheard = tokio::time::timeout(Duration::from_millis(300), claim(&queue, 3)).await;
    assert!(unheard.is_err());
    server.resume().unwrap();
    let leased = claim(&queue, 3).await.unwrap();
    assert_eq!(leased.iter().map(|leased| leased.attempt).collect::<Vec<_>>(), [1, 1, 1]);
    assert_eq!(queue.settle(done(&leased)).await.unwrap(), [true; 3]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lost_note_of_a_lease_loses_no_task() {
    let server = Redis::start().unwrap();
    let queue = open(&server, "").await;
    queue.enqueue(vec![task("noop")]).await.unwrap();
    let kinds = [KindLimits::none("noop")];
    let lease_for = Duration::from_secs(1);
    let short = Claim { queue: "default", kinds: &kinds, limit: 1, lease_for, worker: "worker-1" };
    assert_eq!(queue.claim(&short).await.unwrap().len(), 1);
    let note = server.cli(&["--scan", "--pattern", "{q}:e:*"]).unwrap();
    assert_eq!(server.cli(&["DEL", "{q}:e", note.trim()]).unwrap().trim(), "2");
    let began = std::time::Instant::now();
    while queue.tend().await.unwrap().recovered == 0 {
        assert!(began.elapsed() < Duration::from_secs(60), "it is never found");
    }
    assert_eq!(claim(&queue, 1).await.unwrap()[0].attempt, 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_user_who_may_not_publish_enqueues_all_the_same_and_is_told() {
    let server = Redis::start().unwrap();
    let rule = ["ACL", "SETUSER", "worker", "on", ">secret", "~*", "resetchannels", "+@all"];
    assert_eq!(server.cli(&rule).unwrap().trim(), "OK");
    let url = format!("redis://worker:secret@127.0.0.1:{}", server.port());
    let queue = RedisQueue::new(client(&options(url)).await);
    assert!(claim(&queue, 1).await.unwrap().is_empty(), "from now on somebody waits");
    assert_eq!(queue.enqueue(vec![task("noop")]).await.unwrap(), [Enqueued::New]);
    assert_eq!(claim(&queue, 1).await.unwrap().len(), 1);
    let findings = queue.probe().await.unwrap().findings;
    assert!(findings.iter().any(|finding| finding.message.contains("publish")), "{findings:?}");
    assert_eq!(server.cli(&["ACL", "SETUSER", "worker", "allchannels"]).unwrap().trim(), "OK");
    let findings = queue.probe().await.unwrap().findings;
    assert!(findings.iter().all(|finding| !finding.message.contains("publish")), "{findings:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_list_reads_no_more_payloads_than_it_shows() {
    let server = Redis::start().unwrap();
    let queue = open(&server, "").await;
    let payload = serde_json::value::to_raw_value(&"x".repeat(100_000)).unwrap();
    let large = || Task { payload: payload.clone(), ..task("noop") };
    queue.enqueue((0..100).map(|_| large()).collect()).await.unwrap();
    let sent = || {
        let info = server.cli(&["INFO", "stats"]).unwrap();
        let sent = info.lines().find_map(|line| line.strip_prefix("total_net_output_bytes:"));
        sent.unwrap().trim().parse::<u64>().unwrap()
    };
    let one = TaskFilter { queue: Some("default".into()), limit: 1, ..Default::default() };
    let before = sent();
    let listed = queue.list(&one).await.unwrap();
    assert_eq!(listed.tasks.len(), 1);
    assert!(sent() - before < 300_000, "{} bytes for one task", sent() - before);
    let mut all = TaskFilter { limit: 200, ..one };
    let mut found = 0;
    loop {
        let listed = queue.list(&all).await.unwrap();
        found += listed.tasks.len();
        all.after = listed.next;
        if all.after.is_none() {
            break;
        }
    }
    assert_eq!(found, 100);
}
