//! Defining, reading and deleting collections; for administrators.

use outrigger_kernel::{Ctx, Error, Page, PageRequest, Result, limits};
use outrigger_ports::collection::{Collection, Stored};
use outrigger_ports::index_value;
use outrigger_ports::store::{Batch, Order, Precondition};
use serde_json::json;

use super::definition::{Compiled, validate};
use super::definitions::compile;
use super::model::{CollectionInput, CollectionView, Definition, Purge, Reindex};
use super::service::{Records, too_contended};
use crate::audit::{Action, Change};
use crate::cursor::List;

const TRIES: usize = 8;

impl Records {
    /// Defines the collection, anew or differently; says whether it is new.
    ///
    /// Records that are there are kept. When the indexes change, they are re-indexed in the
    /// background; indexes that stay go on serving, new ones serve when all records are in them.
    ///
    /// # Errors
    /// `unauthenticated`, `forbidden`, `invalid`, `conflict` (`too_many_collections`).
    pub async fn put_collection(
        &self,
        ctx: &Ctx,
        name: &str,
        input: CollectionInput,
    ) -> Result<(CollectionView, bool)> {
        ctx.require_admin()?;
        validate(name, &input)?;
        self.check_triggers(&input)?;
        for _ in 0..TRIES {
            let current = self.definitions.find(name).await?;
            let is_new = current.is_none();
            let precondition =
                current.as_ref().map_or(Precondition::Absent, |c| Precondition::Version(c.version));
            let before = current.as_ref().map(|current| current.value.clone());
            let definition = match current {
                Some(current) => self.changed(current, input.clone())?,
                None => self.first(name, input.clone()).await?,
            };
            let compiled = Compiled::new(name, 0, definition)?;
            let details = json!({"new": is_new});
            let change = Change::of(before.as_ref(), Some(&compiled.definition))?;
            let batch = Batch::of([
                Collection::put(name, &compiled.definition, precondition)?,
                self.audit.change(ctx, Action::CollectionChanged, name, change, details)?,
            ]);
            if self.commit(batch).await?.is_some() {
                self.definitions.changed(name);
                return Ok((compiled.view(), is_new));
            }
        }
        Err(too_contended())
    }

    /// A new collection: there are no records, so all of its indexes are ready.
    async fn first(&self, name: &str, input: CollectionInput) -> Result<Definition> {
        let (all, _) = self.definitions.page(None, limits::COLLECTIONS_MAX).await?;
        if all.len() >= limits::COLLECTIONS_MAX {
            let message = format!("there are {} collections already", limits::COLLECTIONS_MAX);
            return Err(Error::conflict("too_many_collections", message));
        }
        let now = self.clock.now();
        let definition = Definition {
            input,
            generation: self.ids.hex(8),
            created_at: now,
            updated_at: now,
            ready: Vec::new(),
            reindex: None,
        };
        let compiled = Compiled::new(name, 0, definition)?;
        let ready = compiled.indexes.iter().map(|index| index.store_name.clone()).collect();
        Ok(Definition { ready, ..compiled.definition })
    }

    /// The definition after a change, with the work that follows from it.
    fn changed(&self, current: Stored<Definition>, input: CollectionInput) -> Result<Definition> {
        let now = self.clock.now();
        let before = compile(current)?;
        let after = Compiled::new(
            &before.name,
            before.version,
            Definition { input, updated_at: now, ..before.definition.clone() },
        )?;
        let names = |compiled: &Compiled| {
            let mut names: Vec<String> =
                compiled.indexes.iter().map(|index| index.store_name.clone()).collect();
            names.sort();
            names
        };
        let failed = before.definition.reindex.as_ref().is_some_and(|r| r.error.is_some());
        let mut definition = after.definition.clone();
        if names(&before) != names(&after) || failed {
            definition.ready.retain(|name| names(&after).contains(name));
            definition.reindex = Some(Reindex {
                since: now,
                claim: None,
                records_done: 0,
                after: None,
                error: None,
            });
        }
        Ok(definition)
    }

    /// The collection.
    ///
    /// # Errors
    /// `unauthenticated`, `forbidden`, `not_found`.
    pub async fn get_collection(&self, ctx: &Ctx, name: &str) -> Result<CollectionView> {
        ctx.require_admin()?;
        let found = self.definitions.find(name).await?;
        Ok(compile(found.ok_or_else(|| Error::not_found("collection"))?)?.view())
    }

    /// All collections by name.
    ///
    /// # Errors
    /// `unauthenticated`, `forbidden`.
    pub async fn list_collections(
        &self,
        ctx: &Ctx,
        page: &PageRequest,
    ) -> Result<Page<CollectionView>> {
        ctx.require_admin()?;
        let list = List::of("collections");
        let (items, next) = self.definitions.page(list.after(page)?, page.limit).await?;
        Ok(Page { items, next_cursor: list.next(next) })
    }

    /// Deletes the collection. Its records are gone for clients at once, and from the store soon.
    ///
    /// # Errors
    /// `unauthenticated`, `forbidden`, `not_found`.
    pub async fn delete_collection(&self, ctx: &Ctx, name: &str) -> Result<()> {
        ctx.require_admin()?;
        for _ in 0..TRIES {
            let found = self.definitions.find(name).await?;
            let found = found.ok_or_else(|| Error::not_found("collection"))?;
            let expected = Precondition::Version(found.version);
            let change = Change::of(Some(&found.value), None)?;
            let compiled = compile(found)?;
            let collection = compiled.store_collection;
            let purge = Purge { collection, since: self.clock.now(), claim: None };
            let purge_id = compiled.definition.generation;
            let batch = Batch::of([
                Collection::<Definition>::delete(name, expected),
                Collection::put(&purge_id, &purge, Precondition::Any)?,
                self.audit.change(ctx, Action::CollectionDeleted, name, change, json!({}))?,
            ]);
            if self.commit(batch).await?.is_some() {
                self.definitions.changed(name);
                return Ok(());
            }
        }
        Err(too_contended())
    }

    /// Records of deleted collections that are still to be removed.
    pub(crate) async fn purges(&self, limit: usize) -> Result<Vec<Stored<Purge>>> {
        Ok(self.purges.list(Order::Id, index_value::all(), false, None, limit).await?.0)
    }
}
