//! Brings the documents of an archive into a store, so that it has these and no others.
//!
//! Archive and store are walked through together, both in the order of keys: what is the same already is
//! left alone. So an import that was killed goes on by being begun again; a mark in the store says of
//! which archive it is, and keeps processes from using it. What somebody has written all the same is
//! neither deleted nor overwritten unless that is asked for. In the end the store is read once more and
//! compared with the archive.

use std::time::Duration;

use futures_util::future::try_join_all;
use outrigger_kernel::{Timestamp, limits};
use outrigger_ports::store::{Key, Precondition, Scanned, Store, Write, pieces};

use crate::digest::{self, Running, Sum};
use crate::error::ArchiveError;
use crate::guard::ensure_unused;
use crate::line::{self, FORMAT, Header, Trailer};
use crate::place::{Lines, Place};
use crate::settle::{Lost, settle};
use crate::target::{self, All, Mark, counts};
use crate::{Step, Watch};

/// Documents written before it is waited for them: in batches beside each other.
const AT_ONCE: usize = 8 * limits::BATCH_MAX;
/// Documents that expire sooner than this after the start are not compared: they may expire meanwhile.
const HORIZON: Duration = Duration::from_secs(86_400);

/// How it is gone about.
#[derive(Debug)]
pub struct Importing<'a> {
    /// Where the archive is.
    pub from: &'a Place,
    /// Whether documents that are there may be deleted and overwritten.
    pub replace: bool,
    /// Now.
    pub now: Timestamp,
}

/// What was done.
#[derive(Debug)]
pub struct Imported {
    /// Where the archive came from.
    pub header: Header,
    /// What it holds.
    pub trailer: Trailer,
    /// Documents that were there already, as they should be.
    pub found: u64,
    /// Documents that had expired on the way.
    pub expired: u64,
    /// Documents that have lost their entry in an index to one that was read later.
    pub lost: Vec<(Key, String)>,
}

/// Does it. What is there afterwards was read once more and is what the archive says.
///
/// # Errors
/// When the archive is not whole (nothing was changed then, unless it comes from standard input), when
/// a process uses the store, when that holds something, or when it is not what it should be in the end.
pub async fn import(
    store: &dyn Store,
    importing: Importing<'_>,
    watch: Watch<'_>,
) -> Result<Imported, ArchiveError> {
    let Importing { from, replace, now } = importing;
    let of = match from.stays() {
        true => Some(check(from, watch).await?.documents),
        false => None,
    };
    let mut lines = from.read().await?;
    let (header, archive) = head(&mut lines).await?;
    prepare(store, archive, replace, watch).await?;
    let horizon = now.plus(HORIZON);
    let mut load = Load { now, horizon, of, replace, ..Load::new(store) };
    let trailer = load.run(&mut lines, watch).await?;
    // One that looked for the mark just before it was there.
    ensure_unused(store).await?;
    let there = target::sum(store, horizon, trailer.documents, watch).await?;
    if there != load.expected {
        return Err(ArchiveError::Differs(format!(
            "the database is not what the archive says: it has {} documents that do not expire within \
             a day, and should have {}; does somebody else write to it? Begin the import again",
            there.documents, load.expected.documents
        )));
    }
    target::remove_mark(store).await?;
    let Load { found, expired, lost, .. } = load;
    Ok(Imported { header, trailer, found, expired, lost })
}

/// Reads the archive to its end, to know that it is whole before anything is changed.
async fn check(from: &Place, watch: Watch<'_>) -> Result<Trailer, ArchiveError> {
    let mut lines = from.read().await?;
    head(&mut lines).await?;
    let mut read = Running::new();
    let mut last = None;
    loop {
        match next(&mut lines, &mut read, &mut last).await? {
            Next::Trailer(trailer) => return Ok(trailer),
            Next::Document(scanned) => {
                if read.documents.is_multiple_of(1_000) {
                    let collection = &scanned.document.key.collection;
                    watch(&Step {
                        doing: "checking",
                        documents: read.documents,
                        of: None,
                        collection,
                    });
                }
            }
        }
    }
}

