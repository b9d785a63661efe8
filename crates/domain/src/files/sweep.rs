//! Removing blobs that belong to no file: of uploads that nobody goes on with, and of files whose
//! deletion was cut off.

use std::time::Duration;

use outrigger_kernel::Result;
use outrigger_ports::collection::{Collection, Stored};
use outrigger_ports::index_value;
use outrigger_ports::store::{Batch, Order, Precondition};

use super::model::{BY_END, Loose, key};
use super::service::Files;

/// Removed in one round.
const ROUND: usize = 50;

/// The longest pause between two looks.
const PAUSE_MAX: Duration = Duration::from_secs(60);

impl Files {
    /// How long to pause between two looks: a small part of what an upload is waited for.
    pub fn sweep_every(&self) -> Duration {
        (self.settings.unfinished / 10).min(PAUSE_MAX)
    }

    /// Does one round; says whether there may be more at once. Any process may.
    ///
    /// # Errors
    /// `unavailable`.
    pub async fn sweep(&self) -> Result<bool> {
        let order = Order::Index(BY_END);
        let (_, end) = index_value::exactly(index_value::of_time(self.clock.now()));
        let due = (std::ops::Bound::Unbounded, end);
        let (due, _) = self.loose.list(order, due, false, None, ROUND).await?;
        let is_full = due.len() == ROUND;
        for note in due {
            self.remove(note).await?;
        }
        Ok(is_full)
    }

    async fn remove(&self, note: Stored<Loose>) -> Result<()> {
        if !note.value.doomed {
            // First nobody can make a file of it any more; then it goes.
            let doomed = Loose { doomed: true, ..note.value };
            let write = Collection::put(&note.id, &doomed, Precondition::Version(note.version))?;
            if !self.commit(Batch::of([write])).await? {
                return Ok(());
            }
        }
        let was_there = self.blobs.delete(&key(&note.id)).await?;
        if was_there {
            metrics::counter!("outrigger_files_swept_total").increment(1);
            tracing::info!(file.id = note.id, "a blob that belongs to no file was removed");
        }
        let forget = Collection::<Loose>::delete(&note.id, Precondition::Any);
        self.commit(Batch::of([forget])).await?;
        Ok(())
    }
}
