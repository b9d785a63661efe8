//! Archives that are damaged, stores that are not empty, imports that do not come to their end.

use std::path::Path;
use std::sync::Arc;

use bytes::Bytes;
use outrigger_archive::{Importing, Place, Step, ensure_whole, import};
use outrigger_kernel::Timestamp;
use outrigger_ports::store::{Batch, Document, Key, Precondition, Scanned, Store, Write};
use outrigger_testkit::TempDir;

use crate::support::{all, clock, fill, header, load, memory, put, save, sqlite};

/// An archive of 600 documents in a file.
async fn archive(folder: &TempDir) -> (Arc<dyn Store>, Place, std::path::PathBuf) {
    let store = memory();
    fill(&*store, 600).await;
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

/// Dropped at any step, it is begun again without being told anything but what it was and ends with the
/// same.
#[tokio::test]
async fn an_import_that_was_cut_off_goes_on() {
    let folder = TempDir::new("archive").unwrap();
    let (old, place, _) = archive(&folder).await;
    let store = sqlite(&folder, "new.db").await;
    fill(&*store, 250).await;
    for (doing, replace) in
        [("emptying", true), ("emptying", true), ("writing", true), ("writing", false)]
    {
        cut(&store, &place, replace, doing).await;
        // From now on its own mark stands there.
        let error = ensure_whole(&*store).await.unwrap_err().to_string();
        assert!(error.contains("begin it again"), "{error}");
        let error = save(&store, &Place::File(folder.join("no")), false).await.unwrap_err();
        assert!(error.to_string().contains("not come to its end"), "{error}");
    }
    let done = load(&store, &place, false).await.unwrap();
    assert!(done.found >= 160, "{done:?}");
    ensure_whole(&*store).await.unwrap();
    assert_eq!(all(&store).await, all(&old).await);
}

/// Drops an import of the archive when it does this for the first time.
async fn cut(store: &Arc<dyn Store>, place: &Place, replace: bool, doing: &str) {
    let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
    let mut stop = Some(stop);
    let mut watch = |step: &Step<'_>| {
        if step.doing == doing {
            drop(stop.take());
        }
    };
    let importing = Importing { from: place, replace, now: clock().now() };
    tokio::select! {
        biased;
        _ = stopped => {}
        done = import(&**store, importing, &mut watch) => panic!("{done:?}"),
    }
}

/// What was written into a half-imported store is neither deleted nor overwritten unless one says so.
#[tokio::test]
async fn what_was_written_after_an_import_was_cut_off_is_kept_and_named() {
    let folder = TempDir::new("archive").unwrap();
    let (old, place, _) = archive(&folder).await;
    let changed = all(&old).await.swap_remove(7).document.key;
    for (collection, id, words) in [
        ("rec.boats", "new", "rec.boats/new is not in the archive"),
        ("tbl.last", "new", "tbl.last/new is not in the archive"),
        (&*changed.collection, &*changed.id, "is not as in the archive"),
    ] {
        let store = sqlite(&folder, &format!("{collection}{id}.db")).await;
        cut(&store, &place, false, "writing").await;
        let lease = put("sys.leases", "scheduler", Vec::new());
        store.commit(Batch::of([put(collection, id, Vec::new()), lease])).await.unwrap();
        let before = all(&store).await;
        let error = load(&store, &place, false).await.unwrap_err().to_string();
        assert!(error.contains(words) && error.contains("--replace"), "{error}");
        let written = |it: &&Scanned| it.document.key.id == id;
        assert_eq!(all(&store).await.iter().find(written), before.iter().find(written));
        ensure_whole(&*store).await.unwrap_err();
        load(&store, &place, true).await.unwrap();
        assert_eq!(all(&store).await, all(&old).await);
    }
    // Emptying is not gone on with either unless one says so.
    let store = sqlite(&folder, "full.db").await;
    fill(&*store, 250).await;
    cut(&store, &place, true, "emptying").await;
    let error = load(&store, &place, false).await.unwrap_err().to_string();
    assert!(error.contains("not empty"), "{error}");
}

/// A process that is alive may be about to write: not even `--replace` takes the store away from it.
#[tokio::test]
async fn a_store_that_a_process_uses_is_left_alone() {
    let folder = TempDir::new("archive").unwrap();
    let (old, place, _) = archive(&folder).await;
    let store = memory();
    let said = |seconds| Write::Put {
        key: Key::new("sys.replicas", "rpl_1"),
        body: Bytes::from_static(br#"{"role":"api+worker","host":"deck","pid":7,"points":[]}"#),
        entries: Vec::new(),
        expires_at: Some(clock().now().plus(std::time::Duration::from_secs(seconds))),
        precondition: Precondition::Any,
    };
    let head = put("sys.audit_chain", "head", Vec::new());
    store.commit(Batch::of([said(600), head])).await.unwrap();
    let before = all(&store).await;
    for replace in [false, true] {
        let error = load(&store, &place, replace).await.unwrap_err().to_string();
        let words = "rpl_1 (api+worker, process 7 of deck) uses this database: stop it";
        assert!(error.contains(words), "{error}");
        assert_eq!(all(&store).await, before);
    }
    // Neither of them is archived.
    let own = Place::File(folder.join("own"));
    assert_eq!(save(&store, &own, false).await.unwrap().documents, 0);
    // It has died.
    store.commit(Batch::of([said(0)])).await.unwrap();
    load(&store, &place, false).await.unwrap();
    assert_eq!(all(&store).await, all(&old).await);
}

/// Older binaries have archived what is left out today; and what they have begun is gone on with.
#[tokio::test]
async fn what_an_old_archive_says_of_the_audit_chain_is_not_taken() {
    let folder = TempDir::new("archive").unwrap();
    let (store, new) = (memory(), memory());
    store.commit(Batch::of([put("sys.audit_chain", "head", Vec::new())])).await.unwrap();
    let head = outrigger_archive::line::of_document(&all(&store).await[0]);
    let header = serde_json::to_vec(&header("test")).unwrap();
    std::fs::write(folder.join("a.part"), [&*header, b"\n", &*head, b"\n"].concat()).unwrap();
    store.commit(Batch::of([put("sys.users", "u", Vec::new())])).await.unwrap();
    let place = Place::File(folder.join("a"));
    assert_eq!(save(&store, &place, true).await.unwrap().documents, 2);
    load(&new, &place, false).await.unwrap();
    assert_eq!(all(&new).await, all(&store).await[1..]);
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
    let importing = Importing { from: &place, replace: false, now: later };
    let done = import(&*new, importing, &mut |_| {}).await.unwrap();
    assert_eq!((done.trailer.documents, done.expired), (2, 1));
    assert_eq!(all(&new).await.len(), 1);
}