/// The header, and what the archive is known by.
async fn head(lines: &mut Lines) -> Result<(Header, String), ArchiveError> {
    let Some(line) = lines.next().await? else { return Err(lines.wrong("there is none")) };
    let header: Header = serde_json::from_slice(&line)
        .map_err(|error| lines.wrong(format!("this is no archive: {error}")))?;
    if header.outrigger_archive != FORMAT {
        let known =
            format!("it is of format {}; this binary reads {FORMAT}", header.outrigger_archive);
        return Err(lines.wrong(known));
    }
    Ok((header, digest::of(&line)))
}

enum Next {
    Document(Scanned),
    Trailer(Trailer),
}

/// The next line after the header; keys grow, and the trailer is true.
async fn next(
    lines: &mut Lines,
    read: &mut Running,
    last: &mut Option<Key>,
) -> Result<Next, ArchiveError> {
    let line = lines.next().await?;
    let Some(line) = line.filter(|_| !lines.is_cut) else {
        return Err(lines.wrong("the archive ends here without its trailer: it is not whole"));
    };
    if line::is_trailer(&line) {
        let trailer: Trailer =
            serde_json::from_slice(&line).map_err(|error| lines.wrong(error.to_string()))?;
        let is = Trailer { documents: read.documents, sha256: read.clone().hex() };
        if is != trailer {
            let what =
                format!("the trailer says {trailer:?}, but the lines are {is:?}: it is damaged");
            return Err(lines.wrong(what));
        }
        if lines.next().await?.is_some() || lines.is_cut {
            return Err(lines.wrong("something follows the trailer"));
        }
        return Ok(Next::Trailer(trailer));
    }
    let scanned = line::document(&line).map_err(|what| lines.wrong(what))?;
    if last.as_ref().is_some_and(|last| *last >= scanned.document.key) {
        return Err(lines.wrong("it does not come after the line before it"));
    }
    *last = Some(scanned.document.key.clone());
    read.add(&line);
    Ok(Next::Document(scanned))
}

/// Sees to it that nobody uses the store, and that it is empty or holds what an earlier try of this
/// import has brought.
async fn prepare(
    store: &dyn Store,
    archive: String,
    replace: bool,
    watch: Watch<'_>,
) -> Result<(), ArchiveError> {
    ensure_unused(store).await?;
    let mut mark = Mark { archive, emptied: false };
    match target::mark(store).await? {
        Some(found) if found.archive == mark.archive => mark = found,
        None => {}
        Some(_) if replace => {}
        Some(_) => {
            return Err(ArchiveError::Refused(
                "the import of another archive has not come to its end here: begin that again, or give \
                 --replace"
                    .to_owned(),
            ));
        }
    }
    if !mark.emptied {
        let occupant = if replace { None } else { target::occupant(store).await? };
        if let Some(key) = occupant {
            return Err(ArchiveError::Refused(format!(
                "the database is not empty (it has {}/{}): name an empty one, or delete all that it \
                 holds with --replace",
                key.collection, key.id
            )));
        }
        target::set_mark(store, &mark).await?;
        target::empty(store, watch).await?;
        mark.emptied = true;
        target::set_mark(store, &mark).await?;
    }
    Ok(())
}

/// Documents on their way into the store.
struct Load<'a> {
    store: &'a dyn Store,
    now: Timestamp,
    horizon: Timestamp,
    of: Option<u64>,
    replace: bool,
    waiting: Vec<Write>,
    expected: Sum,
    found: u64,
    expired: u64,
    lost: Vec<(Key, String)>,
}

impl<'a> Load<'a> {
    fn new(store: &'a dyn Store) -> Self {
        let start = Timestamp::default();
        Self {
            store,
            now: start,
            horizon: start,
            of: None,
            replace: false,
            waiting: Vec::new(),
            expected: Sum::default(),
            found: 0,
            expired: 0,
            lost: Vec::new(),
        }
    }

