//! Commits that have met others at the same documents go one after the other within a handle.
//!
//! A commit waits for nobody until it was late once. Then it takes the turns of its documents, in a
//! fixed order, and keeps them to its end; whoever comes meanwhile waits for its own. So many who
//! want the same are served in the order of their coming, instead of defeating each other.

use std::collections::BTreeSet;
use std::hash::{BuildHasher, RandomState};
use std::sync::Arc;

use tokio::sync::{Mutex, OwnedMutexGuard};

use crate::store::{Batch, Write};

/// Documents share this many turns: it costs little when two that have nothing to do with each other
/// wait for one another.
const TURNS: usize = 512;

/// The turns of a handle.
#[derive(Debug)]
pub struct Turns {
    all: Vec<Arc<Mutex<()>>>,
    hasher: RandomState,
}

impl Default for Turns {
    fn default() -> Self {
        Self { all: (0..TURNS).map(|_| Arc::default()).collect(), hasher: RandomState::new() }
    }
}

impl Turns {
    /// Whether somebody has the turn of one of the documents.
    pub fn are_taken(&self, batch: &Batch) -> bool {
        self.places(batch).into_iter().any(|place| self.all[place].try_lock().is_err())
    }

    /// Waits for the turns of all documents of the batch.
    pub async fn take(&self, batch: &Batch) -> Vec<OwnedMutexGuard<()>> {
        let mut turns = Vec::new();
        for place in self.places(batch) {
            turns.push(Arc::clone(&self.all[place]).lock_owned().await);
        }
        turns
    }

    fn places(&self, batch: &Batch) -> BTreeSet<usize> {
        let place = |write: &Write| {
            let hash = self.hasher.hash_one(write.key());
            usize::try_from(hash % TURNS as u64).unwrap_or_default()
        };
        batch.writes.iter().map(place).collect()
    }
}
