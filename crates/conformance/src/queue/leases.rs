//! Fencing: a lease counts until it has ended, and no longer.

use outrigger_ports::queue::{Beat, KindLimits, Lease, Outcome, Settlement, Status};

use super::QueueFactory;
use super::bed::{Bed, KIND, LATER, LONG, SHORT, done, failure};

/// The second time it is refused, and changes nothing.
pub async fn a_lease_proves_itself_once(factory: &dyn QueueFactory) {
    let bed = Bed::of(factory).await;
    let id = bed.one().await;
    let leased = bed.claim_one().await;
    assert_eq!(leased.lease.task_id, id);
    assert!(bed.settle(&leased.lease, done()).await);
    assert!(!bed.settle(&leased.lease, Outcome::Failed { error: failure("late") }).await);
    assert_eq!(bed.beat(&leased.lease, LONG).await, Beat::Lost);
    assert_eq!(bed.status(&id).await, Status::Succeeded);
}

/// Of another task, made up, or of a task that is not known.
pub async fn a_foreign_or_unknown_lease_is_refused(factory: &dyn QueueFactory) {
    let bed = Bed::of(factory).await;
    bed.one().await;
    bed.one().await;
    let claimed = bed.claim(2).await;
    let [a, b] = [&claimed[0].lease, &claimed[1].lease];
    let crossed = Lease { task_id: a.task_id.clone(), token: b.token.clone() };
    let made_up = Lease { task_id: a.task_id.clone(), token: "1.0000000000000000".to_owned() };
    let empty = Lease { task_id: a.task_id.clone(), token: String::new() };
    let unknown = Lease { task_id: "tsk_unknown".to_owned(), token: a.token.clone() };
    for lease in [crossed, made_up, empty, unknown] {
        assert!(!bed.settle(&lease, done()).await, "{lease:?}");
        assert_eq!(bed.beat(&lease, LONG).await, Beat::Lost, "{lease:?}");
    }
    assert!(bed.settle(a, done()).await && bed.settle(b, done()).await);
}

/// It holds longer than it was given for; without one more it is lost.
pub async fn a_heartbeat_extends_the_lease(factory: &dyn QueueFactory) {
    let bed = Bed::of(factory).await;
    let id = bed.one().await;
    // None of the times is short for what is done within it, but for the last, in which nothing is.
    let leased = bed.claim_one_for(LATER).await;
    assert_eq!(bed.beat(&leased.lease, LONG).await, Beat::Held);
    bed.pass(LATER).await;
    for lease_for in [LONG, LONG, SHORT] {
        assert_eq!(bed.beat(&leased.lease, lease_for).await, Beat::Held);
    }
    assert_eq!((bed.status(&id).await, bed.find(&id).await.attempts), (Status::Running, 1));
    let record = bed.until_status(&id, Status::Queued).await;
    assert_eq!(record.crashes, 1);
    assert_eq!(bed.beat(&leased.lease, LONG).await, Beat::Lost);
}

/// From the instant that it has ended, nobody need have noticed.
pub async fn an_ended_lease_is_refused_before_anybody_claims(factory: &dyn QueueFactory) {
    let bed = Bed::of(factory).await;
    let id = bed.one().await;
    let leased = bed.claim_one_for(SHORT).await;
    assert!(leased.until <= bed.now().plus(SHORT));
    match &bed.opened.clock {
        // Nobody tends here.
        Some(clock) => clock.advance(SHORT),
        None => bed.pass(SHORT).await,
    }
    assert_eq!(bed.beat(&leased.lease, LONG).await, Beat::Lost);
    assert!(!bed.settle(&leased.lease, done()).await);
    let record = bed.until_status(&id, Status::Queued).await;
    assert!(record.result.is_none() && record.finished_at.is_none());
}

/// The late worker changes nothing, the new one does.
pub async fn a_lease_is_refused_once_another_has_the_task(factory: &dyn QueueFactory) {
    let bed = Bed::of(factory).await;
    let id = bed.one().await;
    let late = bed.claim_one_for(SHORT).await;
    let kinds = [KindLimits::none(KIND)];
    let now = bed.until(async || bed.claim_as("worker-2", &kinds, 1, LONG).await.pop()).await;
    assert_ne!(late.lease.token, now.lease.token);
    let result = Outcome::Succeeded { result: Some(super::bed::json("\"late\"")) };
    assert!(!bed.settle(&late.lease, result).await);
    assert_eq!(bed.beat(&late.lease, LONG).await, Beat::Lost);
    assert_eq!(bed.beat(&now.lease, LONG).await, Beat::Held);
    let result = Outcome::Succeeded { result: Some(super::bed::json("\"now\"")) };
    let record = bed.end(&now, result).await;
    assert_eq!((record.status, record.attempts), (Status::Succeeded, 2));
    assert_eq!(record.result.unwrap().get(), "\"now\"");
    assert_eq!(bed.find(&id).await.history.len(), 1);
}

/// It was given back.
pub async fn a_released_lease_is_refused(factory: &dyn QueueFactory) {
    let bed = Bed::of(factory).await;
    let id = bed.one().await;
    let leased = bed.claim_one().await;
    bed.end(&leased, Outcome::Released).await;
    assert!(!bed.settle(&leased.lease, done()).await);
    assert_eq!(bed.status(&id).await, Status::Queued);
}

/// The worker is the same and the attempt has the same number: the token is another.
pub async fn a_lease_of_an_earlier_claim_by_the_same_worker_is_refused(factory: &dyn QueueFactory) {
    let bed = Bed::of(factory).await;
    let id = bed.one().await;
    let earlier = bed.claim_one().await;
    bed.end(&earlier, Outcome::Released).await;
    let later = bed.claim_one().await;
    assert_eq!((earlier.attempt, later.attempt), (1, 1));
    assert!(!bed.settle(&earlier.lease, done()).await);
    assert_eq!(bed.beat(&earlier.lease, LONG).await, Beat::Lost);
    assert_eq!(bed.status(&id).await, Status::Running);
    bed.succeed(&later).await;
}

/// The first counts.
pub async fn the_same_lease_twice_in_one_call_is_once(factory: &dyn QueueFactory) {
    let bed = Bed::of(factory).await;
    let id = bed.one().await;
    let lease = bed.claim_one().await.lease;
    let failed = Outcome::Failed { error: failure("second") };
    let both = [done(), failed].map(|outcome| Settlement { lease: lease.clone(), outcome });
    assert_eq!(bed.queue(0).settle(both.to_vec()).await.unwrap(), [true, false]);
    assert_eq!(bed.status(&id).await, Status::Succeeded);
}

/// Each by itself: those that do not hold keep nothing from the others.
pub async fn many_leases_are_ended_in_one_call(factory: &dyn QueueFactory) {
    let bed = Bed::of(factory).await;
    bed.queue(0).enqueue(bed.tasks(200)).await.unwrap();
    let claimed = bed.claim(200).await;
    assert_eq!(claimed.len(), 200);
    for leased in claimed.iter().step_by(7) {
        bed.succeed(leased).await;
    }
    let settle = |leased: &outrigger_ports::queue::Leased| Settlement {
        lease: leased.lease.clone(),
        outcome: done(),
    };
    let answer = bed.queue(0).settle(claimed.iter().map(settle).collect()).await.unwrap();
    let expected: Vec<bool> = (0..200).map(|at| at % 7 != 0).collect();
    assert_eq!(answer, expected);
    for leased in &claimed {
        assert_eq!(bed.status(&leased.task.id).await, Status::Succeeded);
    }
}