    async fn run(&mut self, lines: &mut Lines, watch: Watch<'_>) -> Result<Trailer, ArchiveError> {
        let mut there = All::of(self.store);
        let mut read = Running::new();
        let mut last = None;
        loop {
            match next(lines, &mut read, &mut last).await? {
                Next::Document(scanned) => {
                    let collection = scanned.document.key.collection.clone();
                    self.take(scanned, &mut there).await?;
                    if self.waiting.len() >= AT_ONCE {
                        self.flush().await?;
                        let (documents, of) = (read.documents, self.of);
                        let collection = &collection;
                        watch(&Step { doing: "writing", documents, of, collection });
                    }
                }
                Next::Trailer(trailer) => {
                    while let Some(scanned) = there.next().await? {
                        self.not_in_archive(scanned.document.key)?;
                    }
                    self.flush().await?;
                    return Ok(trailer);
                }
            }
        }
    }

    async fn take(&mut self, scanned: Scanned, there: &mut All<'_>) -> Result<(), ArchiveError> {
        let held = self.go_to(&scanned.document.key, there).await?;
        let is_over = scanned.document.expires_at.is_some_and(|at| at <= self.now);
        // Older binaries have archived what is left out today.
        if is_over || !target::is_kept(&scanned.document.key) {
            self.expired += u64::from(is_over);
            let other = held.filter(|held| !is_brought(held, &scanned));
            return other.map_or(Ok(()), |held| self.not_in_archive(held.document.key));
        }
        if counts(&scanned.document, self.horizon) {
            self.expected.add(&line::of_document(&scanned));
        }
        let precondition = match held {
            None => Precondition::Absent,
            Some(held) if held == scanned => {
                self.found += 1;
                return Ok(());
            }
            Some(held) if self.replace || is_brought(&held, &scanned) => Precondition::Any,
            Some(held) => return Err(foreign(&held.document.key, "is not as in the archive")),
        };
        let Scanned { document, entries } = scanned;
        self.waiting.push(Write::Restore { document, entries, precondition });
        Ok(())
    }

    /// What the store has under the key, after what it has before it.
    async fn go_to(
        &mut self,
        key: &Key,
        there: &mut All<'_>,
    ) -> Result<Option<Scanned>, ArchiveError> {
        while there.peek().await?.is_some_and(|held| held.document.key <= *key) {
            match there.next().await? {
                Some(held) if held.document.key == *key => return Ok(Some(held)),
                Some(held) => self.not_in_archive(held.document.key)?,
                None => break,
            }
        }
        Ok(None)
    }

    fn not_in_archive(&mut self, key: Key) -> Result<(), ArchiveError> {
        if key.collection == target::MARKS {
            return Ok(());
        }
        if target::is_kept(&key) && !self.replace {
            return Err(foreign(&key, "is not in the archive"));
        }
        self.waiting.push(target::delete(key));
        Ok(())
    }

    async fn flush(&mut self) -> Result<(), ArchiveError> {
        let waiting = std::mem::take(&mut self.waiting);
        let batches = pieces(waiting, limits::BATCH_MAX, Write::body_bytes);
        let settled =
            try_join_all(batches.into_iter().map(|batch| settle(self.store, batch))).await?;
        for Lost { before, after } in settled.into_iter().flatten() {
            if counts(&before.document, self.horizon) {
                self.expected.exchange(&line::of_document(&before), &line::of_document(&after));
            }
            let gone = before.entries.iter().find(|entry| !after.entries.contains(entry));
            let index = gone.map(|entry| entry.index.clone()).unwrap_or_default();
            self.lost.push((before.document.key, index));
        }
        Ok(())
    }
}

/// Whether an earlier try has brought it; it may have lost entries since, to documents read later.
fn is_brought(held: &Scanned, archived: &Scanned) -> bool {
    held.document == archived.document
        && held.entries.iter().all(|entry| archived.entries.contains(entry))
}

fn foreign(key: &Key, is: &str) -> ArchiveError {
    ArchiveError::Refused(format!(
        "{}/{} {is}: somebody has written it since the import began. Begin again into another database, \
         or have it deleted with --replace",
        key.collection, key.id
    ))
}
