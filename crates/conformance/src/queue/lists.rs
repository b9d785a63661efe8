//! Lists of tasks.

use std::time::Duration;

use outrigger_kernel::limits::TASKS_MAX;
use outrigger_ports::queue::{LOOKED_AT_MAX, Outcome, Status, Task, TaskFilter};

use super::QueueFactory;
use super::bed::{Bed, KIND, LONG, QUEUE, failure};

async fn list(bed: &Bed, filter: TaskFilter) -> Vec<String> {
    let records = bed.board(1).list(&filter).await.unwrap().tasks;
    for record in &records {
        assert!(filter.status.is_none_or(|status| status == record.status));
        assert!(filter.kind.as_ref().is_none_or(|kind| *kind == record.task.kind));
        assert!(filter.queue.as_ref().is_none_or(|queue| *queue == record.task.queue));
    }
    records.into_iter().map(|record| record.task.id).collect()
}

fn newest(limit: usize) -> TaskFilter {
    TaskFilter { limit, ..TaskFilter::default() }
}

/// Every task once, whatever the size of the page.
pub async fn the_newest_come_first_in_pages(factory: &dyn QueueFactory) {
    let bed = Bed::of(factory).await;
    let tasks = bed.tasks(45);
    let mut expected: Vec<String> = tasks.iter().map(|task| task.id.clone()).collect();
    expected.reverse();
    bed.queue(0).enqueue(tasks).await.unwrap();
    for leased in bed.claim(10).await {
        bed.succeed(&leased).await;
    }
    for limit in [1, 7, 45, 100] {
        let mut all = Vec::new();
        loop {
            let after = all.last().cloned();
            let page = list(&bed, TaskFilter { after, ..newest(limit) }).await;
            let full = page.len() == limit;
            all.extend(page);
            if !full {
                break;
            }
        }
        assert_eq!(all, expected, "{limit} a page");
    }
}

/// Each filter alone and with others; pages of them too.
pub async fn lists_are_of_a_status_kind_and_queue(factory: &dyn QueueFactory) {
    let bed = Bed::of(factory).await;
    let later = bed.now().plus(Duration::from_secs(3_600));
    let mut of = std::collections::BTreeMap::<Status, Vec<String>>::new();
    for status in Status::ALL.into_iter().cycle().take(4 * Status::ALL.len()) {
        let run_at = if status == Status::Scheduled { later } else { bed.now() };
        // What waits is kept from the claims by its kind.
        let kind = if status == Status::Queued { "waiting" } else { KIND };
        let id = bed.enqueue(Task { run_at, kind: kind.to_owned(), ..bed.task() }).await;
        of.entry(status).or_default().insert(0, id.clone());
        let error = failure("no");
        let outcome = match status {
            Status::Scheduled | Status::Queued => continue,
            Status::Running => None,
            Status::Succeeded => Some(Outcome::Succeeded { result: None }),
            Status::Failed => Some(Outcome::Failed { error }),
            Status::Cancelled => Some(Outcome::Cancelled),
            Status::Dead => Some(Outcome::Dead { error }),
        };
        let leased = bed.claim_for(1, LONG).await.remove(0);
        if let Some(outcome) = outcome {
            bed.end(&leased, outcome).await;
        }
    }
    for status in Status::ALL {
        let all = list(&bed, TaskFilter { status: Some(status), ..newest(100) }).await;
        assert_eq!(all, of[&status], "{status:?}");
        let page = TaskFilter { status: Some(status), after: Some(all[1].clone()), ..newest(1) };
        assert_eq!(list(&bed, page).await, of[&status][2..3], "{status:?}");
        let elsewhere = TaskFilter { status: Some(status), queue: Some("x".into()), ..newest(9) };
        assert!(list(&bed, elsewhere).await.is_empty());
    }
    let kind = TaskFilter { kind: Some("waiting".to_owned()), ..newest(3) };
    assert_eq!(list(&bed, kind).await, of[&Status::Queued][..3]);
    let queue = TaskFilter { queue: Some(QUEUE.to_owned()), ..newest(100) };
    assert_eq!(list(&bed, queue).await.len(), 28);
}

/// However many tasks do not fit; what was not looked at is on the pages that follow.
pub async fn one_call_looks_at_so_many_tasks(factory: &dyn QueueFactory) {
    let bed = Bed::of(factory).await;
    let rare = bed.enqueue(Task { kind: "rare".to_owned(), ..bed.task() }).await;
    let claimed = bed.enqueue(bed.task()).await;
    assert_eq!(bed.claim_one().await.task.id, claimed);
    for _ in 0..LOOKED_AT_MAX / TASKS_MAX + 2 {
        bed.queue(0).enqueue(bed.tasks(TASKS_MAX)).await.unwrap();
    }
    let of = |after| TaskFilter { kind: Some("rare".to_owned()), after, ..newest(5) };
    let (mut after, mut found, mut pages) = (None, Vec::new(), 0);
    loop {
        let page = bed.board(pages).list(&of(after)).await.unwrap();
        found.extend(page.tasks.into_iter().map(|record| record.task.id));
        pages += 1;
        after = page.next;
        if after.is_none() {
            break;
        }
        assert!(found.is_empty() && pages < 4, "{after:?} on page {pages}");
    }
    assert_eq!((found, pages), (vec![rare], 2));
    // The few that run are found at once among the many that wait.
    let running = TaskFilter { status: Some(Status::Running), ..newest(5) };
    let running = bed.board(0).list(&running).await.unwrap();
    let ids: Vec<_> = running.tasks.into_iter().map(|record| record.task.id).collect();
    assert_eq!((ids, running.next), (vec![claimed], None));
}

/// When more run than one call looks at, they are on pages too.
pub async fn very_many_running_tasks_are_listed_in_pages(factory: &dyn QueueFactory) {
    let bed = Bed::of(factory).await;
    let mut expected = Vec::new();
    for _ in 0..=LOOKED_AT_MAX / TASKS_MAX {
        let tasks = bed.tasks(TASKS_MAX);
        expected.extend(tasks.iter().map(|task| task.id.clone()));
        bed.queue(0).enqueue(tasks).await.unwrap();
        assert_eq!(bed.claim(TASKS_MAX).await.len(), TASKS_MAX);
    }
    let waiting = bed.tasks(TASKS_MAX);
    bed.queue(0).enqueue(waiting).await.unwrap();
    let (mut after, mut found) = (None, Vec::new());
    loop {
        let filter = TaskFilter { status: Some(Status::Running), after, ..newest(900) };
        let page = bed.board(0).list(&filter).await.unwrap();
        found.extend(page.tasks.into_iter().map(|record| record.task.id));
        after = page.next;
        if after.is_none() {
            break;
        }
    }
    expected.reverse();
    assert_eq!(found, expected);
}

/// Something real was asked.
pub async fn the_queue_probe_answers(factory: &dyn QueueFactory) {
    let bed = Bed::of(factory).await;
    let probed = bed.board(0).probe().await.unwrap();
    assert!(!probed.version.is_empty());
}
