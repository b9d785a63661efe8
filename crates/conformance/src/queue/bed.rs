//! What the tests of the queue suite share.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use outrigger_kernel::{Clock, SystemClock, Timestamp};
use outrigger_ports::queue::{
    Claim, Enqueued, Failure, Heartbeat, KindLimits, Lease, Leased, Outcome, Queue, Settlement,
    Status, Task, TaskBoard, TaskRecord,
};
use serde_json::value::RawValue;

use super::{Opened, QueueFactory};

/// The queue of most tests.
pub(super) const QUEUE: &str = "main";
/// The kind of most tests.
pub(super) const KIND: &str = "work";
/// A lease that outlives every test.
pub(super) const LONG: Duration = Duration::from_secs(600);
/// The shortest lease.
pub(super) const SHORT: Duration = Duration::from_secs(1);
/// So much later that it is not due yet when a test looks at it at once, on a busy machine.
pub(super) const LATER: Duration = Duration::from_secs(5);
/// A time after which something that should have happened will not.
const DEADLINE: Duration = Duration::from_secs(120);
/// How far a manual clock moves between two looks.
const STEP: Duration = Duration::from_millis(100);

pub(super) struct Bed {
    pub(super) opened: Opened,
    next: AtomicU64,
}

impl Bed {
    pub(super) async fn of(factory: &dyn QueueFactory) -> Self {
        let opened = factory.open().await;
        assert!(opened.instances.len() > 1, "the suite needs two instances or more");
        Self { opened, next: AtomicU64::new(1) }
    }

    /// One of the handles, in turn.
    pub(super) fn queue(&self, n: usize) -> Arc<dyn Queue> {
        self.opened.instances[n % self.opened.instances.len()].queue.clone()
    }

    pub(super) fn board(&self, n: usize) -> Arc<dyn TaskBoard> {
        self.opened.instances[n % self.opened.instances.len()].board.clone()
    }

    pub(super) fn now(&self) -> Timestamp {
        self.opened.clock.as_ref().map_or_else(|| SystemClock.now(), |clock| clock.now())
    }

