//! Requests and answers that get lost, refusals, and a server that goes away and comes back.

use std::time::Duration;

use mongodb::bson::doc;
use outrigger_mongodb::MongoStore;
use outrigger_ports::store::{Batch, Precondition, Store, StoreError, Write};
use outrigger_testkit::{FaultProxy, MongoDb};

use super::interposer::{self, Fault, Interposer};
use crate::support::{
    APPLY, Outcomes, PATIENT, by_status, clock, connect, create, create_two, is_two, key, put,
    until_back,
};

/// A short one, for tests in which nobody answers; still enough for a few requests on a busy machine.
const PATIENCE: Duration = Duration::from_secs(5);
const TRANSIENT: &[&str] = &["TransientTransactionError"];

/// A new database, a handle straight to it, and one through the server on another port that gives up
/// soon.
async fn pair(port: u16) -> (MongoStore, MongoStore) {
    let server = MongoDb::shared().unwrap();
    let url = server.fresh_url();
    let direct = connect(&url, clock(), PATIENT).await;
    direct.migrate(APPLY).await.unwrap();
    let through = url.replace(&server.port().to_string(), &port.to_string());
    let through = connect(&through, clock(), PATIENCE).await;
    assert_eq!(through.get(&key("nobody")).await.unwrap(), None);
    (direct, through)
}

async fn interposed() -> (MongoStore, MongoStore, Interposer) {
    let interposer = interposer::before(MongoDb::shared().unwrap().port());
    let (direct, through) = pair(interposer.port()).await;
    (direct, through, interposer)
}

#[tokio::test]
async fn a_lost_request_or_answer_of_one_write_is_asked_for_again_and_nothing_is_done_twice() {
    let interposer = interposer::before(MongoDb::shared().unwrap().port());
    let (direct, store) = patient(&interposer).await;
    create(&store, "first").await.unwrap();
    for (n, fault) in [Fault::LoseAnswer, Fault::LoseRequest].iter().enumerate() {
        interposer.next(1, "insert", fault);
        assert_eq!(create(&store, &format!("made{n}")).await.unwrap(), [1]);
        interposer.next(1, "findAndModify", fault);
        let update = put("first", &n.to_string(), Precondition::Exists);
        let version = store.commit(Batch::of([update])).await.unwrap();
        assert_eq!(version, [n as u64 + 2]);
        assert_eq!(direct.get(&key("first")).await.unwrap().unwrap().version, n as u64 + 2);
        interposer.next(1, "delete", fault);
        let delete =
            Write::Delete { key: key(&format!("made{n}")), precondition: Precondition::Exists };
        assert_eq!(store.commit(Batch::of([delete])).await.unwrap(), [0]);
        interposer.next(1, "find", fault);
        assert!(store.get(&key("first")).await.unwrap().is_some());
    }
    assert_eq!(interposer.relent(), 0, "every fault was met");
    assert_eq!(by_status(&direct).await, ["first"]);
}

#[tokio::test]
async fn a_write_that_nobody_answers_is_unknown() {
    let (direct, store, interposer) = interposed().await;
    for (fault, is_there) in [(Fault::LoseAnswer, true), (Fault::LoseRequest, false)] {
        interposer.next(usize::MAX, "insert", &fault);
        let id = format!("there-{is_there}");
        let made = create(&store, &id).await;
        assert!(matches!(made, Err(StoreError::OutcomeUnknown(_))), "{made:?}");
        interposer.relent();
        assert_eq!(direct.get(&key(&id)).await.unwrap().is_some(), is_there);
    }
}

#[tokio::test]
async fn a_transaction_that_loses_any_request_or_answer_is_done_once() {
    let interposer = interposer::before(MongoDb::shared().unwrap().port());
    let (direct, store) = patient(&interposer).await;
    let mut rounds = 0;
    for fault in [Fault::LoseAnswer, Fault::LoseRequest] {
        for command in ["find", "update", "delete", "commitTransaction"] {
            create_two(&store, "gone").await.unwrap();
            interposer.next(1, command, &fault);
            let batch = Batch::of([
                put("counted", "x", Precondition::Any),
                Write::Delete { key: key("gone"), precondition: Precondition::Exists },
                Write::Delete { key: key("gone+"), precondition: Precondition::Version(1) },
            ]);
            rounds += 1;
            assert_eq!(store.commit(batch).await.unwrap(), [rounds, 0, 0], "{command}");
            assert_eq!(interposer.relent(), 0, "{fault:?} of {command} was met");
            assert_eq!(by_status(&direct).await, ["counted"]);
        }
    }
}

