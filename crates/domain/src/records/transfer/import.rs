//! Writing the records of a file into a collection.

use std::collections::HashSet;

use futures_util::future::join_all;
use outrigger_kernel::{Ctx, Error, ErrorKind, Result};
use outrigger_ports::store::Precondition;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::source::{Entry, Incoming, Source, said};
use super::{Format, Told};
use crate::records::definition::Compiled;
use crate::records::etag::Preconditions;
use crate::records::replace::check_id;
use crate::records::save::Draft;
use crate::records::service::Records;

/// Records that are written at once.
const AT_ONCE: usize = 32;
/// Bad lines that are told of, the first ones.
const TOLD_MAX: usize = 50;
/// So much is told of each, in characters.
const TOLD_CHARS_MAX: usize = 200;

/// What a bad line does.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum BadLines {
    /// All lines are checked first; with a bad one nothing is written.
    #[default]
    Refuse,
    /// It is left out, and the rest is written.
    Skip,
}

/// What is to be read into which collection.
pub(crate) struct Import<'a> {
    pub(crate) collection: &'a str,
    pub(crate) format: Format,
    pub(crate) from: &'a str,
    pub(crate) bad_lines: BadLines,
    /// Names the import; the ids of records that bring none follow from it and their lines.
    pub(crate) name: &'a str,
}

/// What was done.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Imported {
    /// Records that were created or replaced.
    pub written: u64,
    /// Bad lines.
    pub bad: u64,
    /// The first of them.
    pub errors: Vec<BadLine>,
}

/// A bad line.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct BadLine {
    /// Its number, from 1.
    pub line: u64,
    /// What is wrong with it.
    pub message: String,
}

impl Imported {
    fn note(&mut self, line: u64, why: &str) {
        self.bad += 1;
        if self.errors.len() < TOLD_MAX {
            let message = why.chars().take(TOLD_CHARS_MAX).collect();
            self.errors.push(BadLine { line, message });
        }
    }

    /// Why an import that bears no bad line has failed.
    pub(crate) fn refusal(&self) -> String {
        let lines = self.errors.iter().map(|bad| format!("line {}: {}", bad.line, bad.message));
        let lines: Vec<String> = lines.collect();
        let (bad, written) = (self.bad, self.written);
        format!("{bad} bad lines; {written} records were written; {}", lines.join("; "))
    }
}

impl Records {
    /// Creates or replaces a record for each line. Doing it again writes the same records.
    ///
    /// # Errors
    /// `not_found` (the collection, the file), `invalid` (the names of a CSV's columns),
    /// `unavailable`.
    pub(crate) async fn import(
        &self,
        ctx: &Ctx,
        import: &Import<'_>,
        told: Told<'_>,
    ) -> Result<Imported> {
        if import.bad_lines == BadLines::Refuse {
            let checked = self.check_lines(ctx, import, told).await?;
            if checked.bad > 0 {
                return Ok(checked);
            }
        }
        let mut done = Imported::default();
        let mut source = self.source(import).await?;
        let mut waiting: Vec<(u64, String, Incoming)> = Vec::with_capacity(AT_ONCE);
        let mut ids = HashSet::new();
        while let Some((line, entry)) = source.next().await? {
            let entry = entry.map(|incoming| (id_of(import, line, &incoming), incoming));
            match entry {
                Err(why) => done.note(line, &why),
                Ok((id, incoming)) => {
                    // Of two lines with one id the later one counts.
                    if waiting.len() == AT_ONCE || ids.contains(&id) {
                        self.write(ctx, import, std::mem::take(&mut waiting), &mut done).await?;
                        ids.clear();
                        told(line)?;
                    }
                    ids.insert(id.clone());
                    waiting.push((line, id, incoming));
                }
            }
        }
        self.write(ctx, import, waiting, &mut done).await?;
        // A line that cannot be read is known before those that are still to be written.
        done.errors.sort_by_key(|bad| bad.line);
        Ok(done)
    }

    async fn source(&self, import: &Import<'_>) -> Result<Source> {
        let compiled = self.definitions.get(import.collection).await?;
        let file = self.blobs.open(import.from).await?;
        let file = file.ok_or_else(|| Error::not_found(&format!("file {}", import.from)))?;
        Source::open(file, import.format, &compiled).await
    }

    /// Checks all that can be checked of a line on its own.
    async fn check_lines(
        &self,
        ctx: &Ctx,
        import: &Import<'_>,
        told: Told<'_>,
    ) -> Result<Imported> {
        let mut done = Imported::default();
        let mut source = self.source(import).await?;
        let mut compiled = self.definitions.get(import.collection).await?;
        while let Some((line, entry)) = source.next().await? {
            if line % 1_000 == 0 {
                told(0)?;
                compiled = self.definitions.get(import.collection).await?;
                // What needs no waiting must let others have their turn.
                tokio::task::yield_now().await;
            }
            if let Err(why) = self.check_line(ctx, &compiled, import, line, entry) {
                done.note(line, &why);
            }
        }
        Ok(done)
    }

    fn check_line(
        &self,
        ctx: &Ctx,
        compiled: &Compiled,
        import: &Import<'_>,
        line: u64,
        entry: Entry,
    ) -> std::result::Result<(), String> {
        let incoming = entry?;
        let id = id_of(import, line, &incoming);
        let draft = Draft::next(&id, None, ctx, self.clock.now(), &incoming.data);
        let checked = check_id(&id).and_then(|()| draft.write(compiled, Precondition::Any));
        checked.map(drop).map_err(|error| said(&error.relocated(&["data"])))
    }

    async fn write(
        &self,
        ctx: &Ctx,
        import: &Import<'_>,
        records: Vec<(u64, String, Incoming)>,
        done: &mut Imported,
    ) -> Result<()> {
        // No older than a request's: re-indexing counts on that.
        let compiled = self.definitions.get(import.collection).await?;
        let any = Preconditions::default();
        let writes = records.iter().map(async |(_, id, incoming)| {
            check_id(id)?;
            self.save(ctx, &compiled, id, &any, |_| Ok(incoming.data.clone())).await
        });
        for ((line, _, _), outcome) in records.iter().zip(join_all(writes).await) {
            match outcome {
                Ok(_) => done.written += 1,
                Err(error) if is_fault_of_the_line(&error) => {
                    done.note(*line, &said(&error.relocated(&["data"])));
                }
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }
}

fn id_of(import: &Import<'_>, line: u64, incoming: &Incoming) -> String {
    incoming.id.clone().unwrap_or_else(|| format!("{}-{line}", import.name))
}

fn is_fault_of_the_line(error: &Error) -> bool {
    matches!(error.kind(), ErrorKind::Invalid | ErrorKind::BadRequest | ErrorKind::TooLarge)
        || error.code() == "not_unique"
}
