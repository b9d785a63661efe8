//! Files and blobs, and exports that go on where they were cut off.

use std::sync::Arc;

use async_trait::async_trait;
use outrigger_archive::line::Header;
use outrigger_archive::{ArchiveError, Exporting, PAGE, Pages, Place, export};
use outrigger_embedded::{FolderBlobs, MemoryBlobs};
use outrigger_kernel::SystemRandom;
use outrigger_ports::store::{Batch, Key, Scanned, Store};
use outrigger_testkit::TempDir;

use crate::support::{all, clock, content, fill, header, load, memory, put, save};

/// A store that goes away after some pages.
struct Fragile(Arc<dyn Store>, usize);

#[async_trait(?Send)]
impl Pages for Fragile {
    async fn after(&mut self, key: Option<&Key>) -> Result<Vec<Scanned>, ArchiveError> {
        if self.1 == 0 {
            return Err(ArchiveError::Refused("gone".to_owned()));
        }
        self.1 -= 1;
        Ok(self.0.scan(key, PAGE).await?)
    }
}

async fn save_a_part(store: &Arc<dyn Store>, to: &Place, resume: bool, pages: usize) {
    let mut fragile = Fragile(store.clone(), pages);
    let exporting = Exporting { resume, ..Exporting::new(to, header("test")) };
    let error = export(&mut fragile, exporting, &mut |_| {}).await.unwrap_err();
    assert_eq!(error.to_string(), "gone");
}

#[tokio::test]
async fn blobs_of_a_folder_take_an_archive_and_give_it_back() {
    let folder = TempDir::new("archive").unwrap();
    let blobs = FolderBlobs::new(folder.join("blobs"), clock(), Arc::new(SystemRandom));
    for name in ["backups/a.ndjson", "backups/b.ndjson.gz"] {
        let place = Place::Blobs(Arc::new(blobs.clone()), name.to_owned());
        let (old, new) = (memory(), memory());
        fill(&*old, 250).await;
        save(&old, &place, false).await.unwrap();
        assert!(folder.join("blobs").join(format!("{name}.00001")).exists());
        let twice = save(&old, &place, false).await.unwrap_err().to_string();
        assert!(twice.contains("there is an archive"), "{twice}");
        load(&new, &place, false).await.unwrap();
        assert_eq!(all(&new).await, all(&old).await);
    }
    let nothing = Place::Blobs(Arc::new(MemoryBlobs::default()), "no".to_owned());
    let error = load(&memory(), &nothing, false).await.unwrap_err().to_string();
    assert_eq!(error, "there is no blob no.00001");
}

/// The archive is the same as one that was made at once.
#[tokio::test]
async fn a_cut_export_to_a_file_goes_on() {
    let folder = TempDir::new("archive").unwrap();
    let store = memory();
    fill(&*store, 1_000).await;
    let whole = folder.join("whole.ndjson");
    save(&store, &Place::File(whole.clone()), false).await.unwrap();
    for name in ["cut.ndjson", "cut.ndjson.gz"] {
        let path = folder.join(name);
        let place = Place::File(path.clone());
        save_a_part(&store, &place, false, 4).await;
        assert!(!path.exists());
        // Cut in the middle of what it had, as a kill or a full disk would.
        let part = folder.join(format!("{name}.part"));
        let lines = std::fs::read(&whole).unwrap();
        let bytes = match name.ends_with("gz") {
            true => packed(&lines)[..5_000].to_vec(),
            false => lines[..100_003].to_vec(),
        };
        std::fs::write(&part, bytes).unwrap();
        save_a_part(&store, &place, true, 3).await;
        save(&store, &place, true).await.unwrap();
        assert!(!part.exists() && !folder.join(format!("{name}.old")).exists());
        let bytes = std::fs::read(&path).unwrap();
        let unpacked = if name.ends_with("gz") { unpacked(&bytes) } else { bytes };
        assert!(unpacked.ends_with(&content(&whole)), "{name}");
        let error = save(&store, &place, true).await.unwrap_err().to_string();
        assert!(error.contains("exists"), "{error}");
        load(&memory(), &place, false).await.unwrap();
    }
}

fn packed(lines: &[u8]) -> Vec<u8> {
    use std::io::Write as _;
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(lines).unwrap();
    encoder.finish().unwrap()
}

