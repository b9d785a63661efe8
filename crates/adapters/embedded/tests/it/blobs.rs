//! Blobs in memory and in a folder.

use std::fs;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use outrigger_embedded::{FolderBlobs, MemoryBlobs};
use outrigger_kernel::{Clock, ManualClock, SystemClock, SystemRandom};
use outrigger_ports::blobs::Blobs;
use outrigger_testkit::TempDir;

mod memory {
    use super::*;

    fn open() -> (Arc<dyn Blobs>, ()) {
        (Arc::new(MemoryBlobs::default()), ())
    }

    outrigger_conformance::blobs_suite!(open);
}

mod folder {
    use super::*;

    fn open() -> (Arc<dyn Blobs>, TempDir) {
        let dir = TempDir::new("blobs").expect("a folder");
        (Arc::new(blobs(&dir, Arc::new(SystemClock))), dir)
    }

    outrigger_conformance::blobs_suite!(open);
}

fn blobs(dir: &TempDir, clock: Arc<dyn Clock>) -> FolderBlobs {
    FolderBlobs::new(dir.join("blobs"), clock, Arc::new(SystemRandom))
}

#[test]
fn what_a_killed_writer_left_is_swept_when_it_is_old() {
    outrigger_conformance::run(async {
        let dir = TempDir::new("blobs").expect("a folder");
        let clock = Arc::new(ManualClock::at(SystemClock.now()));
        let blobs = blobs(&dir, clock.clone());
        let mut writer = blobs.create("a").await.expect("a writer");
        writer.write(Bytes::from_static(b"half")).await.expect("a piece is written");
        // As a process that was killed: nothing is dropped.
        std::mem::forget(writer);
        let left = || fs::read_dir(dir.join("blobs/.unfinished")).expect("the folder").count();
        for (by, expected) in [(Duration::from_secs(3_500), 1), (Duration::from_secs(200), 0)] {
            clock.advance(by);
            let writer = blobs.create("b").await.expect("a writer");
            assert_eq!(left(), expected + 1, "{}", clock.now());
            writer.finish().await.expect("the blob is there");
        }
    });
}
