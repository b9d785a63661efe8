//! A full disk: writes are refused, reads go on, nothing is damaged, and room that is made is used.

use std::path::{Path, PathBuf};
use std::process::Command;

use bytes::Bytes;
use outrigger_ports::store::{Batch, Precondition, Store, StoreError, Write};
use outrigger_sql::{SqliteOptions, SqliteStore};
use outrigger_testkit::TempDir;
use rusqlite::Connection;

use crate::support::{APPLY, clock, key, on_one_core, put};

fn large(id: &str) -> Write {
    let body = Bytes::from(vec![b'x'; 100_000]);
    let precondition = Precondition::Any;
    Write::Put { key: key(id), body, entries: Vec::new(), expires_at: None, precondition }
}

fn delete(id: &str) -> Write {
    Write::Delete { key: key(id), precondition: Precondition::Exists }
}

/// Fills the database, then shows what still works.
async fn fill(options: &SqliteOptions) {
    let store = SqliteStore::open(options, clock()).unwrap();
    store.migrate(APPLY).await.unwrap();
    let mut written = 0;
    let refused = loop {
        match store.commit(Batch::of([large(&format!("d{written}"))])).await {
            Ok(_) => written += 1,
            Err(error) => break error,
        }
        assert!(written < 1000, "the disk is not full yet");
    };
    assert!(matches!(refused, StoreError::Full(_)), "{refused:?}");
    assert!(written > 2, "{written}");

    for document in 0..written {
        assert!(store.get(&key(&format!("d{document}"))).await.unwrap().is_some());
    }
    assert_eq!(store.scan(None, 1000).await.unwrap().len(), written);

    // One that has no room does not fail those that come with it and make room.
    let (full, freed, other) = tokio::join!(
        store.commit(Batch::of([large("a"), large("b"), large("c"), large("d")])),
        store.commit(Batch::of([delete("d0")])),
        store.commit(Batch::of([delete("d1")])),
    );
    assert!(matches!(full, Err(StoreError::Full(_))), "{full:?}");
    assert_eq!((freed.unwrap(), other.unwrap()), (vec![0], vec![0]));
    store.commit(Batch::of([put("small", Precondition::Absent)])).await.unwrap();
    assert_eq!(store.get(&key("a")).await.unwrap(), None);
    drop(store);

    let database = Connection::open(&options.path).unwrap();
    let check: String = database.query_row("PRAGMA integrity_check", (), |row| row.get(0)).unwrap();
    assert_eq!(check, "ok");
}

#[test]
fn a_quota_that_is_used_up_refuses_writes_only() {
    let dir = TempDir::new("sqlite").unwrap();
    let bytes_max = Some(1_000_000);
    let options = SqliteOptions { bytes_max, ..SqliteOptions::at(dir.join("t.db")) };
    on_one_core(fill(&options));
}

/// A file system of a few megabytes; gone with the value.
struct SmallDisk(TempDir);

impl SmallDisk {
    /// `None` where this user may not mount.
    fn mount() -> Option<Self> {
        let dir = TempDir::new("disk").unwrap();
        let mut mount = Command::new("mount");
        mount.args(["-t", "tmpfs", "-o", "size=2m", "tmpfs"]).arg(dir.path());
        let mounted = mount.output().is_ok_and(|done| done.status.success());
        mounted.then(|| Self(dir))
    }

    fn path(&self) -> &Path {
        self.0.path()
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg(self.path()).status();
    }
}

#[test]
fn a_full_disk_refuses_writes_only() {
    // Without the right to mount, a quota stands for the disk; that is how far it can be shown.
    let disk = SmallDisk::mount();
    let dir = TempDir::new("sqlite").unwrap();
    let folder: PathBuf = disk.as_ref().map_or(dir.path(), SmallDisk::path).into();
    let bytes_max = disk.is_none().then_some(2_000_000);
    let options = SqliteOptions { bytes_max, ..SqliteOptions::at(folder.join("t.db")) };
    on_one_core(fill(&options));
}
