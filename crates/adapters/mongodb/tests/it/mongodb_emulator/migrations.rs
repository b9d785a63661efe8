//! How the indexes are made, and what is said of servers and databases that are not as they must be.

use std::time::Duration;

use mongodb::Client;
use mongodb::bson::doc;
use outrigger_ports::probe::Severity;
use outrigger_ports::store::{MigrateMode, Store, StoreError};
use outrigger_testkit::MongoDb;

use super::interposer::{self, Fault};
use crate::support::{APPLY, clock, connect, create, key};

const PATIENCE: Duration = Duration::from_secs(30);

#[tokio::test]
async fn the_indexes_are_made_once_whoever_comes_together() {
    let url = MongoDb::shared().unwrap().fresh_url();
    let one = connect(&url, clock(), PATIENCE).await;
    let two = connect(&url, clock(), PATIENCE).await;
    let plan = one.migrate(MigrateMode::Plan).await.unwrap();
    assert!(plan.len() == 3 && plan.iter().all(|migration| !migration.applied), "{plan:?}");
    let (first, second) = tokio::join!(one.migrate(APPLY), two.migrate(APPLY));
    assert_eq!(first.unwrap(), second.unwrap());
    let plan = two.migrate(MigrateMode::Plan).await.unwrap();
    assert!(plan.iter().all(|migration| migration.applied), "{plan:?}");
    create(&two, "a").await.unwrap();
    one.migrate(APPLY).await.unwrap();
    assert!(one.get(&key("a")).await.unwrap().is_some());
    let probed = one.probe().await.unwrap();
    let fact = |name| probed.facts.iter().find(|(known, _)| *known == name).unwrap().1.clone();
    assert_eq!((fact("indexes"), fact("can_write")), ("true".to_owned(), "true".to_owned()));
    assert!(probed.findings.iter().all(|finding| finding.severity != Severity::Error));
}

#[tokio::test]
async fn without_indexes_it_is_said_how_to_make_them_and_nothing_is_done() {
    let store = connect(&MongoDb::shared().unwrap().fresh_url(), clock(), PATIENCE).await;
    for error in [
        store.get(&key("a")).await.unwrap_err(),
        create(&store, "a").await.unwrap_err(),
        store.scan(None, 1).await.unwrap_err(),
        store.probe().await.unwrap_err(),
    ] {
        assert!(matches!(&error, StoreError::Schema(what) if what.contains("migrate apply")));
    }
    store.migrate(APPLY).await.unwrap();
    assert_eq!(store.get(&key("a")).await.unwrap(), None);
}

#[tokio::test]
async fn an_index_of_another_kind_is_refused() {
    let url = MongoDb::shared().unwrap().fresh_url();
    let client = Client::with_uri_str(&url).await.unwrap();
    // As the store's own, but not unique.
    let index = doc! { "key": { "u": 1 }, "name": "uniques", "sparse": true };
    let command = doc! { "createIndexes": "documents", "indexes": [index] };
    client.default_database().unwrap().run_command(command).await.unwrap();
    let store = connect(&url, clock(), PATIENCE).await;
    for refused in [store.migrate(APPLY).await.map(drop), create(&store, "a").await.map(drop)] {
        assert!(matches!(&refused, Err(StoreError::Schema(what)) if what.contains("uniques")));
    }
}

#[tokio::test]
async fn a_server_that_stands_alone_or_is_old_is_refused() {
    let server = MongoDb::shared().unwrap();
    let hello = |version: i32| {
        doc! {
            "ok": 1.0, "helloOk": true, "isWritablePrimary": true, "maxBsonObjectSize": 16_777_216,
            "maxMessageSizeBytes": 48_000_000, "maxWriteBatchSize": 100_000, "minWireVersion": 0,
            "maxWireVersion": version, "logicalSessionTimeoutMinutes": 30,
        }
    };
    let mut old = hello(9);
    old.insert("msg", "isdbgrid");
    for (hello, words) in [(hello(21), "replica set"), (old, "older than MongoDB 5.0")] {
        let interposer = interposer::before(server.port());
        interposer.next(usize::MAX, "hello", Fault::Answer(hello));
        let url = server.url_at(interposer.port(), "somewhere");
        let store = connect(&url, clock(), PATIENCE).await;
        for refused in [store.migrate(APPLY).await.map(drop), create(&store, "a").await.map(drop)] {
            let is_said = matches!(&refused, Err(StoreError::Schema(what)) if what.contains(words));
            assert!(is_said, "{refused:?}");
        }
    }
}
