//! Leases for workers elsewhere, and the time that an attempt may take.

use std::time::Duration;

use outrigger_kernel::{Ctx, Result};
use outrigger_ports::queue::{Status, TaskRecord};
use serde_json::json;

use super::{
    CompleteInput, HeartbeatInput, HeartbeatView, LeaseInput, LeaseView, TaskInput, Tasks, testing,
};
use crate::audit::{Audit, testing::World};

struct Bed {
    world: World,
    tasks: Tasks,
    ctx: Ctx,
}

impl Bed {
    fn new() -> Self {
        let world = World::new();
        let tasks = testing::tasks(&world.ports, Audit::new(&world.ports));
        Self { world, tasks, ctx: Ctx::system("test") }
    }

    async fn enqueue(&self, timeout_s: u64, max_attempts: u32) -> String {
        let input = TaskInput {
            timeout_s: Some(timeout_s),
            max_attempts: Some(max_attempts),
            ..TaskInput::of("note.changed", json!({}))
        };
        self.tasks.enqueue(&self.ctx, input, None).await.unwrap().0
    }

    async fn lease(&self, wait_s: u64, ending: impl Future<Output = ()>) -> LeaseView {
        let input = json!({"kinds": ["note.changed"], "lease_s": 30, "wait_s": wait_s});
        let input: LeaseInput = serde_json::from_value(input).unwrap();
        self.tasks.lease(&self.ctx, "default", &input, ending).await.unwrap()
    }

    /// Leases the task that is there; gives its token.
    async fn token(&self) -> String {
        self.lease(0, std::future::pending()).await.items.remove(0).token
    }

    async fn beat(&self, id: &str, token: &str) -> Result<HeartbeatView> {
        let input = HeartbeatInput { token: token.to_owned(), progress: None, lease_s: 30 };
        self.tasks.heartbeat(&self.ctx, id, &input).await
    }

    async fn find(&self, id: &str) -> TaskRecord {
        self.world.ports.board.find(id).await.unwrap().unwrap()
    }
}

#[tokio::test]
async fn an_attempt_that_takes_too_long_ends_with_its_next_sign_of_life() {
    let bed = Bed::new();
    let id = bed.enqueue(100, 2).await;
    for attempt in 1..=2 {
        let token = bed.token().await;
        for _ in 0..9 {
            bed.world.clock.advance(Duration::from_secs(11));
            assert!(!bed.beat(&id, &token).await.unwrap().cancelled);
        }
        bed.world.clock.advance(Duration::from_secs(11));
        assert_eq!(bed.beat(&id, "1-foreign").await.unwrap_err().code(), "lease_lost");
        assert_eq!(bed.find(&id).await.status, Status::Running, "a foreign token ends nothing");
        let refused = bed.beat(&id, &token).await.unwrap_err();
        assert_eq!(refused.code(), "lease_lost");
        assert!(refused.to_string().contains("100s"), "{refused}");
        let record = bed.find(&id).await;
        assert_eq!((record.attempts, record.crashes), (attempt, 0));
        assert_eq!(record.error.unwrap().code, "timeout");
        let after = if attempt == 1 { Status::Scheduled } else { Status::Dead };
        assert_eq!(record.status, after);
        bed.world.clock.advance(Duration::from_secs(3_600));
        bed.world.ports.queue.tend().await.unwrap();
    }
}

#[tokio::test]
async fn a_lease_does_not_outlive_the_time_of_its_attempt_for_long() {
    let bed = Bed::new();
    let id = bed.enqueue(5, 2).await;
    let token = bed.token().await;
    bed.world.clock.advance(Duration::from_secs(4));
    bed.beat(&id, &token).await.unwrap();
    // 5 s, and half of the 30 s of the lease.
    bed.world.clock.advance(Duration::from_secs(16));
    let done = CompleteInput { token, result: None };
    let refused = bed.tasks.complete(&bed.ctx, &id, &done).await.unwrap_err();
    assert_eq!(refused.code(), "lease_lost");
    bed.world.ports.queue.tend().await.unwrap();
    assert_eq!(bed.find(&id).await.status, Status::Queued);
}

#[tokio::test]
async fn nobody_waits_for_a_task_once_the_process_ends() {
    let bed = Bed::new();
    // The clock of the queue stands still: only the end ends it.
    let answer = bed.lease(20, tokio::task::yield_now()).await;
    assert!(answer.items.is_empty());
    bed.enqueue(5, 1).await;
    assert_eq!(bed.lease(20, std::future::ready(())).await.items.len(), 1);
}
