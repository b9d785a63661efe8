//! Removing blobs that belong to no file: of uploads that nobody goes on with, of files whose deletion
//! was cut off, and, with their files, of users who are no more (`owners`).

use std::time::Duration;

use outrigger_kernel::Result;
use outrigger_ports::collection::{Collection, Stored};
use outrigger_ports::index_value;
use outrigger_ports::store::{Batch, Order, Precondition};

use super::model::{BY_END, Loose, key};
use super::service::Files;

/// Removed in one round.
const ROUND: usize = 50;
/// A round ends after so many blobs that cannot be deleted: each may have taken long.
const FAULTS_MAX: usize = 5;

/// The longest pause between two looks.
const PAUSE_MAX: Duration = Duration::from_secs(60);

impl Files {
    /// How long to pause between two looks: a small part of what an upload is waited for.
    pub fn sweep_every(&self) -> Duration {
        (self.settings.unfinished / 10).min(PAUSE_MAX)
    }

    /// Does one round; says whether there may be more at once. Any process may. A blob that cannot be
    /// deleted is told of, and tried again after those that were due with it.
    ///
    /// # Errors
    /// `unavailable` when the store is away.
    pub async fn sweep(&self) -> Result<bool> {
        self.look_for_departed().await?;
        let has_more_owners = self.sweep_owners().await?;
        let order = Order::Index(BY_END);
        let (_, end) = index_value::exactly(index_value::of_time(self.clock.now()));
        let due = (std::ops::Bound::Unbounded, end);
        let (due, _) = self.loose.list(order, due, false, None, ROUND).await?;
        let is_full = due.len() == ROUND;
        let mut faults = 0;
        for note in due {
            faults += usize::from(!self.remove(note).await?);
            if faults == FAULTS_MAX {
                return Ok(false);
            }
        }
        Ok(is_full || has_more_owners)
    }

    /// Says whether the blob is gone.
    async fn remove(&self, note: Stored<Loose>) -> Result<bool> {
        let (id, doomed) = (note.id, Loose { doomed: true, ..note.value.clone() });
        if !note.value.doomed {
            // First nobody can make a file of it any more; then it goes.
            let write = Collection::put(&id, &doomed, Precondition::Version(note.version))?;
            if !self.commit(Batch::of([write])).await? {
                return Ok(true);
            }
        }
        let removed = match doomed.begun {
            true => self.blobs.clear(&key(&id)).await,
            false => self.blobs.delete(&key(&id)).await,
        };
        match removed {
            Ok(was_there) => {
                if was_there {
                    metrics::counter!("outrigger_files_swept_total").increment(1);
                    tracing::info!(file.id = id, "a blob that belongs to no file was removed");
                }
                let forget = Collection::<Loose>::delete(&id, Precondition::Any);
                self.commit(Batch::of([forget])).await?;
                Ok(true)
            }
            Err(error) => {
                metrics::counter!("outrigger_files_sweep_failures_total").increment(1);
                tracing::warn!(
                    file.id = id,
                    source = %error,
                    "a blob that belongs to no file cannot be removed; it is tried again"
                );
                let until = self.clock.now().plus(self.sweep_every());
                let later = Collection::put(&id, &Loose { until, ..doomed }, Precondition::Exists)?;
                self.commit(Batch::of([later])).await?;
                Ok(false)
            }
        }
    }
}
