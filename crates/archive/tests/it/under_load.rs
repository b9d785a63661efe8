//! Archives of stores that are in use.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use async_trait::async_trait;
use bytes::Bytes;
use outrigger_archive::{ArchiveError, Exporting, PAGE, Pages, Place, export};
use outrigger_ports::collection::{entry, unique};
use outrigger_ports::index_value;
use outrigger_ports::store::{Batch, Entry, Key, Precondition, Scanned, Store, Write};
use outrigger_testkit::TempDir;
use tokio::sync::{Barrier, watch};

use crate::support::{all, dynamodb, header, load, memory, mongodb, postgres, put, sqlite};

/// A document whose body and entry say the same number, which grows with its version.
fn numbered(id: usize, number: u64) -> Write {
    let mut value = Vec::new();
    index_value::integer(&mut value, number.into());
    Write::Put {
        key: Key::new("rec.a", format!("{id:04}")),
        body: Bytes::from(format!("{{\"number\":{number}}}")),
        entries: vec![entry("number", value)],
        expires_at: None,
        precondition: Precondition::Any,
    }
}

const WRITERS: usize = 4;

/// A store of which the second page is read only when many documents have changed since the first.
struct Busy {
    store: Arc<dyn Store>,
    written: watch::Receiver<usize>,
    /// So many documents are changed between the two.
    between: usize,
    pages: usize,
}

#[async_trait(?Send)]
impl Pages for Busy {
    async fn after(&mut self, key: Option<&Key>) -> Result<Vec<Scanned>, ArchiveError> {
        self.pages += 1;
        if self.pages == 2 {
            let enough = *self.written.borrow() + self.between;
            self.written.wait_for(|written| *written >= enough).await.unwrap();
        }
        Ok(self.store.scan(key, PAGE).await?)
    }
}

async fn each_document_is_of_one_instant(store: Arc<dyn Store>, documents: usize) {
    for id in 0..documents {
        store.commit(Batch::of([numbered(id, 1)])).await.unwrap();
    }
    let done = Arc::new(AtomicBool::new(false));
    let all_changed = Arc::new(Barrier::new(WRITERS + 1));
    let (count, written) = watch::channel(0);
    let writers: Vec<_> = (0..WRITERS)
        .map(|part| {
            let (store, done) = (store.clone(), done.clone());
            let (all_changed, count) = (all_changed.clone(), count.clone());
            tokio::spawn(async move {
                for number in 2.. {
                    for id in (part..documents).step_by(WRITERS) {
                        if done.load(Ordering::Relaxed) {
                            return;
                        }
                        store.commit(Batch::of([numbered(id, number)])).await.unwrap();
                        count.send_modify(|count| *count += 1);
                    }
                    if number == 2 {
                        all_changed.wait().await;
                    }
                }
            })
        })
        .collect();
    all_changed.wait().await;
    let folder = TempDir::new("archive").unwrap();
    let place = Place::File(folder.join("busy.ndjson"));
    // At least one of the writers goes through its documents twice: what it has in the second page is
    // of a later version than what it had in the first.
    let mut busy = Busy { store, written, between: 2 * documents, pages: 0 };
    export(&mut busy, Exporting::new(&place, header("test")), &mut |_| {}).await.unwrap();
    done.store(true, Ordering::Relaxed);
    for writer in writers {
        writer.await.unwrap();
    }
    let restored = memory();
    load(&restored, &place, false).await.unwrap();
    let restored = all(&restored).await;
    assert_eq!(restored.len(), documents);
    let versions: BTreeSet<u64> = restored.iter().map(|it| it.document.version).collect();
    assert!(versions.len() > 1 && versions.iter().all(|it| *it > 1), "no load: {versions:?}");
    for scanned in restored {
        let version = scanned.document.version;
        assert_eq!(&*scanned.document.body, format!("{{\"number\":{version}}}").as_bytes());
        let mut value = Vec::new();
        index_value::integer(&mut value, version.into());
        assert_eq!(scanned.entries, [entry("number", value)]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn each_document_of_a_busy_sqlite_is_of_one_instant() {
    let folder = TempDir::new("archive").unwrap();
    each_document_is_of_one_instant(sqlite(&folder, "busy.db").await, 400).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn each_document_of_a_busy_postgresql_is_of_one_instant() {
    each_document_is_of_one_instant(postgres().await, 400).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn each_document_of_a_busy_dynamodb_is_of_one_instant() {
    each_document_is_of_one_instant(dynamodb().await, 240).await;
}

/// Its emulator takes a few hundred writes in a second.
#[tokio::test(flavor = "multi_thread")]
async fn each_document_of_a_busy_mongodb_is_of_one_instant() {
    each_document_is_of_one_instant(mongodb().await, 120).await;
}

fn mail(address: &str) -> Entry {
    unique("email", index_value::of_str(address))
}

/// A unique value that went from one document to another while the archive was made stands in both;
/// it belongs to the one that was read later.
#[tokio::test(flavor = "multi_thread")]
async fn a_value_that_moved_meanwhile_belongs_to_whom_it_went() {
    let folder = TempDir::new("archive").unwrap();
    for (name, target) in [("memory", memory()), ("sqlite", sqlite(&folder, "new.db").await)] {
        let store = memory();
        for n in 0..500 {
            let write = put("sys.users", &format!("u{n:03}"), vec![mail(&format!("{n}@a"))]);
            store.commit(Batch::of([write])).await.unwrap();
        }
        let place = Place::File(folder.join(name));
        let mut moved = false;
        let busy = store.clone();
        let exporting = Exporting::new(&place, header("test"));
        // After the first page u000 gives its address to u499, and u001 its to u002, read already.
        export(&mut store.clone(), exporting, &mut |_| {
            if !std::mem::replace(&mut moved, true) {
                let change = [
                    put("sys.users", "u000", vec![mail("new@a")]),
                    put("sys.users", "u499", vec![mail("0@a")]),
                    put("sys.users", "u001", Vec::new()),
                    put("sys.users", "u002", vec![mail("1@a")]),
                ];
                futures_util::FutureExt::now_or_never(busy.commit(Batch::of(change)))
                    .unwrap()
                    .unwrap();
            }
        })
        .await
        .unwrap();
        let done = load(&target, &place, false).await.unwrap();
        assert_eq!(done.lost, [(Key::new("sys.users", "u000"), "email".to_owned())], "{name}");
        let there = all(&target).await;
        assert_eq!(there.len(), 500);
        assert_eq!((there[0].document.version, &there[0].entries), (1, &Vec::new()));
        assert_eq!((there[499].document.version, &there[499].entries), (2, &vec![mail("0@a")]));
        assert_eq!(there[2].entries, [mail("2@a")]);
    }
}
