//! Requests and answers that get lost, refusals, and a server that goes away and comes back.

use std::sync::Arc;
use std::time::{Duration, Instant};

use futures_util::future::join_all;
use outrigger_dynamodb::DynamoStore;
use outrigger_ports::store::{Batch, Precondition, Store, StoreError, Write};
use outrigger_testkit::{DynamoDb, FaultProxy};
use tokio::time::sleep;

use crate::emulator::{Emulator, on_both};
use crate::interposer::{Fault, TRANSACT};
use crate::support::{APPLY, by_status, clock, connect, create, impatient, interposed, key, put};

on_both!(
    a_lost_answer_is_asked_for_again_and_nothing_is_done_twice,
    refusals_for_capacity_and_conflicts_are_waited_out,
);

/// What became of commits.
#[derive(Debug, Default)]
struct Outcomes {
    done: Vec<String>,
    failed: Vec<String>,
    unknown: usize,
}

impl Outcomes {
    async fn create_all(&mut self, store: &Arc<DynamoStore>, round: usize, count: usize) {
        let all = (0..count).map(|n| {
            let (store, id) = (Arc::clone(store), format!("r{round}-{n}"));
            async move { (id.clone(), create(&*store, &id).await) }
        });
        for (id, result) in join_all(all).await {
            match result {
                Ok(versions) => {
                    assert_eq!(versions, [1]);
                    self.done.push(id);
                }
                Err(StoreError::Unavailable(_) | StoreError::Timeout) => self.failed.push(id),
                Err(StoreError::OutcomeUnknown(_)) => self.unknown += 1,
                Err(other) => panic!("{id}: {other:?}"),
            }
        }
    }

    /// Whether some were done and some were not.
    fn are_mixed(&self) -> bool {
        !self.done.is_empty() && self.failed.len() + self.unknown > 0
    }

    /// Every acknowledged document is there, and in its index, and none that was reported as not
    /// written.
    async fn check(&self, store: &dyn Store) {
        let listed = by_status(store).await;
        for id in &self.done {
            assert!(store.get(&key(id)).await.unwrap().is_some(), "{id} was acknowledged");
            assert!(listed.contains(id), "{id} is not in its index");
        }
        for id in &self.failed {
            assert_eq!(store.get(&key(id)).await.unwrap(), None, "{id} was reported as failed");
            assert!(!listed.contains(id), "{id} is in its index");
        }
    }
}

async fn until_back(store: &DynamoStore, id: &str) {
    let started = Instant::now();
    let mut attempt = 0;
    while create(store, &format!("{id}-{attempt}")).await.is_err() {
        assert!(started.elapsed() < Duration::from_secs(60), "the store has not come back");
        attempt += 1;
        sleep(Duration::from_millis(20)).await;
    }
}

#[tokio::test]
async fn a_commit_cut_at_any_byte_is_done_or_failed_or_unknown_but_never_lost() {
    let server = DynamoDb::shared().unwrap();
    let proxy = FaultProxy::start(server.port()).unwrap();
    let url = server.fresh_url();
    let direct = connect(&url, clock()).await;
    direct.migrate(APPLY).await.unwrap();
    let through = url.replace(&server.port().to_string(), &proxy.port().to_string());
    let store = Arc::new(impatient(&through).await);
    let mut outcomes = Outcomes::default();
    let before = proxy.cuts();
    for round in 0..20 {
        proxy.cut_after_bytes(300 + 211 * round as u64);
        outcomes.create_all(&store, round, 4).await;
        until_back(&store, &format!("back{round}")).await;
    }
    assert!(proxy.cuts() - before >= 15, "{} cuts", proxy.cuts());
    // A request that is cut is sent again with the same token.
    assert!(outcomes.done.len() > outcomes.unknown + outcomes.failed.len(), "{outcomes:?}");
    outcomes.check(&direct).await;
}

#[tokio::test]
async fn a_killed_server_has_every_acknowledged_commit() {
    let server = DynamoDb::start_durable().unwrap();
    let store = Arc::new(impatient(&server.fresh_url()).await);
    store.migrate(APPLY).await.unwrap();
    let mut outcomes = Outcomes::default();
    // Until the server was killed in the middle, however slow it is: later in each round.
    for round in 0..20_u64 {
        let kill = async {
            sleep(Duration::from_millis(40 + 60 * round)).await;
            server.kill();
        };
        tokio::join!(outcomes.create_all(&store, usize::try_from(round).unwrap(), 200), kill);
        server.start_again().unwrap();
        until_back(&store, &format!("back{round}")).await;
        if round >= 2 && outcomes.are_mixed() {
            break;
        }
    }
    assert!(outcomes.are_mixed(), "{outcomes:?}");
    outcomes.check(&*store).await;
}

