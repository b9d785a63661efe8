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
}

/// Writes all documents but those of [`LEFT_OUT`], each as it is at the instant at which it is read.
///
/// # Errors
/// When documents cannot be read, or the archive not be written; what was written is kept, to go on with.
pub async fn export(
    pages: &mut dyn Pages,
    exporting: Exporting<'_>,
    watch: Watch<'_>,
) -> Result<Trailer, ArchiveError> {
    let Exporting { to, resume, header } = exporting;
    let Begun { mut writer, before, again } = to.begin(resume).await?;
    let mut done = Running::new();
    let mut last = None;
    let mut is_begun = false;
    if let Some(before) = before {
        is_begun =
            repeat(before, &header, again.then_some(&mut writer), &mut done, &mut last).await?;
        writer.caught_up().await?;
    }
    if !is_begun {
        writer.line(&line::to_json(&header)).await?;
    }
    loop {
        let page = pages.after(last.as_ref()).await?;
        for scanned in &page {
            let collection = scanned.document.key.collection.as_str();
            if collection == MARKS {
                return Err(ArchiveError::Refused(
                    "an import into this database has not come to its end, so it is not whole"
                        .to_owned(),
                ));
            }
            if !LEFT_OUT.contains(&collection) {
                let line = line::of_document(scanned);
                done.add(&line);
                writer.line(&line).await?;
            }
        }
        if let Some(scanned) = page.last() {
            let key = &scanned.document.key;
            let collection = &key.collection;
            watch(&Step { doing: "reading", documents: done.documents, of: None, collection });
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

/// Goes through what an earlier export has left; says whether it had come to its first document.
async fn repeat(
    mut before: Lines,
    header: &Header,
    mut writer: Option<&mut Writer>,
    done: &mut Running,
    last: &mut Option<Key>,
) -> Result<bool, ArchiveError> {
    while let Some(line) = before.next().await? {
        if before.number == 1 {
            let was: Header = serde_json::from_slice(&line)
                .map_err(|error| before.wrong(format!("it is no header: {error}")))?;
            if (was.outrigger_archive, &was.source) != (FORMAT, &header.source) {
                return Err(
                    before.wrong("it was begun with another database, or by another binary")
                );
            }
        } else if line::is_trailer(&line) {
            // It was whole but for its name.
            break;
        } else {
            *last = Some(line::document(&line).map_err(|what| before.wrong(what))?.document.key);
            done.add(&line);
        }
        if let Some(writer) = &mut writer {
            writer.line(&line).await?;
        }
    }
    Ok(before.number > 0)
}
