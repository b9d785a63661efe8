//! Counting what was taken.
//!
//! Any process may do it, at any time: the journal says which chunks are added under which number, and
//! each document of counts which number was added last. That one process at a time does it saves work,
//! and is not what makes the counts right.

use std::time::Duration;

use outrigger_kernel::{Result, Timestamp, limits};
use outrigger_ports::collection::{Collection, Stored};
use outrigger_ports::index_value;
use outrigger_ports::store::{Batch, Order, Precondition, StoreError};

use super::model::{Chunk, JOURNAL_ID, Journal};
use super::service::Analytics;

/// Chunks that are counted under one number: each document of counts is then written once for so many.
const ROUND: usize = 400;
/// For how long a process that does not go on is waited for.
const HOLD: Duration = Duration::from_secs(15);

/// Counts the events, for one process.
#[derive(Debug)]
pub struct Counter {
    analytics: Analytics,
    by: String,
    /// The number of the journal whose chunks are known to be counted and deleted.
    settled: Option<u64>,
}

impl Counter {
    pub(super) fn new(analytics: Analytics, by: &str) -> Self {
        Self { analytics, by: by.to_owned(), settled: None }
    }

    /// Does one round; says whether there may be more to do at once.
    ///
    /// # Errors
    /// `unavailable`; another round goes on where this one ended.
    pub async fn round(&mut self) -> Result<bool> {
        let chunks = self.analytics.oldest(ROUND).await?;
        let now = self.analytics.clock.now();
        tell_lag(&chunks, now);
        if chunks.is_empty() {
            return Ok(false);
        }
        let journal = self.analytics.journal().await?;
        if journal.value.by != self.by && journal.value.until > now {
            return Ok(false);
        }
        if self.settled != Some(journal.value.number) {
            self.analytics.settle(&journal.value).await?;
            self.settled = Some(journal.value.number);
            return Ok(true);
        }
        let next = Journal {
            number: journal.value.number + 1,
            chunks: chunks.iter().map(|chunk| chunk.id.clone()).collect(),
            by: self.by.clone(),
            until: now.plus(HOLD),
        };
        if self.analytics.note(&next, journal.version).await? {
            self.analytics.finish(&next, &chunks).await?;
            self.settled = Some(next.number);
        }
        Ok(chunks.len() == ROUND)
    }
}

/// Tells for how long the first of these chunks, the oldest, has waited.
fn tell_lag(chunks: &[Stored<Chunk>], now: Timestamp) {
    let lag = chunks.first().map(|chunk| now.since(chunk.value.taken_at));
    metrics::gauge!("outrigger_events_lag_seconds").set(lag.unwrap_or_default().as_secs_f64());
}

impl Analytics {
    /// Tells in the metrics for how long events have waited to be counted, for a process that counts
    /// none: reads one chunk.
    ///
    /// # Errors
    /// `unavailable`; the metric stays as it was.
    pub async fn tell_lag(&self) -> Result<()> {
        tell_lag(&self.oldest(1).await?, self.clock.now());
        Ok(())
    }

    /// The chunks that were taken first, of those that are not counted.
    pub(super) async fn oldest(&self, limit: usize) -> Result<Vec<Stored<Chunk>>> {
        let all = index_value::all();
        Ok(self.chunks.list(Order::Id, all, false, None, limit).await?.0)
    }

    async fn journal(&self) -> Result<Stored<Journal>> {
        let empty = || Stored { id: JOURNAL_ID.to_owned(), version: 0, value: Journal::default() };
        Ok(self.journal.find(JOURNAL_ID).await?.unwrap_or_else(empty))
    }

    /// Writes the journal; says whether nobody was quicker.
    async fn note(&self, journal: &Journal, version: u64) -> Result<bool> {
        let expected = match version {
            0 => Precondition::Absent,
            version => Precondition::Version(version),
        };
        let write = Collection::put(JOURNAL_ID, journal, expected)?;
        match self.store.commit(Batch::of([write])).await {
            Ok(_) => Ok(true),
            Err(StoreError::Precondition { .. }) => Ok(false),
            Err(error) => Err(error.into()),
        }
    }

    /// Ends what somebody has begun and may not have ended.
    async fn settle(&self, journal: &Journal) -> Result<()> {
        let mut left = Vec::with_capacity(journal.chunks.len());
        for ids in journal.chunks.chunks(limits::GET_MANY_MAX) {
            let keys: Vec<_> = ids.iter().map(|id| Collection::<Chunk>::key(id)).collect();
            for found in self.store.get_many(&keys).await?.into_iter().flatten() {
                left.push(outrigger_ports::collection::decode(found)?);
            }
        }
        if left.len() == journal.chunks.len() {
            return self.finish(journal, &left).await;
        }
        // One of them is gone, so all had been added by then.
        self.delete(&left).await
    }

    async fn finish(&self, journal: &Journal, chunks: &[Stored<Chunk>]) -> Result<()> {
        let values: Vec<&Chunk> = chunks.iter().map(|chunk| &chunk.value).collect();
        self.add(journal.number, &values).await?;
        self.delete(chunks).await?;
        let events: usize = values.iter().map(|chunk| chunk.events.len()).sum();
        metrics::counter!("outrigger_events_counted_total").increment(events as u64);
        Ok(())
    }

    async fn delete(&self, chunks: &[Stored<Chunk>]) -> Result<()> {
        for piece in chunks.chunks(limits::BATCH_MAX) {
            let delete =
                |chunk: &Stored<Chunk>| Collection::<Chunk>::delete(&chunk.id, Precondition::Any);
            self.store.commit(Batch::of(piece.iter().map(delete))).await?;
        }
        Ok(())
    }
}
