//! Background work of a serving process that needs no queue: re-indexing, deleting what has
//! expired, and keeping up with the signing keys.

use std::sync::Arc;
use std::time::Duration;

use outrigger_domain::Services;
use outrigger_kernel::{Error, Random, id};
use outrigger_ports::store::Store;

/// How long to pause when there was nothing to do.
const PAUSE: Duration = Duration::from_secs(1);
/// Expired documents deleted in one round.
const PURGE: usize = 500;

/// Runs until the process ends. Any number of processes may.
pub(crate) async fn run(services: Services, store: Arc<dyn Store>, random: Arc<dyn Random>) {
    let mut name = [0_u8; 8];
    random.fill(&mut name);
    let name = id::hex(&name);
    loop {
        if let Err(error) = services.auth.prepare_keys().await {
            tracing::warn!(source = %error, "the signing keys could not be read; it is tried again");
        }
        let reindexed = services.records.upkeep(&name).await;
        let purged = store.purge_expired(PURGE).await.map_err(Error::from);
        let busy = match (reindexed, purged) {
            (Ok(reindexed), Ok(purged)) => reindexed || purged == PURGE,
            (Err(error), _) | (_, Err(error)) => {
                tracing::warn!(source = %error, "background work could not go on; it is tried again");
                false
            }
        };
        if !busy {
            tokio::time::sleep(PAUSE).await;
        }
    }
}
