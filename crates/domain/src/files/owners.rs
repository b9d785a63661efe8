//! Files go with their owners: of users who are known to be no more, and of those whose deletion nobody
//! has noted, because a version did it that did not know of this.

use std::ops::Bound;
use std::time::Duration;

use outrigger_kernel::{Ctx, Result};
use outrigger_ports::collection::Collection;
use outrigger_ports::index_value;
use outrigger_ports::store::{Batch, Order, Precondition};
use serde_json::json;

use super::model::{BY_OWNER, Walk};
use super::service::Files;
use crate::accounts::{self, Departed};
use crate::audit::Action;

/// Users whose files are removed in one round.
const OWNERS: usize = 10;
/// Files deleted in one batch, beside what is noted of them.
const FILES: usize = 8;
/// Files whose owners are looked at in one round.
const LOOKED_AT: usize = 50;
/// Pause between two walks through all owners.
const WALK_EVERY: Duration = Duration::from_secs(86_400);
/// The document of the walk.
const WALK: &str = "walk";

impl Files {
    /// Goes on with the walk through all owners of files, one page and one look at their users, and notes
    /// those who are no more: in a batch that holds only if there is no such user. A file is made only
    /// while its user is there, so one that has none has lost it.
    pub(super) async fn look_for_departed(&self) -> Result<()> {
        let (now, walk) = (self.clock.now(), self.walks.find(WALK).await?);
        if walk.as_ref().is_some_and(|walk| walk.value.at > now) {
            return Ok(());
        }
        let before =
            walk.as_ref().map_or(Precondition::Absent, |it| Precondition::Version(it.version));
        let after = walk.and_then(|walk| walk.value.after);
        // All files of one owner are passed over with the first of them.
        let start = after
            .as_deref()
            .map_or(Bound::Unbounded, |owner| Bound::Excluded(index_value::of_str(owner)));
        let (order, range) = (Order::Index(BY_OWNER), (start, Bound::Unbounded));
        let (files, _) = self.stored.list(order, range, false, None, LOOKED_AT).await?;
        let is_last = files.len() < LOOKED_AT;
        let mut owners: Vec<_> = files.into_iter().filter_map(|file| file.value.owner).collect();
        owners.dedup();
        for owner in accounts::of_nobody(&**self.stored.store(), &owners).await? {
            if self.commit(Batch::of(Departed::note_late(&owner, now)?)).await? {
                tracing::info!(user.id = owner, "files of a user who was deleted are removed");
            }
        }
        let walk = match is_last {
            true => Walk { after: None, at: now.plus(WALK_EVERY) },
            false => Walk { after: owners.pop(), at: now.plus(self.sweep_every()) },
        };
        // If another process was quicker it has looked at the same ones.
        self.commit(Batch::of([Collection::put(WALK, &walk, before)?])).await?;
        Ok(())
    }

    /// Deletes files of users who were deleted; says whether there are more such users. Their blobs are
    /// then due.
    pub(super) async fn sweep_owners(&self) -> Result<bool> {
        let owners = Departed::some(&self.departed, OWNERS).await?;
        for owner in &owners {
            while self.delete_some(owner).await? {}
            self.commit(Batch::of([Departed::forget(owner)])).await?;
        }
        Ok(owners.len() == OWNERS)
    }

    /// Deletes some files of this user, with an entry of the audit log; says whether there were any.
    async fn delete_some(&self, owner: &str) -> Result<bool> {
        let (order, range) =
            (Order::Index(BY_OWNER), index_value::exactly(index_value::of_str(owner)));
        let (files, _) = self.stored.list(order, range, false, None, FILES).await?;
        if files.is_empty() {
            return Ok(false);
        }
        let ids: Vec<&str> = files.iter().map(|file| file.id.as_str()).collect();
        let (ctx, details) = (Ctx::system("files.sweep"), json!({ "files": ids }));
        let told = self.audit.entry(&ctx, Action::FilesDeleted, Some(owner), details)?;
        let mut batch = Batch::of([told]);
        for file in &files {
            batch.writes.extend(self.deletion(file)?);
        }
        // Somebody else may be at it, or an administrator has deleted one: it is looked again.
        if self.commit(batch).await? {
            // While their addresses can be used it is looked again; what is there goes now.
            for file in files.iter().filter(|file| file.value.signed_until.is_some()) {
                self.discard(&file.id, false).await;
            }
        }
        Ok(true)
    }
}
