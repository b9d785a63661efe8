//! Makes and reads entries of the audit log.

use std::sync::Arc;

use outrigger_kernel::{Actor, Clock, Ctx, Ids, Page, PageRequest, Result};
use outrigger_ports::collection::Collection;
use outrigger_ports::index_value;
use outrigger_ports::store::{Batch, Order, Precondition, Write};
use serde_json::{Map, Value};

use super::model::{Action, Change, Entry, Outcome};
use crate::cursor::List;
use crate::ports::Ports;

/// The audit log.
#[derive(Clone, Debug)]
pub struct Audit {
    entries: Collection<Entry>,
    clock: Arc<dyn Clock>,
    ids: Ids,
}

impl Audit {
    /// The audit log in this store.
    pub fn new(ports: &Ports) -> Self {
        Self { entries: ports.collection(), clock: ports.clock.clone(), ids: ports.ids() }
    }

    /// The write that records a success, for the batch that makes the change. `details` must hold
    /// no secret; anything but an object is recorded as no details.
    pub fn entry(
        &self,
        ctx: &Ctx,
        action: Action,
        target: Option<&str>,
        details: Value,
    ) -> Result<Write> {
        self.entry_with(ctx, action, target, Outcome::Succeeded, details)
    }

    /// The write that records a change of something that is kept; as [`Audit::entry`].
    pub fn change(
        &self,
        ctx: &Ctx,
        action: Action,
        target: &str,
        change: Change,
        details: Value,
    ) -> Result<Write> {
        let mut entry = self.new_entry(ctx, action, Some(target), Outcome::Succeeded, details);
        change.tell(&mut entry);
        self.put(&entry)
    }

    /// The same of what others do without an entry: none unless an administrator does it.
    pub fn by_administrator(
        &self,
        ctx: &Ctx,
        action: Action,
        target: &str,
        change: Change,
        details: Value,
    ) -> Result<Option<Write>> {
        if !is_by_administrator(ctx) {
            return Ok(None);
        }
        self.change(ctx, action, target, change, details).map(Some)
    }

    /// The write that records an outcome; as [`Audit::entry`].
    pub fn entry_with(
        &self,
        ctx: &Ctx,
        action: Action,
        target: Option<&str>,
        outcome: Outcome,
        details: Value,
    ) -> Result<Write> {
        self.put(&self.new_entry(ctx, action, target, outcome, details))
    }

    fn put(&self, entry: &Entry) -> Result<Write> {
        Collection::put(&self.ids.new_id("aud"), entry, Precondition::Absent)
    }

    fn new_entry(
        &self,
        ctx: &Ctx,
        action: Action,
        target: Option<&str>,
        outcome: Outcome,
        details: Value,
    ) -> Entry {
        Entry {
            time: self.clock.now(),
            action,
            actor: ctx.actor_id().to_owned(),
            address: ctx.address,
            target: target.map(ToOwned::to_owned),
            outcome,
            request_id: ctx.request_id.to_string(),
            details: match details {
                Value::Object(details) => details,
                _ => Map::new(),
            },
            before: None,
            after: None,
            link: None,
        }
    }

    /// Records a success whose change was made elsewhere than in the store.
    ///
    /// # Errors
    /// `unavailable` when the store is away.
    pub async fn record(&self, ctx: &Ctx, action: Action, target: Option<&str>) -> Result<()> {
        let entry = self.entry(ctx, action, target, Value::Null)?;
        self.entries.store().commit(Batch::of([entry])).await?;
        Ok(())
    }

    /// A page of the log, the latest first. For administrators.
    ///
    /// # Errors
    /// `unauthenticated`, `forbidden`.
    pub async fn list(&self, ctx: &Ctx, page: &PageRequest) -> Result<Page<Entry>> {
        ctx.require_admin()?;
        let after = List::of("audit").after(page)?;
        let (found, next) =
            self.entries.list(Order::Id, index_value::all(), true, after, page.limit).await?;
        Ok(Page {
            items: found.into_iter().map(|stored| stored.value).collect(),
            next_cursor: List::of("audit").next(next),
        })
    }
}

/// Whether an administrator does it. Outrigger itself acts on behalf of somebody whose order is in the log.
pub(crate) fn is_by_administrator(ctx: &Ctx) -> bool {
    ctx.is_admin() && ctx.actor != Actor::System
}
