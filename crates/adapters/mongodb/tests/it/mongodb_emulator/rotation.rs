//! The password is rotated while the database is used.

use std::sync::Arc;
use std::time::Duration;

use outrigger_conformance::secrets::Rotated;
use outrigger_kernel::SystemRandom;
use outrigger_mongodb::{MongoOptions, MongoStore};
use outrigger_ports::store::{Batch, Precondition, Store};
use outrigger_testkit::{FaultProxy, MongoDb};

use crate::support::{APPLY, clock, create, key, put};

/// Where the emulator has its user, and how it knows one.
const AS_ADMIN: &str = "?authSource=admin&authMechanism=SCRAM-SHA-256";

/// The server has the new password, and all connections end; the secret follows only when somebody was
/// refused. Every call waits for that, none fails, and none is done twice.
#[tokio::test]
async fn a_refused_password_is_looked_up_again_and_no_call_fails() {
    let server = MongoDb::start_for("app:one").unwrap();
    let proxy = FaultProxy::start(server.port()).unwrap();
    let url = |password: &str| {
        let url = server.url_at(proxy.port(), "shop");
        url.replace("://", &format!("://app:{password}@")) + AS_ADMIN
    };
    let secret = Rotated::new(url("one"));
    let patience = Duration::from_secs(120);
    let options = MongoOptions { patience, ..MongoOptions::following(secret.clone()) };
    let store = MongoStore::connect(&options, clock(), Arc::new(SystemRandom)).await.unwrap();
    store.migrate(APPLY).await.unwrap();
    create(&store, "before").await.unwrap();

    server.set_user("app:two").unwrap();
    proxy.cut();
    proxy.restore().unwrap();
    let read = async { store.get(&key("before")).await.unwrap().is_some() };
    let write = async { create(&store, "single").await.unwrap() };
    let batch = ["many", "more"].map(|id| put(id, "new", Precondition::Absent));
    let transaction = async { store.commit(Batch::of(batch)).await.unwrap() };
    let rotate = async {
        secret.refused().await;
        secret.put(url("two"));
    };
    let (is_there, single, both, ()) = tokio::join!(read, write, transaction, rotate);
    assert!(is_there);
    assert_eq!((single, both), (vec![1], vec![1, 1]));
}

/// A process must not have its documents in two places.
#[tokio::test]
async fn another_database_is_not_followed() {
    let server = MongoDb::start_for("app:one").unwrap();
    let url = |user: &str, database: &str| {
        let url = server.url_at(server.port(), database);
        url.replace("://", &format!("://{user}@")) + AS_ADMIN
    };
    let secret = Rotated::new(url("app:wrong", "shop"));
    let store = async |seconds| {
        let patience = Duration::from_secs(seconds);
        let options = MongoOptions { patience, ..MongoOptions::following(secret.clone()) };
        MongoStore::connect(&options, clock(), Arc::new(SystemRandom)).await.unwrap()
    };
    let (impatient, patient) = (store(3).await, store(120).await);
    secret.put(url("app:one", "elsewhere"));
    impatient.migrate(APPLY).await.unwrap_err();
    secret.put(url("app:one", "shop"));
    patient.migrate(APPLY).await.unwrap();
}