    /// Lets time pass and tends the queue until the answer is there.
    #[track_caller]
    pub(super) fn until<'a, T>(
        &'a self,
        mut ask: impl AsyncFnMut() -> Option<T> + 'a,
    ) -> impl Future<Output = T> + 'a {
        let caller = std::panic::Location::caller();
        async move {
            let (started, began) = (self.now(), Instant::now());
            for look in 0.. {
                self.queue(look).tend().await.unwrap();
                if let Some(answer) = ask().await {
                    return answer;
                }
                let passed = self.now().since(started).max(began.elapsed());
                assert!(passed < DEADLINE, "not within {DEADLINE:?}, at {caller}");
                match &self.opened.clock {
                    Some(clock) => clock.advance(STEP),
                    None => tokio::time::sleep(Duration::from_millis(5)).await,
                }
            }
            unreachable!("the loop ends by its answer or its deadline")
        }
    }

    /// Lets so much time pass on the queue's clock.
    pub(super) async fn pass(&self, time: Duration) {
        let end = self.now().plus(time);
        self.until(async || (self.now() >= end).then_some(())).await;
    }

    /// A task that is due.
    pub(super) fn task(&self) -> Task {
        let number = self.next.fetch_add(1, Ordering::SeqCst);
        let now = self.now();
        Task {
            id: format!("tsk_{number:026}"),
            queue: QUEUE.to_owned(),
            kind: KIND.to_owned(),
            payload: json("{\"n\": 1}"),
            sealed: false,
            priority: 5,
            run_at: now,
            unique_key: None,
            max_attempts: 3,
            timeout_ms: 60_000,
            backoff_ms: 1_000,
            backoff_max_ms: 60_000,
            retention_s: 3_600,
            created_at: now,
            created_by: None,
            trace: None,
        }
    }

    pub(super) fn tasks(&self, count: usize) -> Vec<Task> {
        (0..count).map(|_| self.task()).collect()
    }

    /// Enqueues one that must be new; gives its id.
    pub(super) async fn enqueue(&self, task: Task) -> String {
        let id = task.id.clone();
        assert_eq!(self.queue(0).enqueue(vec![task]).await.unwrap(), [Enqueued::New]);
        id
    }

    /// Enqueues a default task.
    pub(super) async fn one(&self) -> String {
        self.enqueue(self.task()).await
    }

    /// Claims from the default queue and kind.
    pub(super) async fn claim(&self, limit: usize) -> Vec<Leased> {
        self.claim_for(limit, LONG).await
    }

    pub(super) async fn claim_for(&self, limit: usize, lease_for: Duration) -> Vec<Leased> {
        self.claim_as("worker-1", &[KindLimits::none(KIND)], limit, lease_for).await
    }

    pub(super) async fn claim_as(
        &self,
        worker: &str,
        kinds: &[KindLimits],
        limit: usize,
        lease_for: Duration,
    ) -> Vec<Leased> {
        let at = usize::from(worker.bytes().last().unwrap_or(b'0'));
        let claim = Claim { queue: QUEUE, kinds, limit, lease_for, worker };
        self.queue(at).claim(&claim).await.unwrap()
    }

    /// Claims the one task that is there.
    pub(super) async fn claim_one(&self) -> Leased {
        self.claim_one_for(LONG).await
    }

    pub(super) async fn claim_one_for(&self, lease_for: Duration) -> Leased {
        let mut leased = self.claim_for(2, lease_for).await;
        assert_eq!(leased.len(), 1, "one task waits");
        leased.remove(0)
    }

    /// Claims until there is one, while time passes.
    pub(super) async fn claim_when_due(&self, lease_for: Duration) -> Leased {
        self.until(async || self.claim_for(1, lease_for).await.pop()).await
    }

    /// Ends the lease; whether it held.
    pub(super) async fn settle(&self, lease: &Lease, outcome: Outcome) -> bool {
        let settlement = Settlement { lease: lease.clone(), outcome };
        self.queue(1).settle(vec![settlement]).await.unwrap() == [true]
    }

    /// Ends a lease that must hold.
    pub(super) async fn end(&self, leased: &Leased, outcome: Outcome) -> TaskRecord {
        assert!(self.settle(&leased.lease, outcome).await, "the lease holds");
        self.find(&leased.task.id).await
    }

    pub(super) async fn succeed(&self, leased: &Leased) {
        assert!(self.settle(&leased.lease, done()).await, "the lease holds");
    }

    pub(super) async fn find(&self, id: &str) -> TaskRecord {
        self.board(1).find(id).await.unwrap().expect("the task is known")
    }

    pub(super) async fn status(&self, id: &str) -> Status {
        self.find(id).await.status
    }

    pub(super) async fn beat(
        &self,
        lease: &Lease,
        lease_for: Duration,
    ) -> outrigger_ports::queue::Beat {
        let beats = vec![Heartbeat { lease: lease.clone(), progress: None }];
        self.queue(1).heartbeat(beats, lease_for).await.unwrap()[0]
    }

    /// Tends until the task has this status.
    pub(super) async fn until_status(&self, id: &str, status: Status) -> TaskRecord {
        self.until(async || {
            let record = self.find(id).await;
            (record.status == status).then_some(record)
        })
        .await
    }
}

pub(super) fn ids(leased: &[Leased]) -> Vec<String> {
    leased.iter().map(|leased| leased.task.id.clone()).collect()
}

pub(super) fn json(text: &str) -> Box<RawValue> {
    RawValue::from_string(text.to_owned()).unwrap()
}

pub(super) fn done() -> Outcome {
    Outcome::Succeeded { result: None }
}

pub(super) fn failure(message: &str) -> Failure {
    Failure { code: "broken".to_owned(), message: message.to_owned() }
}