#[tokio::test]
async fn a_commit_that_nobody_answers_is_unknown_and_whole() {
    let (direct, store, interposer) = interposed().await;
    for (fault, is_there) in [(Fault::LoseAnswer, true), (Fault::LoseRequest, false)] {
        interposer.next(usize::MAX, "commitTransaction", &fault);
        let id = format!("there-{is_there}");
        let made = create_two(&store, &id).await;
        assert!(matches!(made, Err(StoreError::OutcomeUnknown(_))), "{made:?}");
        interposer.relent();
        for id in [id.clone(), format!("{id}+")] {
            assert_eq!(direct.get(&key(&id)).await.unwrap().is_some(), is_there, "{id}");
        }
    }
}

/// A handle straight to a new database, and a patient one through the interposer.
async fn patient(interposer: &Interposer) -> (MongoStore, MongoStore) {
    let server = MongoDb::shared().unwrap();
    let url = server.fresh_url();
    let direct = connect(&url, clock(), PATIENT).await;
    direct.migrate(APPLY).await.unwrap();
    let through = url.replace(&server.port().to_string(), &interposer.port().to_string());
    (direct, connect(&through, clock(), PATIENT).await)
}

/// A refusal says nothing of the commit that may have been heard before.
#[tokio::test]
async fn a_commit_that_was_heard_and_is_refused_when_asked_again_is_unknown_and_whole() {
    let interposer = interposer::before(MongoDb::shared().unwrap().port());
    let (direct, store) = patient(&interposer).await;
    // The driver asks a second time by itself.
    interposer.next(2, "commitTransaction", Fault::LoseAnswer);
    interposer.next(1, "commitTransaction", Fault::error(18, "AuthenticationFailed", &[]));
    let made = create_two(&store, "made").await;
    assert!(matches!(made, Err(StoreError::OutcomeUnknown(_))), "{made:?}");
    assert_eq!(interposer.relent(), 0, "every fault was met");
    for id in ["made", "made+"] {
        assert!(direct.get(&key(id)).await.unwrap().is_some(), "{id}");
    }
}

/// As little as of a single write: rights were taken away in between, or the disk is full now.
#[tokio::test]
async fn a_write_that_was_heard_and_is_refused_when_asked_again_is_unknown() {
    let interposer = interposer::before(MongoDb::shared().unwrap().port());
    let (direct, store) = patient(&interposer).await;
    for (code, name) in [(13, "Unauthorized"), (18, "AuthenticationFailed"), (14_031, "Full")] {
        let (made, gone) = (format!("made{code}"), format!("gone{code}"));
        create(&direct, &gone).await.unwrap();
        let refused = Fault::error(code, name, &[]);
        let delete = Write::Delete { key: key(&gone), precondition: Precondition::Exists };
        for (command, write) in [
            ("insert", put(&made, "new", Precondition::Absent)),
            ("findAndModify", put(&made, "newer", Precondition::Exists)),
            ("delete", delete),
        ] {
            interposer.next(1, command, Fault::LoseAnswer);
            interposer.next(1, command, &refused);
            let said = store.commit(Batch::of([write.clone()])).await;
            assert!(matches!(said, Err(StoreError::OutcomeUnknown(_))), "{command}: {said:?}");
            assert_eq!(interposer.relent(), 0, "every fault was met");
            // Without a lost answer it was not done, and that is said.
            interposer.next(1, command, &refused);
            let said = store.commit(Batch::of([write])).await;
            let is_told = matches!(&said, Err(StoreError::Unavailable(_) | StoreError::Full(_)));
            assert!(is_told, "{command}: {said:?}");
        }
        assert_eq!(direct.get(&key(&made)).await.unwrap().unwrap().version, 2);
        assert_eq!(direct.get(&key(&gone)).await.unwrap(), None);
    }
}

#[tokio::test]
async fn conflicts_are_tried_again_while_there_is_time_and_then_nothing_is_done() {
    let (direct, store, interposer) = interposed().await;
    let conflict = Fault::error(112, "WriteConflict", TRANSIENT);
    for command in ["find", "update", "commitTransaction"] {
        interposer.next(3, command, &conflict);
        assert_eq!(create_two(&store, command).await.unwrap(), [1, 1], "{command}");
        interposer.next(usize::MAX, command, &conflict);
        match create_two(&store, "never").await {
            Err(StoreError::Unavailable(cause)) => {
                assert!(cause.to_string().contains("WriteConflict"), "{cause}");
            }
            other => panic!("{command}: {other:?}"),
        }
        interposer.relent();
        assert_eq!(direct.get(&key("never")).await.unwrap(), None);
        assert_eq!(direct.get(&key("never+")).await.unwrap(), None);
    }
}

/// Right after an election a server has nothing that a majority has, and cursors are gone.
#[tokio::test]
async fn a_page_that_cannot_be_read_for_a_moment_is_asked_for_again() {
    let interposer = interposer::before(MongoDb::shared().unwrap().port());
    let (_direct, store) = patient(&interposer).await;
    create(&store, "a").await.unwrap();
    for (code, name) in
        [(246, "SnapshotUnavailable"), (239, "SnapshotTooOld"), (43, "CursorNotFound")]
    {
        interposer.next(2, "find", Fault::error(code, name, &[]));
        assert_eq!(by_status(&store).await, ["a"]);
    }
    assert_eq!(interposer.relent(), 0, "every fault was met");
}

