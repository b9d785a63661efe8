//! Many tasks: what tests of size and endurance do to a queue whose clock is the real one.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use futures_util::future::join_all;
use outrigger_kernel::{Clock as _, Ids, SystemClock, SystemRandom, limits};
use outrigger_ports::queue::{Claim, Enqueued, KindLimits, Outcome, Queue, Settlement, Task};

use super::bed::{KIND, QUEUE, json};

/// Calls that are under way at once.
const AT_ONCE: usize = 4;
/// Calls of each sort whose median is the cost.
const ROUNDS: usize = 41;

/// Much longer than a claim and its settling take; a queue may note a lease until it would have ended.
const LEASE: Duration = Duration::from_secs(30);

/// A queue under load.
#[derive(Debug)]
pub struct Load {
    queue: Arc<dyn Queue>,
    ids: Ids,
    retention_s: u64,
}

/// The median times of calls.
#[derive(Clone, Copy, Debug)]
pub struct Cost {
    /// Of an enqueue.
    pub enqueue: Duration,
    /// Of a claim.
    pub claim: Duration,
}

impl Cost {
    /// How many times this costs what the other does; the dearer of the two calls.
    pub fn over(&self, other: &Self) -> f64 {
        let ratio = |one: Duration, other: Duration| one.as_secs_f64() / other.as_secs_f64();
        ratio(self.enqueue, other.enqueue).max(ratio(self.claim, other.claim))
    }
}

impl Load {
    /// Load on this queue, whose finished tasks are kept for so many seconds.
    pub fn on(queue: Arc<dyn Queue>, retention_s: u64) -> Self {
        let ids = Ids::new(Arc::new(SystemClock), Arc::new(SystemRandom));
        Self { queue, ids, retention_s }
    }

    fn task(&self) -> Task {
        let now = SystemClock.now();
        Task {
            id: self.ids.new_id("tsk"),
            queue: QUEUE.to_owned(),
            kind: KIND.to_owned(),
            payload: json("{\"n\": 1}"),
            sealed: false,
            priority: 5,
            run_at: now,
            unique_key: None,
            max_attempts: 5,
            timeout_ms: 60_000,
            backoff_ms: 1_000,
            backoff_max_ms: 60_000,
            retention_s: self.retention_s,
            created_at: now,
            created_by: None,
            trace: None,
        }
    }

    async fn enqueue(&self, count: usize) {
        let tasks = (0..count).map(|_| self.task()).collect();
        let answers = self.queue.enqueue(tasks).await.unwrap();
        assert!(answers.iter().all(|answer| *answer == Enqueued::New), "{answers:?}");
    }

    /// Lets so many more tasks wait.
    pub async fn fill(&self, count: usize) {
        let left = AtomicUsize::new(count);
        let some = || {
            let take = |left: usize| left.min(limits::TASKS_MAX);
            let next = |left| (left > 0).then(|| left - take(left));
            left.fetch_update(Ordering::SeqCst, Ordering::SeqCst, next).ok().map(take)
        };
        let fill = || async {
            while let Some(count) = some() {
                self.enqueue(count).await;
            }
        };
        join_all((0..AT_ONCE).map(|_| fill())).await;
    }

    async fn claim(&self, worker: &str, limit: usize) -> Vec<Settlement> {
        let kinds = [KindLimits::none(KIND)];
        let claim = Claim { queue: QUEUE, kinds: &kinds, limit, lease_for: LEASE, worker };
        let done = || Outcome::Succeeded { result: Some(json("{\"ok\": true}")) };
        let leased = self.queue.claim(&claim).await.unwrap();
        leased
            .into_iter()
            .map(|leased| Settlement { lease: leased.lease, outcome: done() })
            .collect()
    }

    /// Lets workers do all that waits; says how many tasks that were.
    pub async fn drain(&self) -> usize {
        let work = |n: usize| async move {
            let (worker, mut done) = (format!("worker-{n}"), 0);
            loop {
                let settlements = self.claim(&worker, limits::TASKS_MAX).await;
                if settlements.is_empty() {
                    return done;
                }
                done += settlements.len();
                let held = self.queue.settle(settlements).await.unwrap();
                assert!(held.iter().all(|held| *held), "each lease holds");
            }
        };
        join_all((0..AT_ONCE).map(work)).await.into_iter().sum()
    }

    /// The times of an enqueue of so many tasks, and of a claim of as many.
    async fn once(&self, batch: usize) -> (Duration, Duration) {
        let began = Instant::now();
        self.enqueue(batch).await;
        let enqueued = began.elapsed();
        let began = Instant::now();
        assert_eq!(self.claim("worker-1", batch).await.len(), batch);
        (enqueued, began.elapsed())
    }
}

/// What calls cost on each of two queues, measured in turn, so that a busy machine slows both.
pub async fn costs(few: &Load, many: &Load, batch: usize) -> [Cost; 2] {
    let mut times = [(Vec::new(), Vec::new()), (Vec::new(), Vec::new())];
    for _ in 0..ROUNDS {
        for (load, (enqueues, claims)) in [few, many].into_iter().zip(&mut times) {
            let (enqueue, claim) = load.once(batch).await;
            enqueues.push(enqueue);
            claims.push(claim);
        }
    }
    let median = |mut times: Vec<Duration>| {
        times.sort_unstable();
        times[ROUNDS / 2]
    };
    times.map(|(enqueues, claims)| Cost { enqueue: median(enqueues), claim: median(claims) })
}

/// Fails unless calls cost no more than `most` times as much on `many` as on `few`; says what they
/// cost.
pub async fn check_costs(few: &Load, many: &Load, most: f64) -> String {
    let mut said = Vec::new();
    for batch in [1, 50] {
        let [of_few, of_many] = costs(few, many, batch).await;
        let ratio = of_many.over(&of_few);
        said.push(format!("{batch} tasks a call: {of_few:?} -> {of_many:?}, {ratio:.2} times"));
        assert!(ratio <= most, "{said:?}");
    }
    said.join("; ")
}
