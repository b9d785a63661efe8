//! Writing one record: what creating, replacing and patching share.

use bytes::Bytes;
use outrigger_kernel::{Ctx, Error, ErrorKind, Result, Timestamp, limits};
use outrigger_ports::store::{Batch, Document, Key, Precondition, Write};
use serde_json::Value;
use std::time::Duration;

use super::definition::Compiled;
use super::envelope::{self, Head};
use super::etag::{ETag, Preconditions};
use super::field::Meta;
use super::rules;
use super::service::{Records, cache_key, too_contended};
use super::triggers::Change;

/// How often a write is tried when others are quicker.
const TRIES: usize = 8;

/// A record that was written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Saved {
    /// Its id.
    pub id: String,
    /// Its entity tag, as it is sent.
    pub etag: String,
    /// The record as JSON, for the wire.
    pub json: Bytes,
    /// Whether it was not there before.
    pub is_new: bool,
}

/// A record about to be written.
pub(crate) struct Draft<'a> {
    pub(crate) id: &'a str,
    pub(crate) created_at: Timestamp,
    pub(crate) updated_at: Timestamp,
    pub(crate) created_by: Option<&'a str>,
    pub(crate) data: &'a Value,
}

impl<'a> Draft<'a> {
    /// The record after `head`, or a new one.
    pub(crate) fn next(
        id: &'a str,
        head: Option<&'a Head>,
        ctx: &'a Ctx,
        now: Timestamp,
        data: &'a Value,
    ) -> Self {
        match head {
            // A clock that went back must not make two states look like one.
            Some(head) => Self {
                id,
                created_at: head.created_at,
                updated_at: now.max(head.updated_at.plus(Duration::from_micros(1))),
                created_by: head.created_by.as_deref(),
                data,
            },
            None => Self { id, created_at: now, updated_at: now, created_by: ctx.user_id(), data },
        }
    }

    /// The write, after all checks; and the stored text.
    pub(crate) fn write(
        &self,
        compiled: &Compiled,
        precondition: Precondition,
    ) -> Result<(Write, Bytes)> {
        compiled.check_data(self.data)?;
        let Self { id, created_at, updated_at, created_by, .. } = *self;
        let meta = Meta { id, created_at, updated_at, created_by };
        let entries = compiled.entries(&meta, self.data)?;
        let body = envelope::body(created_at, updated_at, created_by, self.data)?;
        if body.len() > limits::RECORD_DATA_BYTES_MAX {
            let most =
                format!("the data of a record has at most {} bytes", limits::RECORD_DATA_BYTES_MAX);
            return Err(Error::new(ErrorKind::TooLarge, "record_too_large", most));
        }
        let key = Key::new(&compiled.store_collection, id);
        let write = Write::Put { key, body: body.clone(), entries, expires_at: None, precondition };
        Ok((write, body))
    }

    /// The answer, once it is committed with this version.
    pub(crate) fn saved(&self, compiled: &Compiled, version: u64, body: &[u8]) -> Saved {
        Saved {
            id: self.id.to_owned(),
            etag: ETag { version, updated_at: self.updated_at }.to_string(),
            json: envelope::render(&compiled.name, self.id, version, body),
            is_new: version == 1,
        }
    }
}

impl Records {
    /// Writes the record `id`: `next` makes its data from what is there. Tried again when somebody
    /// else was quicker, so that rules and preconditions hold of the very state that is replaced.
    pub(crate) async fn save(
        &self,
        ctx: &Ctx,
        compiled: &Compiled,
        id: &str,
        expected: &Preconditions,
        mut next: impl FnMut(Option<&Document>) -> Result<Value> + Send,
    ) -> Result<Saved> {
        let key = Key::new(&compiled.store_collection, id);
        let rules = &compiled.definition.input.rules;
        for _ in 0..TRIES {
            let current = self.store.get(&key).await?;
            let head = current.as_ref().map(envelope::head).transpose()?;
            match &head {
                Some(head) => rules::check(&rules.update, ctx, head.created_by.as_deref())?,
                None => rules::check(&rules.create, ctx, ctx.user_id())?,
            }
            expected.check_write(head.as_ref().map(Head::etag).as_ref())?;
            let data = next(current.as_ref())?;
            let draft = Draft::next(id, head.as_ref(), ctx, self.clock.now(), &data);
            let precondition =
                head.as_ref().map_or(Precondition::Absent, |h| Precondition::Version(h.version));
            let (write, body) = draft.write(compiled, precondition)?;
            let change = if head.is_some() { Change::Update } else { Change::Create };
            let version = head.as_ref().map_or(1, |head| head.version + 1);
            let mut staged =
                self.tasks.stage(self.triggered(ctx, compiled, change, version, &draft)?)?;
            let audited = self.audited(ctx, compiled, &write, current.as_ref())?;
            let mut batch = Batch::of(std::iter::once(write).chain(audited));
            batch.writes.append(&mut staged.writes);
            // What is not there is not cached, so only a change needs the cache held.
            let held = head.as_ref().map(|_| cache_key(compiled, id));
            let committed = self.commit_cached(held.as_slice(), batch).await?;
            if let Some(version) = committed.as_deref().and_then(<[u64]>::first) {
                self.tasks.committed(staged).await;
                return Ok(draft.saved(compiled, *version, &body));
            }
        }
        Err(too_contended())
    }
}
