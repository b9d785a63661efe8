//! The service: what its operations stand on.

use std::sync::Arc;
use std::time::Duration;

use outrigger_kernel::{Clock, Ctx, Error, Ids, Result, id};
use outrigger_ports::blobs::Blobs;
use outrigger_ports::collection::{Collection, Stored};
use outrigger_ports::store::{Batch, Precondition, StoreError, Write};
use serde_json::json;

use super::media_type::MediaRange;
use super::model::{File, Loose, Walk, key};
use crate::accounts::{self, Departed};
use crate::audit::{Action, Audit, Change};
use crate::idempotency::Idempotency;
use crate::ports::Ports;
use crate::rule::Rule;

/// What can be set about files.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Largest file, in bytes.
    pub size_bytes_max: u64,
    /// The types that are taken; none: all.
    pub types: Vec<MediaRange>,
    /// Who may upload.
    pub create: Rule,
    /// What an upload has begun to write is removed when it has not gone on for so long.
    pub unfinished: Duration,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            size_bytes_max: 1024 * 1024 * 1024,
            types: Vec::new(),
            create: Rule::User,
            unfinished: Duration::from_secs(3_600),
        }
    }
}

/// The sweep has taken the upload for one that nobody goes on with.
pub(super) fn given_up() -> Error {
    let message = "the upload did not go on for too long and was given up; begin it again";
    Error::conflict("upload_given_up", message)
}

/// Files of users.
#[derive(Clone, Debug)]
pub struct Files {
    pub(super) stored: Collection<File>,
    pub(super) loose: Collection<Loose>,
    pub(super) departed: Collection<Departed>,
    pub(super) walks: Collection<Walk>,
    pub(super) blobs: Arc<dyn Blobs>,
    pub(super) idempotency: Idempotency,
    pub(super) audit: Audit,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) ids: Ids,
    pub(super) settings: Settings,
}

impl Files {
    /// Files in these blobs and this store.
    pub fn new(ports: &Ports, audit: Audit, settings: Settings) -> Self {
        Self {
            stored: ports.collection(),
            loose: ports.collection(),
            departed: ports.collection(),
            walks: ports.collection(),
            blobs: ports.blobs.clone(),
            idempotency: Idempotency::new(ports),
            audit,
            clock: ports.clock.clone(),
            ids: ports.ids(),
            settings,
        }
    }

    /// Largest file, in bytes.
    pub fn size_bytes_max(&self) -> u64 {
        self.settings.size_bytes_max
    }

    /// The file, whoever asks.
    ///
    /// # Errors
    /// `not_found`.
    pub(super) async fn find(&self, id: &str) -> Result<Stored<File>> {
        if !id::is_valid_name(id) {
            return Err(Error::not_found("file"));
        }
        self.stored.get(id).await
    }

    /// Commits; `false` when a precondition does not hold.
    pub(super) async fn commit(&self, batch: Batch) -> Result<bool> {
        match self.stored.store().commit(batch).await {
            Ok(_) => Ok(true),
            Err(StoreError::Precondition { .. }) => Ok(false),
            Err(error) => Err(error.into()),
        }
    }

    /// The entry that tells of a file; none when no administrator makes or deletes it.
    pub(super) fn audited(
        &self,
        ctx: &Ctx,
        id: &str,
        before: Option<&File>,
        after: Option<&File>,
    ) -> Result<Option<Write>> {
        let action = if after.is_some() { Action::FileCreated } else { Action::FileDeleted };
        let owner = before.or(after).and_then(|file| file.owner.as_deref());
        let change = Change::of(before, after)?;
        self.audit.by_administrator(ctx, action, id, change, json!({"owner": owner}))
    }

    /// The writes that make a file of what the note of this version is about, unless its owner was
    /// deleted meanwhile.
    pub(super) fn creation(
        &self,
        ctx: &Ctx,
        id: &str,
        file: &File,
        version: u64,
    ) -> Result<Vec<Write>> {
        let mut writes = vec![
            Collection::put(id, file, Precondition::Absent)?,
            Collection::<Loose>::delete(id, Precondition::Version(version)),
        ];
        writes.extend(file.owner.as_deref().map(accounts::must_exist));
        writes.extend(self.audited(ctx, id, None, Some(file))?);
        Ok(writes)
    }

    /// Why [`Files::creation`] was refused for this owner.
    pub(super) async fn refusal(&self, owner: Option<&str>) -> Error {
        let owner: Vec<_> = owner.map(ToOwned::to_owned).into_iter().collect();
        match accounts::of_nobody(&**self.stored.store(), &owner).await {
            Err(error) => error,
            Ok(gone) if gone.is_empty() => given_up(),
            Ok(_) => {
                let message = "the account that the file would belong to was deleted meanwhile";
                Error::conflict("owner_deleted", message)
            }
        }
    }

    /// The writes that delete a file and leave its blob to be removed.
    pub(super) fn deletion(&self, file: &Stored<File>) -> Result<[Write; 2]> {
        let now = self.clock.now();
        let until = file.value.signed_until.map_or(now, |until| until.max(now));
        let note = Loose { until, doomed: true, begun: false, promised: None };
        Ok([
            Collection::<File>::delete(&file.id, Precondition::Version(file.version)),
            Collection::put(&file.id, &note, Precondition::Any)?,
        ])
    }

    /// Removes the blob of what was given up, and the note of it unless it says to look again later.
    /// What cannot be done now is done by the sweep.
    pub(super) async fn discard(&self, id: &str, is_final: bool) {
        let removed = self.blobs.delete(&key(id)).await;
        if removed.is_ok() && is_final {
            self.forget(id).await;
        }
    }

    /// Takes away the note of a blob that is gone. If that cannot be done now, the sweep does it.
    pub(super) async fn forget(&self, id: &str) {
        let forget = Collection::<Loose>::delete(id, Precondition::Any);
        let _ = self.commit(Batch::of([forget])).await;
    }
}
