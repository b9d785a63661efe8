//! Archives that are damaged, stores that are not empty, imports that do not come to their end.

use std::path::Path;
use std::sync::Arc;

use bytes::Bytes;
use outrigger_archive::Place;
use outrigger_kernel::Timestamp;
use outrigger_ports::store::{Batch, Document, Key, Precondition, Store, Write};
use outrigger_testkit::TempDir;

use crate::support::{all, clock, fill, load, memory, put, save, sqlite};

/// An archive of 300 documents in a file.
async fn archive(folder: &TempDir) -> (Arc<dyn Store>, Place, std::path::PathBuf) {
    let store = memory();
    fill(&*store, 300).await;
    let path = folder.join("a.ndjson");
    let place = Place::File(path.clone());
    save(&store, &place, false).await.unwrap();
    (store, place, path)
}

fn lines(path: &Path) -> Vec<String> {
    std::fs::read_to_string(path).unwrap().lines().map(str::to_owned).collect()
}

#[tokio::test]
async fn of_a_damaged_archive_nothing_is_taken() {
    let folder = TempDir::new("archive").unwrap();
    let (_, place, path) = archive(&folder).await;
    let whole = lines(&path);
    let with = |change: &dyn Fn(&mut Vec<String>)| {
        let mut lines = whole.clone();
        change(&mut lines);
        lines.join("\n")
    };
    let end = |text: String| format!("{text}\n");
    for (text, words) in [
        (String::new(), "there is none"),
        ("hello\n".to_owned(), "no archive"),
        (end(with(&|lines| lines[0] = lines[0].replacen(":1,", ":2,", 1))), "format 2"),
        (end(with(&|lines| drop(lines.pop()))), "not whole"),
        (with(&|lines| lines.truncate(150)), "not whole"),
        (with(&|_| {}), "not whole"),
        (end(with(&|lines| drop(lines.remove(7)))), "damaged"),
        (end(with(&|lines| lines[7] = lines[7].replacen("\"n\":", "\"m\":", 1))), "damaged"),
        (end(with(&|lines| lines.swap(7, 8))), "does not come after"),
        (end(with(&|lines| lines.insert(7, "{}".to_owned()))), "line 8"),
        (end(with(&|lines| lines.push("{}".to_owned()))), "follows the trailer"),
        ("x".repeat(3_000_000), "longer than a document"),
    ] {
        std::fs::write(&path, text).unwrap();
        let store = memory();
        let error = load(&store, &place, false).await.unwrap_err().to_string();
        assert!(error.contains(words), "{words}: {error}");
        assert_eq!(all(&store).await, []);
    }
}

#[tokio::test]
async fn a_store_that_holds_something_is_left_alone_or_replaced() {
    let folder = TempDir::new("archive").unwrap();
    let (old, place, _) = archive(&folder).await;
    let store = memory();
    // Leases and notices are nothing that one would miss.
    let lease = put("sys.leases", "scheduler", Vec::new());
    store.commit(Batch::of([lease.clone()])).await.unwrap();
    load(&store, &place, false).await.unwrap();
    assert_eq!(all(&store).await, all(&old).await);

    store.commit(Batch::of([put("rec.more", "x", Vec::new()), lease])).await.unwrap();
    let before = all(&store).await;
    let error = load(&store, &place, false).await.unwrap_err().to_string();
    assert!(error.contains("not empty (it has rec.Harbours/id-000001)"), "{error}");
    assert_eq!(all(&store).await, before);
    load(&store, &place, true).await.unwrap();
    assert_eq!(all(&store).await, all(&old).await);
}

/// Dropped at any step, it is begun again without being told anything and ends with the same.
#[tokio::test]
async fn an_import_that_was_cut_off_goes_on() {
    let folder = TempDir::new("archive").unwrap();
    let (old, place, _) = archive(&folder).await;
    let store = sqlite(&folder, "new.db").await;
    fill(&*store, 40).await;
    let mut replace = true;
    let mut cuts = 0;
    for round in 1.. {
        let mut steps = 0;
        let importing = outrigger_archive::Importing { from: &place, replace, now: clock().now() };
        let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
        let mut stop = Some(stop);
        let mut watch = |_: &outrigger_archive::Step<'_>| {
            steps += 1;
            if steps == round {
                drop(stop.take());
            }
        };
        let done = tokio::select! {
            biased;
            _ = stopped => None,
            done = outrigger_archive::import(&*store, importing, &mut watch) => Some(done.unwrap()),
        };
        if let Some(done) = done {
            assert!(done.found > 0, "{done:?}");
            break;
        }
        cuts += 1;
        // From now on its own mark stands there.
        replace = false;
        let error = save(&store, &Place::File(folder.join("no")), false).await.unwrap_err();
        assert!(error.to_string().contains("not come to its end"), "{error}");
    }
    assert!(cuts >= 3, "{cuts}");
    assert_eq!(all(&store).await, all(&old).await);
}

#[tokio::test]
async fn what_has_expired_on_the_way_is_left_out() {
    let folder = TempDir::new("archive").unwrap();
    let place = Place::File(folder.join("a"));
    let (old, new) = (memory(), memory());
    let document = |id: &str, expires_at| Document {
        key: Key::new("rec.a", id),
        version: 2,
        body: Bytes::from_static(b"{}"),
        expires_at: Some(expires_at),
    };
    let soon = clock().now().plus(std::time::Duration::from_secs(3_600));
    for document in [document("soon", soon), document("late", Timestamp::from_secs(4_000_000_000))]
    {
        let precondition = Precondition::Any;
        let write = Write::Restore { document, entries: Vec::new(), precondition };
        old.commit(Batch::of([write])).await.unwrap();
    }
    save(&old, &place, false).await.unwrap();
    let later = soon.plus(std::time::Duration::from_secs(1));
    let importing = outrigger_archive::Importing { from: &place, replace: false, now: later };
    let done = outrigger_archive::import(&*new, importing, &mut |_| {}).await.unwrap();
    assert_eq!((done.trailer.documents, done.expired), (2, 1));
    assert_eq!(all(&new).await.len(), 1);
}
