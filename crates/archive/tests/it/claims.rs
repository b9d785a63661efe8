//! Two exports to one place in blobs: one of them ends, and no archive is a mixture.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use outrigger_archive::line::{Header, Trailer};
use outrigger_archive::{ArchiveError, Exporting, PAGE, Pages, Place, export};
use outrigger_embedded::MemoryBlobs;
use outrigger_ports::blobs::Blobs;
use outrigger_ports::store::{Key, Scanned, Store};

use crate::support::{all, fill, header, load, memory};

/// A store of whose third page something happens first.
struct Meanwhile<F: AsyncFnMut()> {
    store: Arc<dyn Store>,
    pages: usize,
    happens: F,
}

#[async_trait(?Send)]
impl<F: AsyncFnMut()> Pages for Meanwhile<F> {
    async fn after(&mut self, key: Option<&Key>) -> Result<Vec<Scanned>, ArchiveError> {
        self.pages += 1;
        if self.pages == 3 {
            (self.happens)().await;
        }
        Ok(self.store.scan(key, PAGE).await?)
    }
}

async fn filled() -> Arc<dyn Store> {
    let store = memory();
    fill(&*store, 600).await;
    store
}

/// In parts that hold less than a page.
async fn save(
    pages: &mut dyn Pages,
    to: &Place,
    resume: bool,
    header: Header,
) -> Result<Trailer, ArchiveError> {
    let exporting = Exporting { resume, part_bytes: 9_000, ..Exporting::new(to, header) };
    export(pages, exporting, &mut |_| {}).await
}

fn place(blobs: &MemoryBlobs) -> Place {
    Place::Blobs(Arc::new(blobs.clone()), "b".to_owned())
}

async fn is_whole(place: &Place, store: &Arc<dyn Store>) {
    let new = memory();
    load(&new, place, false).await.unwrap();
    assert_eq!(all(&new).await, all(store).await);
}

#[tokio::test]
async fn a_second_export_is_refused_while_the_first_is_at_it() {
    let (store, blobs) = (filled().await, MemoryBlobs::default());
    let place = place(&blobs);
    let happens = async || {
        let second = save(&mut store.clone(), &place, false, header("test")).await;
        let error = second.unwrap_err().to_string();
        assert!(error.contains("another export writes to b: it has said so"), "{error}");
    };
    let mut pages = Meanwhile { store: store.clone(), pages: 0, happens };
    save(&mut pages, &place, false, header("test")).await.unwrap();
    assert!(pages.pages > 3);
    assert!(blobs.size("b.00003").await.unwrap().is_some(), "there is but one part");
    is_whole(&place, &store).await;
    assert_eq!(blobs.size("b-claim").await.unwrap(), None);
}

/// It was thought to be dead.
#[tokio::test]
async fn an_export_whose_place_was_taken_over_ends_and_spoils_nothing() {
    let (store, blobs) = (filled().await, MemoryBlobs::default());
    let place = place(&blobs);
    let happens = async || {
        assert!(blobs.size("b.00001").await.unwrap().is_some());
        save(&mut store.clone(), &place, true, header("test")).await.unwrap();
    };
    let mut pages = Meanwhile { store: store.clone(), pages: 0, happens };
    let error = save(&mut pages, &place, false, header("test")).await.unwrap_err().to_string();
    assert!(error.contains("another export to b has begun meanwhile"), "{error}");
    is_whole(&place, &store).await;
}

#[tokio::test]
async fn the_place_of_one_that_was_killed_is_taken_by_who_goes_on_or_waits() {
    for waits in [false, true] {
        let (store, blobs) = (filled().await, MemoryBlobs::default());
        let place = place(&blobs);
        let happens = async || std::future::pending().await;
        let mut pages = Meanwhile { store: store.clone(), pages: 0, happens };
        let killed = save(&mut pages, &place, false, header("test"));
        assert!(futures_util::FutureExt::now_or_never(killed).is_none());
        let again = save(&mut store.clone(), &place, false, header("test")).await;
        assert!(again.unwrap_err().to_string().contains("go on with --resume"));
        let mut header = header("test");
        if waits {
            header.started_at = header.started_at.plus(Duration::from_secs(601));
        }
        save(&mut store.clone(), &place, !waits, header).await.unwrap();
        is_whole(&place, &store).await;
    }
}

/// Nobody waits for an export that has said that it failed.
#[tokio::test]
async fn the_place_of_one_that_has_failed_is_free() {
    let (store, blobs) = (filled().await, MemoryBlobs::default());
    let place = place(&blobs);
    save(&mut Gone, &place, false, header("test")).await.unwrap_err();
    save(&mut store.clone(), &place, false, header("test")).await.unwrap();
    let twice = save(&mut store.clone(), &place, false, header("test")).await.unwrap_err();
    assert_eq!(twice.to_string(), "there is an archive b in the blobs");
    assert_eq!(blobs.size("b-claim").await.unwrap(), None);
    is_whole(&place, &store).await;
}

struct Gone;

#[async_trait(?Send)]
impl Pages for Gone {
    async fn after(&mut self, _: Option<&Key>) -> Result<Vec<Scanned>, ArchiveError> {
        Err(ArchiveError::Refused("gone".to_owned()))
    }
}

/// Whose place was taken may have been in the middle of a part.
#[tokio::test]
async fn a_part_that_somebody_else_has_written_is_seen() {
    let (store, blobs) = (filled().await, MemoryBlobs::default());
    let place = place(&blobs);
    let happens = async || {
        let mut writer = blobs.create("b.00001").await.unwrap();
        writer.write(Bytes::from_static(b"{}\n")).await.unwrap();
        writer.finish().await.unwrap();
    };
    let mut pages = Meanwhile { store: store.clone(), pages: 0, happens };
    let error = save(&mut pages, &place, false, header("test")).await.unwrap_err().to_string();
    assert!(error.contains("b.00001 is not as it was written"), "{error}");
}
