//! Migrating a PostgreSQL database.

use std::time::Duration;

use outrigger_ports::store::{MigrateMode, Store, StoreError};
use outrigger_sql::{PostgresOptions, PostgresStore};
use outrigger_testkit::Postgres;

use super::{fresh, session, store};
use crate::support::{APPLY, clock, create, key, on_one_core};

#[test]
fn without_tables_every_call_says_that_a_migration_is_needed() {
    on_one_core(async {
        let options = PostgresOptions::at(Postgres::shared().unwrap().url_of(&fresh()));
        let store = PostgresStore::connect(&options, clock()).await.unwrap();
        assert!(!store.migrate(MigrateMode::Plan).await.unwrap()[0].applied);
        let read = store.get(&key("a")).await.unwrap_err();
        let written = create(&store, "a").await.unwrap_err();
        for error in [read, written] {
            assert!(matches!(&error, StoreError::Schema(_)), "{error:?}");
            assert!(error.to_string().contains("migrate apply"), "{error}");
        }
        store.migrate(APPLY).await.unwrap();
        create(&store, "a").await.unwrap();
    });
}

#[test]
fn migrations_at_the_same_time_are_as_one() {
    on_one_core(async {
        let options = PostgresOptions::at(Postgres::shared().unwrap().url_of(&fresh()));
        let all = (0..4).map(|_| async {
            let store = PostgresStore::connect(&options, clock()).await.unwrap();
            store.migrate(APPLY).await
        });
        for list in futures_util::future::join_all(all).await {
            assert!(list.unwrap().iter().all(|migration| migration.applied));
        }
    });
}

#[test]
fn a_migration_waits_for_another_one_only_so_long() {
    on_one_core(async {
        let options = PostgresOptions::at(Postgres::shared().unwrap().url_of(&fresh()));
        let store = PostgresStore::connect(&options, clock()).await.unwrap();
        let other = session(&options).await;
        let lock = "SELECT pg_advisory_lock(8031453545228625778)";
        other.batch_execute(lock).await.unwrap();
        let wait = Duration::from_millis(120);
        let refused = store.migrate(MigrateMode::Apply { wait }).await.unwrap_err();
        assert!(matches!(refused, StoreError::Unavailable(_)), "{refused:?}");
        assert!(refused.to_string().contains("another process is migrating"), "{refused}");
        let unlock = async {
            other.batch_execute("SELECT pg_advisory_unlock_all()").await.unwrap();
        };
        let (migrated, ()) = tokio::join!(store.migrate(APPLY), unlock);
        assert!(migrated.unwrap()[0].applied);
    });
}

#[test]
fn a_changed_or_newer_schema_is_refused() {
    for change in [
        "UPDATE outrigger_migrations SET checksum = 'other'",
        "INSERT INTO outrigger_migrations VALUES ('9999_later', 'x', 'now')",
    ] {
        on_one_core(async {
            let (store, options) = store().await;
            session(&options).await.batch_execute(change).await.unwrap();
            for mode in [MigrateMode::Plan, APPLY] {
                let refused = store.migrate(mode).await.unwrap_err();
                assert!(matches!(refused, StoreError::Schema(_)), "{refused:?}");
            }
            let findings = store.probe().await.unwrap().findings;
            assert!(findings.iter().any(|finding| finding.message.contains("schema")));
        });
    }
}
