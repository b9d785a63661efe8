//! Commits that wait for others, statements that take too long, a pool that is used up.

use std::time::{Duration, Instant};

use futures_util::StreamExt;
use outrigger_ports::store::{Batch, Precondition, Store, StoreError, Write};
use outrigger_sql::{PostgresOptions, PostgresStore};
use outrigger_testkit::Postgres;

use super::{fresh, migrated, session, store};
use crate::support::{clock, create, key, on_one_core, put};

const HOLD: &str = "BEGIN; SELECT pg_advisory_xact_lock(outrigger_guard_v1('rec.things', 'a'))";

#[test]
fn a_statement_that_takes_too_long_is_a_timeout_that_changed_nothing() {
    on_one_core(async {
        let (direct, options) = store().await;
        create(&direct, "a").await.unwrap();
        let options = PostgresOptions {
            statement_timeout: Duration::from_millis(500),
            lock_timeout: Duration::from_secs(60),
            ..options
        };
        let store = PostgresStore::connect(&options, clock()).await.unwrap();
        let blocker = session(&options).await;
        blocker.batch_execute("BEGIN; LOCK TABLE outrigger_documents").await.unwrap();
        let started = Instant::now();
        let read = store.get(&key("a")).await;
        assert!(matches!(read, Err(StoreError::Timeout)), "{read:?}");
        let written = create(&store, "b").await;
        assert!(matches!(written, Err(StoreError::Timeout)), "{written:?}");
        assert!(started.elapsed() < Duration::from_secs(30), "it was the statement's time");
        blocker.batch_execute("ROLLBACK").await.unwrap();
        assert!(direct.get(&key("a")).await.unwrap().is_some());
        assert_eq!(direct.get(&key("b")).await.unwrap(), None);
    });
}

#[test]
fn a_commit_waits_for_another_one_only_so_long() {
    on_one_core(async {
        let (_, options) = store().await;
        let options = PostgresOptions { lock_timeout: Duration::from_millis(150), ..options };
        let store = PostgresStore::connect(&options, clock()).await.unwrap();
        create(&store, "a").await.unwrap();
        let blocker = session(&options).await;
        blocker.batch_execute(HOLD).await.unwrap();
        let written = store.commit(Batch::of([put("a", Precondition::Any)])).await;
        assert!(matches!(written, Err(StoreError::Unavailable(_))), "{written:?}");
        blocker.batch_execute("ROLLBACK").await.unwrap();
        assert_eq!(store.commit(Batch::of([put("a", Precondition::Any)])).await.unwrap(), [2]);
    });
}

/// Waits until so many sessions wait for a lock in the database.
async fn until_wait(admin: &tokio_postgres::Client, sessions: usize) {
    let waits = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' \
                 AND datname = current_database()";
    let sessions = i64::try_from(sessions).unwrap();
    while admin.query_one(waits, &[]).await.unwrap().get::<_, i64>(0) < sessions {
        tokio::task::yield_now().await;
    }
}

/// Another session that puts this document and does not commit.
async fn putting(options: &PostgresOptions, id: &str) -> tokio_postgres::Client {
    let session = session(options).await;
    let put = format!(
        "BEGIN; INSERT INTO outrigger_documents (collection, id, version, body)          VALUES ('rec.things', '{id}', 1, '')"
    );
    session.batch_execute(&put).await.unwrap();
    session
}

#[test]
fn creates_that_go_together_do_not_fail_for_one_that_has_to_wait() {
    on_one_core(async {
        let (_, options) = store().await;
        // Long enough for what has to wait for nobody, on a busy machine too.
        for (lock_ms, statement_ms) in [(2_000, 60_000), (60_000, 2_000)] {
            let options = PostgresOptions {
                lock_timeout: Duration::from_millis(lock_ms),
                statement_timeout: Duration::from_millis(statement_ms),
                ..options.clone()
            };
            let store = PostgresStore::connect(&options, clock()).await.unwrap();
            let id = |n: usize| format!("{lock_ms}-{n}");
            let blocker = putting(&options, &id(3)).await;
            let ids: Vec<String> = (0..20).map(id).collect();
            let all = ids.iter().map(|id| create(&store, id));
            let results = futures_util::future::join_all(all).await;
            for (n, result) in results.into_iter().enumerate() {
                match n {
                    3 => assert!(
                        matches!(result, Err(StoreError::Unavailable(_) | StoreError::Timeout)),
                        "{result:?}"
                    ),
                    _ => assert_eq!(result.unwrap(), [1], "{n}"),
                }
            }
            blocker.batch_execute("ROLLBACK").await.unwrap();
            assert_eq!(create(&store, &id(3)).await.unwrap(), [1]);
        }
    });
}

