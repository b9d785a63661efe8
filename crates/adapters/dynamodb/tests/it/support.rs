//! What the tests share.

use std::sync::Arc;
use std::time::Duration;

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::config::{BehaviorVersion, Config, Credentials, Region};
use outrigger_dynamodb::{DynamoOptions, DynamoStore};
use outrigger_kernel::{Clock, SystemClock, SystemRandom};
use outrigger_ports::store::{MigrateMode, Store};

use crate::emulator::Emulator;
use crate::interposer::{self, Interposer};
pub(crate) use outrigger_conformance::store::things::{by_status, create, key, put};

pub(crate) const APPLY: MigrateMode = MigrateMode::Apply { wait: Duration::from_secs(120) };
/// A long one, for tests in which many want the same.
pub(crate) const PATIENT: Duration = Duration::from_secs(50);
/// A short one, for tests in which nobody answers. Half of it is still enough for one request on a busy
/// machine.
pub(crate) const PATIENCE: Duration = Duration::from_secs(5);

/// A handle to the table that is patient.
pub(crate) async fn connect(url: &str, clock: Arc<dyn Clock>) -> DynamoStore {
    let options = DynamoOptions { patience: PATIENT, ..DynamoOptions::at(url) };
    connect_with(options, clock).await
}

/// A handle with other settings.
pub(crate) async fn connect_with(options: DynamoOptions, clock: Arc<dyn Clock>) -> DynamoStore {
    DynamoStore::connect(&options, clock, Arc::new(SystemRandom)).await.unwrap()
}

/// A handle that gives up soon.
pub(crate) async fn impatient(url: &str) -> DynamoStore {
    let options = DynamoOptions { patience: PATIENCE, ..DynamoOptions::at(url) };
    connect_with(options, clock()).await
}

pub(crate) fn clock() -> Arc<dyn Clock> {
    Arc::new(SystemClock)
}

/// A new table, a handle straight to it, an interposer, and the URL through that.
pub(crate) async fn interposed(emulator: Emulator) -> (DynamoStore, Interposer, String) {
    let url = emulator.fresh_url();
    let direct = connect(&url, clock()).await;
    direct.migrate(APPLY).await.unwrap();
    let interposer = interposer::before(emulator.port());
    let through = url.replace(&emulator.port().to_string(), &interposer.port().to_string());
    (direct, interposer, through)
}

/// The SDK itself, to look at what is in tables.
pub(crate) fn client(emulator: Emulator) -> Client {
    let config = Config::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new("us-east-1"))
        .endpoint_url(format!("http://127.0.0.1:{}", emulator.port()))
        .credentials_provider(Credentials::new("local", "local", None, None, "test"));
    Client::from_conf(config.build())
}