fn unpacked(bytes: &[u8]) -> Vec<u8> {
    use std::io::Read as _;
    let mut lines = Vec::new();
    flate2::read::MultiGzDecoder::new(bytes).read_to_end(&mut lines).unwrap();
    lines
}

/// Parts that are there stay, and the next one follows them.
#[tokio::test]
async fn a_cut_export_to_blobs_goes_on_after_its_last_part() {
    use outrigger_ports::blobs::Blobs as _;
    let (store, blobs) = (memory(), MemoryBlobs::default());
    fill(&*store, 500).await;
    let folder = TempDir::new("archive").unwrap();
    let whole = folder.join("whole.ndjson");
    save(&store, &Place::File(whole.clone()), false).await.unwrap();
    let lines = std::fs::read(&whole).unwrap();
    let text = String::from_utf8(lines.clone()).unwrap();
    let cut: usize = text.split_inclusive('\n').take(301).map(str::len).sum();
    let first = text[..cut].to_owned();
    let mut writer = blobs.create("b.00001").await.unwrap();
    writer.write(first.into()).await.unwrap();
    writer.finish().await.unwrap();
    let place = Place::Blobs(Arc::new(blobs.clone()), "b".to_owned());
    let trailer = save(&store, &place, true).await.unwrap();
    assert_eq!(trailer.documents, 500);
    let second = blobs.size("b.00002").await.unwrap().unwrap();
    assert_eq!(second, (lines.len() - cut) as u64);
    let new = memory();
    load(&new, &place, false).await.unwrap();
    assert_eq!(all(&new).await, all(&store).await);
    // Without being told to go on, it begins anew, and the old parts are gone.
    blobs.delete("b.00002").await.unwrap();
    save(&store, &place, false).await.unwrap();
    assert_eq!(blobs.size("b.00002").await.unwrap(), None);
    assert_eq!(load(&memory(), &place, false).await.unwrap().trailer, trailer);
}

/// Two databases of one kind in one archive would have a checksum like any other.
#[tokio::test]
async fn what_was_begun_with_one_database_is_not_gone_on_with_from_another() {
    let folder = TempDir::new("archive").unwrap();
    let (store, other) = (memory(), memory());
    fill(&*store, 500).await;
    fill(&*other, 500).await;
    // A file has its lines in blocks of megabytes: what a kill leaves is made of a whole one.
    let (file, part) = (folder.join("a"), folder.join("a.part"));
    save(&store, &Place::File(file.clone()), false).await.unwrap();
    std::fs::rename(&file, &part).unwrap();
    std::fs::OpenOptions::new().write(true).open(&part).unwrap().set_len(50_000).unwrap();
    let blobs = Place::Blobs(Arc::new(MemoryBlobs::default()), "b".to_owned());
    let exporting = Exporting { part_bytes: 20_000, ..Exporting::new(&blobs, header("test")) };
    export(&mut Fragile(store.clone(), 3), exporting, &mut |_| {}).await.unwrap_err();
    for place in [Place::File(file), blobs] {
        let header = Header { database: "another".to_owned(), ..header("test") };
        let exporting = Exporting { resume: true, ..Exporting::new(&place, header) };
        let error = export(&mut other.clone(), exporting, &mut |_| {}).await.unwrap_err();
        assert!(error.to_string().contains("begun with another database"), "{error}");
        // What is there stays.
        save(&store, &place, true).await.unwrap();
        load(&memory(), &place, false).await.unwrap();
    }
}

/// Also where a part of the archive is there already.
#[tokio::test]
async fn an_export_that_counts_says_of_how_many_it_has_read_so_many() {
    let folder = TempDir::new("archive").unwrap();
    let store = memory();
    fill(&*store, 430).await;
    store.commit(Batch::of([put("sys.leases", "scheduler", Vec::new())])).await.unwrap();
    let place = Place::File(folder.join("a"));
    save_a_part(&store, &place, false, 2).await;
    let mut seen = Vec::new();
    let exporting =
        Exporting { resume: true, counted: true, ..Exporting::new(&place, header("test")) };
    export(&mut store.clone(), exporting, &mut |step| {
        seen.push((step.doing, step.documents, step.of));
    })
    .await
    .unwrap();
    seen.retain(|(doing, ..)| *doing == "reading");
    assert!(seen.len() > 1 && seen.iter().all(|(.., of)| *of == Some(430)), "{seen:?}");
    assert_eq!(seen.last(), Some(&("reading", 430, Some(430))));
}
