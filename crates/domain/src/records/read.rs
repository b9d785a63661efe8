//! Reading one record: from the cache to the socket without parsing it.

use std::time::Duration;

use bytes::Bytes;
use outrigger_kernel::{Ctx, Error, Result, id};
use outrigger_ports::cached;
use outrigger_ports::store::Key;

use super::definition::Compiled;
use super::envelope::Packed;
use super::etag::ETag;
use super::rules;
use super::service::{Records, cache_key};
use crate::rule::Rule;

/// Where an answer came from; becomes `Cache-Status` (RFC 9211).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Source {
    /// The cache.
    Cache,
    /// The store; the cache has it now, too.
    StoreThenCached,
    /// The store; the cache did not take it.
    Store,
    /// The store, past the cache: it is off, away, or a writer holds the record.
    StoreAlone,
}

impl From<cached::Source> for Source {
    fn from(source: cached::Source) -> Self {
        match source {
            cached::Source::Hit => Self::Cache,
            cached::Source::Miss { stored: true } => Self::StoreThenCached,
            cached::Source::Miss { stored: false } => Self::Store,
            cached::Source::Bypass => Self::StoreAlone,
        }
    }
}

/// A record that was read.
#[derive(Clone, Debug)]
pub struct Fetched {
    /// Its entity tag.
    pub etag: ETag,
    /// The record as JSON, for the wire.
    pub json: Bytes,
    /// Where it came from.
    pub source: Source,
}

/// What the cache had of a record, asked while it was being found out who asks.
#[derive(Debug, Default)]
pub struct Ahead(Option<(String, Packed)>);

impl Records {
    /// Asks the cache for a record that is about to be read. Nobody is told of it but
    /// [`Self::read_on`].
    pub async fn look_ahead(&self, collection: &str, record_id: &str) -> Ahead {
        let Ok(compiled) = self.definitions.get(collection).await else { return Ahead(None) };
        if compiled.definition.input.cache_ttl_s == 0 || !id::is_valid_name(record_id) {
            return Ahead(None);
        }
        let key = cache_key(&compiled, record_id);
        let found = self.cache.ahead(&key).await.and_then(Packed::from_cache);
        Ahead(found.map(|packed| (key, packed)))
    }

    /// Reads a record.
    ///
    /// # Errors
    /// `not_found`, what the rule `read` says.
    pub async fn read(&self, ctx: &Ctx, collection: &str, record_id: &str) -> Result<Fetched> {
        self.read_on(ctx, collection, record_id, Ahead::default()).await
    }

    /// Reads a record for which the cache was asked ahead.
    ///
    /// # Errors
    /// As [`Self::read`].
    pub async fn read_on(
        &self,
        ctx: &Ctx,
        collection: &str,
        record_id: &str,
        ahead: Ahead,
    ) -> Result<Fetched> {
        let compiled = self.definitions.get(collection).await?;
        let rule = &compiled.definition.input.rules.read;
        if *rule == Rule::Owner && !ctx.is_admin() {
            ctx.require_user()?; // The owner is known only once the record is read.
        } else {
            rules::check(rule, ctx, None)?;
        }
        if !id::is_valid_name(record_id) {
            return Err(Error::not_found("record"));
        }
        let (packed, source) = self.fetch(&compiled, record_id, ahead).await?;
        if *rule == Rule::Owner {
            rules::check(rule, ctx, packed.owner())?;
        }
        Ok(Fetched { etag: packed.etag(), json: packed.json(), source })
    }

    async fn fetch(
        &self,
        compiled: &Compiled,
        record_id: &str,
        ahead: Ahead,
    ) -> Result<(Packed, Source)> {
        let ttl = Duration::from_secs(compiled.definition.input.cache_ttl_s.into());
        if !ttl.is_zero() {
            let key = cache_key(compiled, record_id);
            if let Some((_, packed)) = ahead.0.filter(|(asked, _)| *asked == key) {
                return Ok((packed, Source::Cache));
            }
            let load = async { Ok(self.load(compiled, record_id).await?.map(|p| p.bytes())) };
            let found = self.cache.read(&key, ttl, load).await?;
            let (bytes, source) = found.ok_or_else(|| Error::not_found("record"))?;
            if let Some(packed) = Packed::from_cache(bytes) {
                return Ok((packed, source.into()));
            }
        }
        let packed = self.load(compiled, record_id).await?;
        Ok((packed.ok_or_else(|| Error::not_found("record"))?, Source::StoreAlone))
    }

    async fn load(&self, compiled: &Compiled, record_id: &str) -> Result<Option<Packed>> {
        let key = Key::new(&compiled.store_collection, record_id);
        let document = self.store.get(&key).await?;
        document.map(|document| Packed::pack(&compiled.name, &document)).transpose()
    }
}
