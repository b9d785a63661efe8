//! Taking events.

use std::collections::HashSet;

use bytes::Bytes;
use futures_util::{StreamExt, stream};
use outrigger_kernel::{Ctx, Error, Result, Timestamp, limits};
use outrigger_ports::collection::Collection;
use outrigger_ports::store::{Batch, Precondition, StoreError, Write};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::check::{self, Event, NewEvents};
use super::model::{Chunk, Known};
use super::service::Analytics;
use crate::idempotency::{self, Keyed};
use crate::rule;

/// Events of one chunk: with their ids a batch is full.
const CHUNK: usize = limits::BATCH_MAX - 1;
/// Chunks of one request on their way at once.
const AT_ONCE: usize = 8;
/// How often a chunk is tried whose events are sent by others at the same time.
const TRIES: usize = 8;

/// What became of the events of a request.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "EventsTaken")]
pub struct Taken {
    /// Events that count from now on.
    pub accepted: usize,
    /// Events whose ids are known already: they count once.
    pub duplicates: usize,
}

impl Analytics {
    /// Takes these events, each id once. They are on disk when this returns; they are counted soon
    /// after. When it fails, some may have been taken: send all of them again.
    ///
    /// # Errors
    /// `unauthenticated`, `forbidden`; `invalid` at the place of what is wrong with an event (nothing is
    /// taken then), such as `too_old` and `in_future`; `unavailable`.
    pub async fn ingest(
        &self,
        ctx: &Ctx,
        new: NewEvents,
        idempotency_key: Option<&str>,
    ) -> Result<Taken> {
        rule::check(&self.settings.ingest, ctx, ctx.user_id(), "event")?;
        let asked = serde_json::to_vec(&new).map_err(Error::internal)?;
        let keyed = idempotency_key.map(|key| Keyed::new(ctx, "ingest events", key, &asked));
        let keyed = keyed.transpose()?;
        if let Some(first) = self.first_answer(keyed.as_ref()).await? {
            return Ok(first);
        }
        let now = self.clock.now();
        let events = check::events(new, now, self.settings.late)?;
        if let Some(keyed) = &keyed
            && let Some(first) = self.begin(keyed).await?
        {
            return Ok(first);
        }
        let taken = self.take_all(events, now).await?;
        if let Some(keyed) = &keyed {
            let body = serde_json::to_string(&taken).map_err(Error::internal)?;
            let answer = idempotency::Answer { etag: None, location: None, body };
            let write = self.idempotency.complete(keyed, answer)?;
            self.store.commit(Batch::of([write])).await?;
        }
        Ok(taken)
    }

    /// Notes the key, so that no other request can have it; the answer if one had it before.
    async fn begin(&self, keyed: &Keyed) -> Result<Option<Taken>> {
        let write = self.idempotency.begin(keyed, "events")?;
        match self.store.commit(Batch::of([write])).await {
            Ok(_) => Ok(None),
            Err(StoreError::Precondition { .. }) => self.first_answer(Some(keyed)).await,
            Err(error) => Err(error.into()),
        }
    }

    async fn first_answer(&self, keyed: Option<&Keyed>) -> Result<Option<Taken>> {
        let Some(keyed) = keyed else { return Ok(None) };
        let Some(answer) = self.idempotency.replay(keyed).await? else { return Ok(None) };
        serde_json::from_str(&answer.body).map(Some).map_err(Error::internal)
    }

    async fn take_all(&self, mut events: Vec<Event>, now: Timestamp) -> Result<Taken> {
        let sent = events.len();
        let mut seen = HashSet::with_capacity(sent);
        events.retain(|event| seen.insert(event.id.clone()));
        let mut pieces = Vec::with_capacity(sent.div_ceil(CHUNK));
        while !events.is_empty() {
            let rest = events.split_off(events.len().min(CHUNK));
            pieces.push(std::mem::replace(&mut events, rest));
        }
        let taken = stream::iter(pieces).map(|piece| self.take(piece, now));
        // All of them end, also when one has failed.
        let taken: Vec<Result<usize>> = taken.buffer_unordered(AT_ONCE).collect().await;
        let accepted = taken.into_iter().sum::<Result<usize>>()?;
        let duplicates = sent - accepted;
        let count = |outcome: &'static str, events: usize| {
            metrics::counter!("outrigger_events_taken_total", "outcome" => outcome)
                .increment(events as u64);
        };
        count("accepted", accepted);
        count("duplicate", duplicates);
        Ok(Taken { accepted, duplicates })
    }

    /// Takes those of these events whose ids are not known; how many that were.
    async fn take(&self, mut events: Vec<Event>, now: Timestamp) -> Result<usize> {
        for _ in 0..TRIES {
            if events.is_empty() {
                return Ok(0);
            }
            match self.store.commit(self.batch(&events, now)?).await {
                Ok(_) => return Ok(events.len()),
                Err(StoreError::Precondition { .. }) => self.forget_known(&mut events).await?,
                Err(error) => return Err(error.into()),
            }
        }
        Err(Error::conflict("concurrent_change", "the same events are sent by others at this time"))
    }

    /// A chunk of these events, on the condition that none of their ids is known.
    fn batch(&self, events: &[Event], now: Timestamp) -> Result<Batch> {
        let known = events.iter().map(|event| Write::Put {
            key: Collection::<Known>::key(&event.id),
            body: Bytes::from_static(b"{}"),
            entries: Vec::new(),
            expires_at: Some(event.known_until),
            precondition: Precondition::Absent,
        });
        let mut batch = Batch::of(known);
        let waiting = events.iter().map(|event| event.waiting.clone()).collect();
        let chunk = Chunk { taken_at: now, events: waiting };
        let id = self.ids.new_id("chk");
        batch.writes.push(Collection::put(&id, &chunk, Precondition::Absent)?);
        Ok(batch)
    }

    /// Leaves out the events whose ids are known.
    async fn forget_known(&self, events: &mut Vec<Event>) -> Result<()> {
        let keys: Vec<_> = events.iter().map(|e| Collection::<Known>::key(&e.id)).collect();
        let mut known = self.store.get_many(&keys).await?.into_iter();
        events.retain(|_| matches!(known.next(), Some(None)));
        Ok(())
    }
}
