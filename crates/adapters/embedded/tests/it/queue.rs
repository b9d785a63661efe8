//! The queue on the store in memory passes the suite of its port.

use std::sync::Arc;
use std::time::Duration;

use outrigger_conformance::queue::{Instance, Opened};
use outrigger_embedded::{MemoryStore, StoreQueue};
use outrigger_kernel::{ManualClock, SystemRandom, Timestamp};

/// Two processes on one store: they share nothing else.
async fn open() -> Opened {
    let clock = Arc::new(ManualClock::at(Timestamp::from_secs(1_800_000_000)));
    let store = Arc::new(MemoryStore::new(clock.clone()));
    let queue = || {
        StoreQueue::new(store.clone(), clock.clone(), Arc::new(SystemRandom))
            .polling(Duration::from_millis(5))
    };
    Opened {
        instances: vec![Instance::of(queue()), Instance::of(queue())],
        store: store.clone(),
        clock: Some(clock),
        keep: Box::new(()),
    }
}

outrigger_conformance::queue_suite!(open, manual);

mod waking {
    #![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

    use super::*;
    use outrigger_embedded::Wakeups;
    use outrigger_kernel::{Clock, SystemClock};
    use outrigger_ports::queue::{Claim, KindLimits, Outcome, Queue, Settlement, Task};

    const NEVER: Duration = Duration::from_secs(3_600);
    const SOON: Duration = Duration::from_secs(60);

    /// Two threads of one process; neither looks at the store by itself.
    fn threads() -> (StoreQueue, StoreQueue) {
        let clock = Arc::new(SystemClock);
        let store = Arc::new(MemoryStore::new(clock.clone()));
        let wakeups = Wakeups::default();
        let queue = || {
            StoreQueue::new(store.clone(), clock.clone(), Arc::new(SystemRandom))
                .sharing(wakeups.clone())
                .polling(NEVER)
        };
        (queue(), queue())
    }

    fn task(id: &str) -> Task {
        serde_json::from_value(serde_json::json!({
            "id": id, "queue": "main", "kind": "work", "payload": {}, "priority": 5,
            "run_at": SystemClock.now(), "max_attempts": 3, "timeout_ms": 1, "backoff_ms": 1,
            "backoff_max_ms": 1, "retention_s": 60, "created_at": SystemClock.now(),
        }))
        .unwrap()
    }

    async fn claim(queue: &StoreQueue) -> Vec<outrigger_ports::queue::Leased> {
        let kinds = [KindLimits { concurrency: Some(1), ..KindLimits::none("work") }];
        let lease_for = Duration::from_secs(60);
        let claim = Claim { queue: "main", kinds: &kinds, limit: 5, lease_for, worker: "w" };
        queue.claim(&claim).await.unwrap()
    }

    async fn woken(queue: &StoreQueue) {
        let queues = ["main".to_owned()];
        let waited = tokio::time::timeout(SOON, queue.wait(&queues, NEVER)).await;
        waited.expect("the waiting ends long before it would by itself");
    }

    #[test]
    fn news_wakes_the_other_threads_of_the_process() {
        outrigger_conformance::run(async {
            let (here, there) = threads();
            assert!(claim(&there).await.is_empty());
            let (answer, ()) = tokio::join!(here.enqueue(vec![task("tsk_1")]), woken(&there));
            answer.unwrap();
            let leased = claim(&there).await;
            assert_eq!(leased.len(), 1);
            // The kind has its one place taken; ending the task frees it.
            here.enqueue(vec![task("tsk_2")]).await.unwrap();
            assert!(claim(&here).await.is_empty());
            let outcome = Outcome::Succeeded { result: None };
            let settlement = Settlement { lease: leased[0].lease.clone(), outcome };
            let (held, ()) = tokio::join!(there.settle(vec![settlement]), woken(&here));
            assert_eq!(held.unwrap(), [true]);
            assert_eq!(claim(&here).await.len(), 1);
        });
    }

    #[test]
    fn what_came_after_a_claim_began_is_not_slept_through() {
        outrigger_conformance::run(async {
            let (here, there) = threads();
            assert!(claim(&there).await.is_empty());
            here.enqueue(vec![task("tsk_1")]).await.unwrap();
            // It was enqueued before the wait began, and no claim has looked since.
            woken(&there).await;
            assert_eq!(claim(&there).await.len(), 1);
        });
    }
}