#[tokio::test]
async fn what_a_server_says_is_named() {
    let interposer = interposer::before(MongoDb::shared().unwrap().port());
    let (direct, store) = patient(&interposer).await;
    let not_primary = Fault::error(10_107, "NotWritablePrimary", &["RetryableWriteError"]);
    interposer.next(1, "insert", &not_primary);
    assert_eq!(create(&store, "elsewhere").await.unwrap(), [1]);
    let by_no_majority = Fault::Answer(doc! {
        "ok": 1.0, "n": 1,
        "writeConcernError": { "code": 64, "codeName": "WriteConcernTimeout", "errmsg": "late" },
    });
    interposer.next(2, "insert", &by_no_majority);
    let made = create(&store, "lonely").await;
    assert!(matches!(made, Err(StoreError::OutcomeUnknown(_))), "{made:?}");
    interposer.relent();
    for (code, name) in
        [(14_031, "OutOfDiskSpace"), (13, "Unauthorized"), (10_334, "BSONObjectTooLarge")]
    {
        for two in [false, true] {
            interposer.next(
                1,
                if two { "update" } else { "insert" },
                Fault::error(code, name, &[]),
            );
            let made = match two {
                true => create_two(&store, "refused").await,
                false => create(&store, "refused").await,
            };
            let is_named = match (&made, code) {
                (Err(StoreError::Full(cause)), 14_031)
                | (Err(StoreError::Unavailable(cause)), 13) => cause.to_string().contains(name),
                (Err(StoreError::Bound { what, .. }), 10_334) => what.contains(name),
                _ => false,
            };
            assert!(is_named, "{name}: {made:?}");
            assert_eq!(interposer.relent(), 0);
        }
    }
    assert_eq!(by_status(&direct).await, ["elsewhere"]);
}

#[tokio::test]
async fn a_commit_cut_at_any_byte_is_done_or_failed_or_unknown_but_never_lost_or_halved() {
    let proxy = FaultProxy::start(MongoDb::shared().unwrap().port()).unwrap();
    let (direct, store) = pair(proxy.port()).await;
    let mut outcomes = Outcomes::default();
    let before = proxy.cuts();
    for round in 0..20_u64 {
        proxy.cut_after_bytes(100 + 97 * round);
        for n in 0..3 {
            let id = if n == 1 { format!("two{round}-{n}") } else { format!("one{round}-{n}") };
            let two = is_two(&id);
            outcomes.create(&store, id, two).await;
        }
        until_back(&store, &format!("back{round}")).await;
    }
    assert!(proxy.cuts() - before >= 15, "{} cuts", proxy.cuts());
    assert!(outcomes.done.len() > outcomes.unknown.len() + outcomes.failed.len(), "{outcomes:?}");
    outcomes.check(&direct).await;
}

#[tokio::test]
async fn while_the_server_is_away_nothing_is_done_and_then_all_passes_again() {
    let proxy = FaultProxy::start(MongoDb::shared().unwrap().port()).unwrap();
    let (direct, store) = pair(proxy.port()).await;
    create(&store, "before").await.unwrap();
    proxy.cut();
    // Whoever is first learns that nobody is there; a write may have been on its way.
    let first = create(&store, "first").await;
    assert!(first.is_err(), "{first:?}");
    let read = store.get(&key("before")).await;
    assert!(matches!(read, Err(StoreError::Unavailable(_))), "{read:?}");
    for written in [create(&store, "one").await, create_two(&store, "two").await] {
        assert!(matches!(written, Err(StoreError::Unavailable(_))), "{written:?}");
    }
    assert!(store.probe().await.is_err());
    proxy.restore().unwrap();
    until_back(&store, "after").await;
    for id in ["first", "one", "two", "two+"] {
        assert_eq!(direct.get(&key(id)).await.unwrap(), None, "{id}");
    }
    assert!(store.get(&key("before")).await.unwrap().is_some());
}

#[tokio::test]
async fn a_server_that_stands_still_leaves_the_outcome_unknown() {
    let server = MongoDb::start().unwrap();
    let store = connect(&server.fresh_url(), clock(), PATIENCE).await;
    store.migrate(APPLY).await.unwrap();
    create(&store, "before").await.unwrap();
    server.pause().unwrap();
    let before = key("before");
    let (read, written) = tokio::join!(store.get(&before), create(&store, "now"));
    server.resume().unwrap();
    assert!(matches!(read, Err(StoreError::Timeout | StoreError::Unavailable(_))), "{read:?}");
    assert!(matches!(written, Err(StoreError::OutcomeUnknown(_))), "{written:?}");
    until_back(&store, "after").await;
}
