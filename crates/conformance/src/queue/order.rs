//! Which task is claimed when.

use std::time::{Duration, Instant};

use outrigger_kernel::limits::TASK_PRIORITY_MAX;
use outrigger_ports::queue::{Claim, KindLimits, Outcome, Status};

use super::QueueFactory;
use super::bed::{Bed, KIND, LATER, LONG, QUEUE, SHORT, ids};

/// All priorities, whatever the order in which they came, one claim at a time and all at once.
pub async fn greater_priorities_come_first(factory: &dyn QueueFactory) {
    let bed = Bed::of(factory).await;
    for limit in [1, 20] {
        let mut tasks = bed.tasks(10);
        for (task, priority) in tasks.iter_mut().zip([3, 9, 0, 7, 1, 8, 2, 6, 4, 5]) {
            task.priority = priority;
        }
        bed.queue(0).enqueue(tasks).await.unwrap();
        let mut priorities = Vec::new();
        while let leased = bed.claim(limit).await
            && !leased.is_empty()
        {
            priorities.extend(leased.iter().map(|leased| leased.task.priority));
        }
        let expected: Vec<u8> = (0..=TASK_PRIORITY_MAX).rev().collect();
        assert_eq!(priorities, expected, "{limit} at a time");
    }
}

/// Also over several calls and handles.
pub async fn equals_come_in_the_order_of_enqueuing(factory: &dyn QueueFactory) {
    let bed = Bed::of(factory).await;
    let mut expected = Vec::new();
    for call in 0..8 {
        let tasks = bed.tasks(15);
        expected.extend(tasks.iter().map(|task| task.id.clone()));
        bed.queue(call).enqueue(tasks).await.unwrap();
    }
    let mut claimed = Vec::new();
    for limit in [1, 7, 50, 200] {
        claimed.extend(ids(&bed.claim(limit).await));
    }
    assert_eq!(claimed, expected);
}

/// Nothing before, something soon after.
pub async fn a_delayed_task_waits_for_its_time(factory: &dyn QueueFactory) {
    let bed = Bed::of(factory).await;
    let mut task = bed.task();
    task.run_at = bed.now().plus(LATER);
    let due = task.run_at;
    let id = bed.enqueue(task).await;
    assert_eq!(bed.status(&id).await, Status::Scheduled);
    assert!(bed.claim(10).await.is_empty());
    let leased = bed.claim_when_due(LONG).await;
    assert!(bed.now() >= due, "not before its time");
    assert_eq!((leased.task.id, leased.attempt), (id, 1));
}

/// It was enqueued first, is due last, and claimed first.
pub async fn a_delayed_task_takes_its_place_by_priority(factory: &dyn QueueFactory) {
    let bed = Bed::of(factory).await;
    let mut delayed = bed.task();
    delayed.priority = 9;
    delayed.run_at = bed.now().plus(Duration::from_secs(1));
    let delayed = bed.enqueue(delayed).await;
    let other = bed.one().await;
    bed.until_status(&delayed, Status::Queued).await;
    assert_eq!(ids(&bed.claim(2).await), [delayed, other]);
}

/// Before older ones too, not before greater priorities.
pub async fn a_released_task_comes_before_others_of_its_priority(factory: &dyn QueueFactory) {
    let bed = Bed::of(factory).await;
    let (first, second) = (bed.one().await, bed.one().await);
    let claimed = bed.claim(2).await;
    let third = bed.one().await;
    bed.end(&claimed[1], Outcome::Released).await;
    let mut urgent = bed.task();
    urgent.priority = 6;
    let urgent = bed.enqueue(urgent).await;
    bed.end(&claimed[0], Outcome::Released).await;
    let order = ids(&bed.claim(4).await);
    assert_eq!((&order[0], &order[3]), (&urgent, &third));
    assert!(order[1..3].contains(&first) && order[1..3].contains(&second));
}

/// As what is released.
pub async fn a_lost_task_comes_before_others_of_its_priority(factory: &dyn QueueFactory) {
    let bed = Bed::of(factory).await;
    let lost = bed.one().await;
    bed.claim_one_for(SHORT).await;
    let other = bed.one().await;
    bed.until_status(&lost, Status::Queued).await;
    assert_eq!(ids(&bed.claim(2).await), [lost, other]);
}

/// A kind with few tasks gets its turn though another has many.
pub async fn kinds_are_served_in_turn(factory: &dyn QueueFactory) {
    let bed = Bed::of(factory).await;
    let mut tasks = bed.tasks(150);
    let many = tasks.len() - 10;
    for task in &mut tasks[many..] {
        "rare".clone_into(&mut task.kind);
    }
    bed.queue(0).enqueue(tasks).await.unwrap();
    let kinds = [KindLimits::none(KIND), KindLimits::none("rare")];
    let mut rare = 0;
    for _ in 0..60 {
        let leased = bed.claim_as("worker-1", &kinds, 1, LONG).await;
        rare += leased.iter().filter(|leased| leased.task.kind == "rare").count();
    }
    assert_eq!(rare, 10, "all of the rare kind had their turn in 60 claims");
    let rest = bed.claim_as("worker-1", &kinds, 200, LONG).await;
    assert_eq!(rest.len(), 90, "what one kind has not, another gets");
}

/// Nothing of another queue, nothing of another kind.
pub async fn a_claim_is_of_its_queue_and_kinds(factory: &dyn QueueFactory) {
    let bed = Bed::of(factory).await;
    let mut elsewhere = bed.task();
    "main2".clone_into(&mut elsewhere.queue);
    let elsewhere = bed.enqueue(elsewhere).await;
    let mut other = bed.task();
    "work2".clone_into(&mut other.kind);
    let other = bed.enqueue(other).await;
    assert!(bed.claim(10).await.is_empty());
    let kinds = [KindLimits::none("work2")];
    assert_eq!(ids(&bed.claim_as("worker-1", &kinds, 10, LONG).await), [other]);
    let kinds = [KindLimits::none(KIND)];
    let claim = Claim { queue: "main2", kinds: &kinds, limit: 1, lease_for: LONG, worker: "w" };
    assert_eq!(ids(&bed.queue(0).claim(&claim).await.unwrap()), [elsewhere]);
    let none = Claim { queue: QUEUE, kinds: &[], limit: 1, lease_for: LONG, worker: "w" };
    assert!(bed.queue(0).claim(&none).await.unwrap().is_empty());
}

/// Long before the wait would end by itself, on the same handle and on another one.
pub async fn enqueuing_wakes_who_waits(factory: &dyn QueueFactory) {
    let bed = Bed::of(factory).await;
    let queues = [QUEUE.to_owned()];
    for waiter in [0, 1] {
        assert!(
            bed.claim_as(&format!("worker-{waiter}"), &[KindLimits::none(KIND)], 1, LONG)
                .await
                .is_empty()
        );
        let began = Instant::now();
        let claimed = async {
            loop {
                bed.queue(waiter).wait(&queues, Duration::from_secs(300)).await;
                let leased = bed.claim(1).await;
                if !leased.is_empty() {
                    return leased;
                }
                assert!(began.elapsed() < Duration::from_secs(100), "woken in time");
            }
        };
        let (id, leased) = tokio::join!(bed.one(), claimed);
        assert_eq!(ids(&leased), [id]);
        bed.succeed(&leased[0]).await;
    }
}
