//! From database to database.

use std::io::Write as _;
use std::sync::Arc;
use std::time::{Duration, Instant};

use outrigger_archive::{Exporting, Importing, Place, Step, export, import};
use outrigger_ports::store::Store;
use outrigger_testkit::TempDir;

use crate::support::{
    all, clock, content, dynamodb, fill, header, load, memory, mongodb, postgres, save, sqlite,
};

/// So many documents go through all databases.
const MANY: usize = 100_000;
/// So many by way of MongoDB, whose emulator takes a few hundred in a second.
const FEW: usize = 600;
/// Whoever waits is told how far it is this often.
const TOLD_EVERY: Duration = Duration::from_secs(10);

/// SQLite, PostgreSQL, DynamoDB, SQLite: the last archive is the first one, byte for byte.
#[tokio::test(flavor = "multi_thread")]
async fn what_went_through_all_databases_is_the_same_byte_for_byte() {
    let between = vec![("postgres", postgres().await), ("dynamodb", dynamodb().await)];
    from_sqlite_to_sqlite(between, MANY).await;
}

/// The same by way of MongoDB.
#[tokio::test(flavor = "multi_thread")]
async fn what_went_through_mongodb_is_the_same_byte_for_byte() {
    from_sqlite_to_sqlite(vec![("mongodb", mongodb().await)], FEW).await;
}

async fn from_sqlite_to_sqlite(between: Vec<(&str, Arc<dyn Store>)>, count: usize) {
    let folder = TempDir::new("archive").unwrap();
    let first = sqlite(&folder, "first.db").await;
    fill(&*first, count).await;
    let mut stores: Vec<(&str, Arc<dyn Store>)> = vec![("sqlite", first)];
    stores.extend(between);
    stores.push(("again", sqlite(&folder, "again.db").await));
    for pair in stores.windows(2) {
        let [(from, source), (to, target)] = pair else { unreachable!() };
        let place = Place::File(folder.join(format!("{from}.ndjson")));
        let started = Instant::now();
        let exporting = Exporting::new(&place, header("test"));
        let trailer = export(&mut source.clone(), exporting, &mut telling(from)).await.unwrap();
        assert_eq!(trailer.documents, count as u64, "{from}");
        let saved = started.elapsed();
        let started = Instant::now();
        let importing = Importing { from: &place, replace: false, now: clock().now() };
        let imported = import(&**target, importing, &mut telling(to)).await.unwrap();
        assert_eq!(imported.trailer, trailer, "{to}");
        say(&format!(
            "{count} documents: out of {from} in {saved:.1?}, into {to} in {:.1?}",
            started.elapsed()
        ));
    }
    let last = folder.join("last.ndjson");
    let (_, again) = stores.pop().unwrap();
    save(&again, &Place::File(last.clone()), false).await.unwrap();
    let first = content(&folder.join("sqlite.ndjson"));
    for name in stores.into_iter().map(|(name, _)| name).chain(["last"]) {
        assert!(content(&folder.join(format!("{name}.ndjson"))) == first, "{name} differs");
    }
}

/// Says how far it is.
fn telling(name: &str) -> impl FnMut(&Step<'_>) {
    let mut last = Instant::now();
    move |step| {
        if last.elapsed() >= TOLD_EVERY {
            last = Instant::now();
            say(&format!("{name}: {}, {} documents", step.doing, step.documents));
        }
    }
}

/// At once, where what tests print is kept until they end: a long one must not be taken for dead. In
/// one piece, not to fall into the lines of others.
fn say(line: &str) {
    std::io::stderr().write_all(format!("{line}\n").as_bytes()).unwrap();
}

/// The index entries have come along, and with them what is unique: queries find what they did.
#[tokio::test(flavor = "multi_thread")]
async fn documents_are_found_by_their_entries_in_the_new_store() {
    let folder = TempDir::new("archive").unwrap();
    let place = Place::File(folder.join("a.ndjson.gz"));
    let (old, new) = (memory(), sqlite(&folder, "new.db").await);
    fill(&*old, 60).await;
    save(&old, &place, false).await.unwrap();
    load(&new, &place, false).await.unwrap();
    assert_eq!(all(&new).await, all(&old).await);
    for order in
        [outrigger_ports::store::Order::Index("n"), outrigger_ports::store::Order::Unique("name")]
    {
        let query = outrigger_ports::store::Query {
            collection: "sys.users",
            order,
            range: outrigger_ports::index_value::all(),
            descending: true,
            after: None,
            limit: 100,
            may_lag: false,
        };
        let found = old.query(&query).await.unwrap();
        assert!(!found.is_empty());
        assert_eq!(new.query(&query).await.unwrap(), found);
    }
}
