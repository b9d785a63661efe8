//! What the tests share.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures_util::{StreamExt as _, stream};
use outrigger_archive::line::{Header, Trailer};
use outrigger_archive::{
    ArchiveError, Exporting, Imported, Importing, LEFT_OUT, Place, export, import,
};
use outrigger_dynamodb::{DynamoOptions, DynamoStore};
use outrigger_embedded::MemoryStore;
use outrigger_kernel::{Clock, SystemClock, SystemRandom, Timestamp};
use outrigger_mongodb::{MongoOptions, MongoStore};
use outrigger_ports::index_value;
use outrigger_ports::store::{
    Batch, Document, Entry, Key, MigrateMode, Precondition, Scanned, Store, Write,
};
use outrigger_sql::{PostgresOptions, PostgresStore, SqliteOptions, SqliteStore};
use outrigger_testkit::{DynamoDb, MongoDb, Postgres, TempDir};

pub(crate) fn clock() -> Arc<dyn Clock> {
    Arc::new(SystemClock)
}

async fn migrated(store: impl Store + 'static) -> Arc<dyn Store> {
    store.migrate(MigrateMode::Apply { wait: Duration::from_secs(120) }).await.unwrap();
    Arc::new(store)
}

pub(crate) fn memory() -> Arc<dyn Store> {
    Arc::new(MemoryStore::new(clock()))
}

pub(crate) async fn sqlite(folder: &TempDir, name: &str) -> Arc<dyn Store> {
    let options = SqliteOptions::at(folder.join(name));
    migrated(SqliteStore::open(&options, clock()).unwrap()).await
}

pub(crate) async fn postgres() -> Arc<dyn Store> {
    let url = Postgres::shared().unwrap().fresh_database().unwrap();
    let minute = Duration::from_secs(60);
    let options = PostgresOptions {
        statement_timeout: minute,
        lock_timeout: minute,
        acquire_timeout: minute,
        ..PostgresOptions::at(url)
    };
    migrated(PostgresStore::connect(&options, clock()).await.unwrap()).await
}

pub(crate) async fn dynamodb() -> Arc<dyn Store> {
    let url = DynamoDb::shared().unwrap().fresh_url();
    let patience = Duration::from_secs(50);
    let options = DynamoOptions { patience, ..DynamoOptions::at(&url) };
    let random = Arc::new(SystemRandom);
    migrated(DynamoStore::connect(&options, clock(), random).await.unwrap()).await
}

pub(crate) async fn mongodb() -> Arc<dyn Store> {
    let url = MongoDb::shared().unwrap().fresh_url();
    let patience = Duration::from_secs(50);
    let options = MongoOptions { patience, ..MongoOptions::at(url.as_str()) };
    let random = Arc::new(SystemRandom);
    migrated(MongoStore::connect(&options, clock(), random).await.unwrap()).await
}

/// A number of documents of all kinds, whose versions are not all 1.
pub(crate) async fn fill(store: &dyn Store, count: usize) {
    let batches = (0..count).step_by(20).map(|start| {
        let writes = (start..count.min(start + 20)).map(numbered);
        store.commit(Batch::of(writes))
    });
    // Some beside each other: what comes together is written together.
    let mut batches = stream::iter(batches).buffer_unordered(16);
    while let Some(done) = batches.next().await {
        done.unwrap();
    }
}

fn numbered(n: usize) -> Write {
    let collection = ["rec.boats", "rec.Harbours", "sys.users"][n % 3];
    let mut entries = vec![
        Entry { index: "n".to_owned(), value: (n as u64).to_be_bytes().into(), unique: false },
        Entry {
            index: "name".to_owned(),
            value: index_value::of_str(&format!("na\0me é{n}")),
            unique: true,
        },
    ];
    entries.truncate(n % 4);
    let sentence = "wind and water ".repeat(12);
    let body = match n % 5 {
        0 => format!("{{\"n\": {n},\n \"text\":\"{sentence}\"}}"),
        _ => format!("{{\"n\":{n},\"text\":\"é{sentence}\"}}"),
    };
    let document = Document {
        key: Key::new(collection, format!("id-{n:06}")),
        version: 1 + (n % 7) as u64,
        body: Bytes::from(body),
        expires_at: n.is_multiple_of(11).then(|| Timestamp::from_micros(4_000_000_000_123_456)),
    };
    Write::Restore { document, entries, precondition: Precondition::Any }
}

pub(crate) fn put(collection: &str, id: &str, entries: Vec<Entry>) -> Write {
    Write::Put {
        key: Key::new(collection, id),
        body: Bytes::from(format!("{{\"id\":\"{id}\"}}")),
        entries,
        expires_at: None,
        precondition: Precondition::Any,
    }
}

pub(crate) fn header(source: &str) -> Header {
    Header {
        outrigger_archive: 1,
        version: "test".to_owned(),
        source: source.to_owned(),
        database: "one".to_owned(),
        started_at: clock().now(),
        left_out: LEFT_OUT.map(str::to_owned).into(),
    }
}

pub(crate) async fn save(
    store: &Arc<dyn Store>,
    to: &Place,
    resume: bool,
) -> Result<Trailer, ArchiveError> {
    let exporting = Exporting { resume, ..Exporting::new(to, header("test")) };
    export(&mut store.clone(), exporting, &mut |_| {}).await
}

pub(crate) async fn load(
    store: &Arc<dyn Store>,
    from: &Place,
    replace: bool,
) -> Result<Imported, ArchiveError> {
    import(&**store, Importing { from, replace, now: clock().now() }, &mut |_| {}).await
}

pub(crate) async fn all(store: &Arc<dyn Store>) -> Vec<Scanned> {
    let mut all: Vec<Scanned> = Vec::new();
    loop {
        let after = all.last().map(|scanned| scanned.document.key.clone());
        let page = store.scan(after.as_ref(), 1_000).await.unwrap();
        let full = page.len() == 1_000;
        all.extend(page);
        if !full {
            return all;
        }
    }
}

/// The archive but for its header, which says where it comes from and when.
pub(crate) fn content(path: &Path) -> Vec<u8> {
    let bytes = std::fs::read(path).unwrap();
    let end = bytes.iter().position(|byte| *byte == b'\n').unwrap();
    bytes[end..].to_vec()
}