#[tokio::test]
async fn while_the_server_is_away_nothing_is_done_and_then_all_passes_again() {
    let server = DynamoDb::start_durable().unwrap();
    let store = impatient(&server.fresh_url()).await;
    store.migrate(APPLY).await.unwrap();
    create(&store, "before").await.unwrap();
    server.kill();
    let read = store.get(&key("before")).await;
    assert!(matches!(read, Err(StoreError::Unavailable(_))), "{read:?}");
    let written = create(&store, "meanwhile").await;
    assert!(matches!(written, Err(StoreError::Unavailable(_))), "{written:?}");
    assert!(store.probe().await.is_err());
    server.start_again().unwrap();
    until_back(&store, "after").await;
    assert_eq!(store.get(&key("meanwhile")).await.unwrap(), None);
    assert!(store.get(&key("before")).await.unwrap().is_some());
}

#[tokio::test]
async fn a_server_that_stands_still_leaves_the_outcome_unknown() {
    let server = DynamoDb::start().unwrap();
    let store = impatient(&server.fresh_url()).await;
    store.migrate(APPLY).await.unwrap();
    create(&store, "before").await.unwrap();
    server.pause().unwrap();
    let before = key("before");
    let (read, written) = tokio::join!(store.get(&before), create(&store, "now"));
    server.resume().unwrap();
    assert!(matches!(read, Err(StoreError::Unavailable(_))), "{read:?}");
    assert!(matches!(written, Err(StoreError::OutcomeUnknown(_))), "{written:?}");
    until_back(&store, "after").await;
}

async fn a_lost_answer_is_asked_for_again_and_nothing_is_done_twice(emulator: Emulator) {
    let (direct, interposer, through) = interposed(emulator).await;
    let store = connect(&through, clock()).await;
    create(&store, "first").await.unwrap();
    for (n, fault) in
        [Fault::LoseAnswer, Fault::LoseRequest].into_iter().cycle().take(4).enumerate()
    {
        interposer.next(1, TRANSACT, fault);
        assert_eq!(create(&store, &format!("made{n}")).await.unwrap(), [1]);
        interposer.next(2, TRANSACT, fault);
        let update = put("first", &n.to_string(), Precondition::Exists);
        let version = store.commit(Batch::of([update])).await.unwrap();
        assert_eq!(version, [n as u64 + 2]);
        assert_eq!(direct.get(&key("first")).await.unwrap().unwrap().version, n as u64 + 2);
    }
    assert_eq!(interposer.relent(), 0, "every fault was met");
    assert_eq!(by_status(&direct).await.len(), 5);
}

async fn refusals_for_capacity_and_conflicts_are_waited_out(emulator: Emulator) {
    let (direct, interposer, through) = interposed(emulator).await;
    let store = connect(&through, clock()).await;
    create(&store, "a").await.unwrap();
    for fault in [Fault::Throttle, Fault::Conflict] {
        interposer.next(3, TRANSACT, fault);
        let update = put("a", "again", Precondition::Exists);
        store.commit(Batch::of([update])).await.unwrap();
    }
    for operation in ["GetItem", "BatchGetItem", "Query"] {
        interposer.next(3, operation, Fault::Throttle);
    }
    assert_eq!(store.get(&key("a")).await.unwrap().unwrap().version, 3);
    assert!(store.get_many(&[key("a")]).await.unwrap()[0].is_some());
    assert_eq!(by_status(&store).await, ["a"]);
    assert_eq!(interposer.relent(), 0, "every fault was met");
    assert_eq!(direct.get(&key("a")).await.unwrap().unwrap().version, 3);
}

#[tokio::test]
async fn refusals_that_do_not_end_are_said_and_nothing_is_done() {
    let (direct, interposer, through) = interposed(Emulator::Dynoxide).await;
    let store = impatient(&through).await;
    create(&store, "a").await.unwrap();
    for (fault, words) in [(Fault::Throttle, "too many requests"), (Fault::Conflict, "ongoing")] {
        interposer.next(usize::MAX, TRANSACT, fault);
        let delete = Write::Delete { key: key("a"), precondition: Precondition::Exists };
        let batch = Batch::of([put("b", "new", Precondition::Any), delete]);
        match store.commit(batch).await {
            Err(StoreError::Unavailable(cause)) => {
                assert!(cause.to_string().contains(words), "{cause}");
            }
            other => panic!("{fault:?}: {other:?}"),
        }
        interposer.relent();
        assert_eq!(by_status(&direct).await, ["a"]);
        assert_eq!(direct.get(&key("b")).await.unwrap(), None);
    }
}
