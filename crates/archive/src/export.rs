//! Writes an archive of a store.

use std::sync::Arc;

use async_trait::async_trait;
use outrigger_ports::store::{Key, Scanned, Store};

use crate::digest::Running;
use crate::error::ArchiveError;
use crate::line::{self, FORMAT, Header, Trailer};
use crate::place::{Begun, Lines, Place, Writer};
use crate::settle::persist;
use crate::target::MARKS;
use crate::{LEFT_OUT, Step, Watch};

/// Documents read at once: at most some 30 MB.
pub const PAGE: usize = 100;

/// The documents of a store, wherever that is.
#[async_trait(?Send)]
pub trait Pages {
    /// The next up to [`PAGE`] after this key, as [`Store::scan`] gives them.
    ///
    /// # Errors
    /// When they cannot be had.
    async fn after(&mut self, key: Option<&Key>) -> Result<Vec<Scanned>, ArchiveError>;
}

#[async_trait(?Send)]
impl Pages for Arc<dyn Store> {
    async fn after(&mut self, key: Option<&Key>) -> Result<Vec<Scanned>, ArchiveError> {
        Ok(persist(async || self.scan(key, PAGE).await).await?)
    }
}

/// What is exported where to.
#[derive(Debug)]
pub struct Exporting<'a> {
    /// The archive's place.
    pub to: &'a Place,
    /// Go on where an earlier export was cut off.
    pub resume: bool,
    /// What is said of where it comes from.
    pub header: Header,
    /// Count the documents first, so that a step says of how many it is: reads all of them twice.
    pub counted: bool,
    /// In blobs, a part ends once it has so many bytes.
    pub part_bytes: u64,
}

impl<'a> Exporting<'a> {
    /// A new archive, in parts of 64 MiB where it is in blobs, not counted.
    pub fn new(to: &'a Place, header: Header) -> Self {
        Self { to, resume: false, header, counted: false, part_bytes: 64 * 1024 * 1024 }
    }
}

/// Writes all documents but those of [`LEFT_OUT`], each as it is at the instant at which it is read.
///
/// # Errors
/// When documents cannot be read, or the archive not be written; what was written is kept, to go on with.
/// When another export writes to the same place.
pub async fn export(
    pages: &mut dyn Pages,
    exporting: Exporting<'_>,
    watch: Watch<'_>,
) -> Result<Trailer, ArchiveError> {
    let Exporting { to, resume, header, part_bytes, .. } = &exporting;
    let Begun { mut writer, before, again } = to.begin(*resume, header, *part_bytes).await?;
    let written = write(pages, &exporting, (&mut writer, before, again), watch).await;
    // What became of it is told, whatever becomes of this.
    let _place_stays_claimed = writer.release().await;
    written
}

/// Writes all lines of the archive that are not there yet, and its end.
async fn write(
    pages: &mut dyn Pages,
    exporting: &Exporting<'_>,
    (writer, before, again): (&mut Writer, Option<Lines>, bool),
    watch: Watch<'_>,
) -> Result<Trailer, ArchiveError> {
    let Exporting { header, counted, .. } = exporting;
    let mut done = Running::new();
    let mut last = None;
    let mut is_begun = false;
    if let Some(before) = before {
        is_begun = repeat(before, header, (writer, again), &mut done, &mut last).await?;
        writer.caught_up().await?;
    }
    if !is_begun {
        writer.line(&line::to_json(header)).await?;
    }
    let of = match counted {
        true => Some(done.documents + rest(pages, last.clone(), writer, watch).await?),
        false => None,
    };
    loop {
        writer.keep().await?;
        let page = pages.after(last.as_ref()).await?;
        for scanned in &page {
            if is_archived(&scanned.document.key)? {
                let line = line::of_document(scanned);
                done.add(&line);
                writer.line(&line).await?;
            }
        }
        if let Some(scanned) = page.last() {
            let key = &scanned.document.key;
            let collection = &key.collection;
            watch(&Step { doing: "reading", documents: done.documents, of, collection });
            last = Some(key.clone());
        }
        if page.len() < PAGE {
            break;
        }
    }
    let documents = done.documents;
    let trailer = Trailer { documents, sha256: done.hex() };
    writer.line(&line::to_json(&trailer)).await?;
    writer.finish().await?;
    Ok(trailer)
}

/// Whether a document under this key is for archives; refuses the mark of an import.
fn is_archived(key: &Key) -> Result<bool, ArchiveError> {
    let collection = key.collection.as_str();
    if collection == MARKS {
        let what = "an import into this database has not come to its end, so it is not whole";
        return Err(ArchiveError::Refused(what.to_owned()));
    }
    Ok(!LEFT_OUT.contains(&collection))
}

/// How many documents there are after this key, as far as one can say while others write.
async fn rest(
    pages: &mut dyn Pages,
    mut last: Option<Key>,
    writer: &mut Writer,
    watch: Watch<'_>,
) -> Result<u64, ArchiveError> {
    let mut documents = 0;
    loop {
        writer.keep().await?;
        let page = pages.after(last.as_ref()).await?;
        for scanned in &page {
            documents += u64::from(is_archived(&scanned.document.key)?);
        }
        if let Some(scanned) = page.last() {
            let collection = &scanned.document.key.collection;
            watch(&Step { doing: "counting", documents, of: None, collection });
            last = Some(scanned.document.key.clone());
        }
        if page.len() < PAGE {
            return Ok(documents);
        }
    }
}

/// Goes through what an earlier export has left; says whether it had come to its first document.
async fn repeat(
    mut before: Lines,
    header: &Header,
    (writer, again): (&mut Writer, bool),
    done: &mut Running,
    last: &mut Option<Key>,
) -> Result<bool, ArchiveError> {
    while let Some(line) = before.next().await? {
        if before.number == 1 {
            let was: Header = serde_json::from_slice(&line)
                .map_err(|error| before.wrong(format!("it is no header: {error}")))?;
            let is = (FORMAT, &header.source, &header.database);
            if (was.outrigger_archive, &was.source, &was.database) != is {
                return Err(before.wrong(
                    "it was begun with another database, or the same under another name, or by \
                     another binary: name another place",
                ));
            }
        } else if line::is_trailer(&line) {
            // It was whole but for its name.
            break;
        } else {
            *last = Some(line::document(&line).map_err(|what| before.wrong(what))?.document.key);
            done.add(&line);
        }
        writer.keep().await?;
        if again {
            writer.line(&line).await?;
        }
    }
    Ok(before.number > 0)
}
