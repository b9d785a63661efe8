//! Archives of stores that are in use.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use bytes::Bytes;
use outrigger_archive::{Exporting, Place, export};
use outrigger_ports::collection::{entry, unique};
use outrigger_ports::index_value;
use outrigger_ports::store::{Batch, Entry, Key, Precondition, Store, Write};
use outrigger_testkit::TempDir;

use crate::support::{all, header, load, memory, postgres, put, save, sqlite};

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

async fn each_document_is_of_one_instant(store: Arc<dyn Store>, folder: &TempDir) {
    const DOCUMENTS: usize = 400;
    for id in 0..DOCUMENTS {
        store.commit(Batch::of([numbered(id, 1)])).await.unwrap();
    }
    let done = Arc::new(AtomicBool::new(false));
    let writers: Vec<_> = (0..4)
        .map(|part| {
            let (store, done) = (store.clone(), done.clone());
            tokio::spawn(async move {
                let mut number = 1;
                while !done.load(Ordering::Relaxed) {
                    number += 1;
                    for id in (part..DOCUMENTS).step_by(4) {
                        store.commit(Batch::of([numbered(id, number)])).await.unwrap();
                    }
                }
                number
            })
        })
        .collect();
    let place = Place::File(folder.join("busy.ndjson"));
    save(&store, &place, false).await.unwrap();
    done.store(true, Ordering::Relaxed);
    let mut numbers = Vec::new();
    for writer in writers {
        numbers.push(writer.await.unwrap());
    }
    assert!(numbers.iter().all(|number| *number > 1), "there was no load: {numbers:?}");
    let restored = memory();
    load(&restored, &place, false).await.unwrap();
    let restored = all(&restored).await;
    assert_eq!(restored.len(), DOCUMENTS);
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
    each_document_is_of_one_instant(sqlite(&folder, "busy.db").await, &folder).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn each_document_of_a_busy_postgresql_is_of_one_instant() {
    let folder = TempDir::new("archive").unwrap();
    each_document_is_of_one_instant(postgres().await, &folder).await;
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
        let exporting = Exporting { to: &place, resume: false, header: header("test") };
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
