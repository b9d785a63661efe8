//! Opening, migrating and probing a SQLite database, and what it refuses.

use std::sync::Arc;

use outrigger_ports::store::{MigrateMode, Store, StoreError};
use outrigger_sql::{SqliteOptions, SqliteStore};
use outrigger_testkit::TempDir;
use rusqlite::Connection;

use crate::support::{APPLY, clock, create, key, on_one_core};

#[test]
fn a_second_opener_is_refused_until_the_first_is_gone() {
    let dir = TempDir::new("sqlite").unwrap();
    let options = SqliteOptions::at(dir.join("test.db"));
    on_one_core(async {
        let store = SqliteStore::open(&options, clock()).unwrap();
        store.migrate(APPLY).await.unwrap();
        let refused = SqliteStore::open(&options, clock()).unwrap_err();
        assert!(matches!(refused, StoreError::Unavailable(_)), "{refused:?}");
        assert!(refused.to_string().contains("in use by another process"), "{refused}");
        create(&store, "a").await.unwrap();
        assert!(store.for_thread().unwrap().get(&key("a")).await.unwrap().is_some());
        drop(store);
        let store = SqliteStore::open(&options, clock()).unwrap();
        assert!(store.get(&key("a")).await.unwrap().is_some());
    });
}

#[test]
fn what_cannot_be_opened_is_named() {
    let dir = TempDir::new("sqlite").unwrap();
    let text = dir.join("text.db");
    std::fs::write(&text, "no database, but long enough to be taken for one".repeat(100)).unwrap();
    let error = SqliteStore::open(&SqliteOptions::at(&text), clock()).unwrap_err();
    assert!(error.to_string().contains("text.db"), "{error}");
    let within = text.join("folder/test.db");
    let error = SqliteStore::open(&SqliteOptions::at(within), clock()).unwrap_err();
    assert!(error.to_string().contains("text.db"), "{error}");
}

#[test]
fn without_tables_every_call_says_that_a_migration_is_needed() {
    let dir = TempDir::new("sqlite").unwrap();
    on_one_core(async {
        let store = SqliteStore::open(&SqliteOptions::at(dir.join("t.db")), clock()).unwrap();
        let read = store.get(&key("a")).await.unwrap_err();
        let written = create(&store, "a").await.unwrap_err();
        for error in [read, written] {
            assert!(matches!(&error, StoreError::Schema(_)), "{error:?}");
            assert!(error.to_string().contains("migrate apply"), "{error}");
        }
        let probed = store.probe().await.unwrap();
        assert!(probed.findings.iter().any(|finding| finding.message.contains("missing")));
        store.migrate(APPLY).await.unwrap();
        create(&store, "a").await.unwrap();
        assert_eq!(store.probe().await.unwrap().findings, []);
    });
}

#[test]
fn migrations_at_the_same_time_are_as_one() {
    let dir = TempDir::new("sqlite").unwrap();
    on_one_core(async {
        let store = SqliteStore::open(&SqliteOptions::at(dir.join("t.db")), clock()).unwrap();
        assert!(!store.migrate(MigrateMode::Plan).await.unwrap()[0].applied);
        let store = Arc::new(store);
        let all = (0..4).map(|_| {
            let store = Arc::clone(&store);
            async move { store.migrate(APPLY).await }
        });
        for list in futures_util::future::join_all(all).await {
            assert!(list.unwrap().iter().all(|migration| migration.applied));
        }
    });
}

#[test]
fn a_changed_or_newer_schema_is_refused() {
    for change in [
        "UPDATE outrigger_migrations SET checksum = 'other'",
        "INSERT INTO outrigger_migrations VALUES ('9999_later', 'x', 'now')",
    ] {
        let dir = TempDir::new("sqlite").unwrap();
        let options = SqliteOptions::at(dir.join("t.db"));
        on_one_core(async {
            let store = SqliteStore::open(&options, clock()).unwrap();
            store.migrate(APPLY).await.unwrap();
            drop(store);
            Connection::open(&options.path).unwrap().execute(change, ()).unwrap();
            let store = SqliteStore::open(&options, clock()).unwrap();
            for mode in [MigrateMode::Plan, APPLY] {
                let refused = store.migrate(mode).await.unwrap_err();
                assert!(matches!(refused, StoreError::Schema(_)), "{refused:?}");
            }
        });
    }
}