#[test]
fn a_create_waits_for_its_turn_only_so_long() {
    on_one_core(async {
        let (_, options) = store().await;
        let acquire_timeout = Duration::from_secs(2);
        let options = PostgresOptions { acquire_timeout, ..options };
        let store = PostgresStore::connect(&options, clock()).await.unwrap();
        // Turns that all wait for somebody else.
        let ids: Vec<String> = (0..4).map(|n| format!("held{n}")).collect();
        let mut blockers = Vec::new();
        for id in &ids {
            blockers.push(putting(&options, id).await);
        }
        let admin = session(&options).await;
        let mut held = futures_util::stream::FuturesUnordered::new();
        for (before, id) in ids.iter().enumerate() {
            held.push(create(&store, id));
            // Its turn begins before the next one comes.
            tokio::select! {
                created = held.next() => panic!("it waits: {created:?}"),
                () = until_wait(&admin, before + 1) => {}
            }
        }
        let late = create(&store, "late");
        // A turn is free again only when it has waited for too long.
        let free = async {
            tokio::time::sleep(acquire_timeout + Duration::from_secs(1)).await;
            for blocker in &blockers {
                blocker.batch_execute("ROLLBACK").await.unwrap();
            }
        };
        let (late, _, ()) = tokio::join!(late, held.collect::<Vec<_>>(), free);
        assert!(late.unwrap_err().to_string().contains("no turn"), "it is not written any more");
        assert_eq!(store.get(&key("late")).await.unwrap(), None);
        create(&store, "late").await.unwrap();
    });
}

#[test]
fn commits_that_find_no_free_connection_are_told_so() {
    on_one_core(async {
        let (_, options) = store().await;
        let options = PostgresOptions {
            write_connections: 1,
            acquire_timeout: Duration::from_secs(2),
            ..options
        };
        let store = PostgresStore::connect(&options, clock()).await.unwrap();
        create(&store, "a").await.unwrap();
        let blocker = session(&options).await;
        blocker.batch_execute(HOLD).await.unwrap();
        let held = store.commit(Batch::of([put("a", Precondition::Any)]));
        let other = async {
            let refused = create(&store, "b").await.unwrap_err();
            blocker.batch_execute("ROLLBACK").await.unwrap();
            refused
        };
        let (held, refused) = tokio::join!(held, other);
        assert_eq!(held.unwrap(), [2]);
        assert!(matches!(refused, StoreError::Unavailable(_)), "{refused:?}");
        assert!(refused.to_string().contains("none of 1 connections"), "{refused}");
        create(&store, "b").await.unwrap();
    });
}

#[test]
fn many_commits_check_one_document_beside_each_other() {
    on_one_core(async {
        let (store, options) = store().await;
        create(&store, "a").await.unwrap();
        // Somebody who checks it holds its guard shared, and stays.
        let other = session(&options).await;
        let shared = HOLD.replace("xact_lock", "xact_lock_shared");
        other.batch_execute(&shared).await.unwrap();
        let all = (0..30).map(|n| {
            let check = Write::Check { key: key("a"), precondition: Precondition::Version(1) };
            store.commit(Batch::of([put(&format!("b{n}"), Precondition::Absent), check]))
        });
        for result in futures_util::future::join_all(all).await {
            assert_eq!(result.unwrap(), [1, 1]);
        }
    });
}

#[test]
fn a_checked_absence_holds_until_the_commit() {
    on_one_core(async {
        let (_, options) = store().await;
        let options = PostgresOptions { lock_timeout: Duration::from_secs(60), ..options };
        let store = PostgresStore::connect(&options, clock()).await.unwrap();
        create(&store, "z").await.unwrap();
        // The batch checks that "m" is absent, then waits for "z", which another session holds.
        let blocker = session(&options).await;
        let hold = "BEGIN; SELECT FROM outrigger_documents WHERE id = 'z' FOR UPDATE";
        blocker.batch_execute(hold).await.unwrap();
        let check = Write::Check { key: key("m"), precondition: Precondition::Absent };
        let batch = store.commit(Batch::of([check, put("z", Precondition::Any)]));
        let creating = async {
            // Until the batch has come as far as it can.
            until_wait(&session(&options).await, 1).await;
            let create = create(&store, "m");
            tokio::pin!(create);
            let early = tokio::time::timeout(Duration::from_millis(100), &mut create).await;
            assert!(early.is_err(), "created under a checked absence: {early:?}");
            blocker.batch_execute("ROLLBACK").await.unwrap();
            create.await
        };
        let (batch, created) = tokio::join!(batch, creating);
        assert_eq!(batch.unwrap(), [0, 2]);
        assert_eq!(created.unwrap(), [1]);
    });
}

#[test]
fn the_probe_finds_what_is_not_in_order() {
    on_one_core(async {
        let server = Postgres::shared().unwrap();
        let options =
            PostgresOptions { handles: 30, ..PostgresOptions::at(server.url_of(&fresh())) };
        let store = PostgresStore::connect(&options, clock()).await.unwrap();
        let probed = store.probe().await.unwrap();
        let all: String = probed.findings.iter().map(|finding| finding.message.as_str()).collect();
        assert!(all.contains("0001_documents is missing"), "{all}");
        assert!(all.contains("this process may open 300 connections"), "{all}");
        assert!(probed.version.starts_with("PostgreSQL "), "{}", probed.version);
        let store = migrated(&PostgresOptions { handles: 1, ..options }).await;
        let probed = store.probe().await.unwrap();
        // The server of the tests does not wait for its disk, and that is found.
        let messages: Vec<&str> =
            probed.findings.iter().map(|finding| finding.message.as_str()).collect();
        assert_eq!(messages.len(), 1, "{messages:?}");
        assert!(messages[0].contains("fsync is off"), "{messages:?}");
    });
}
