//! Background work of a serving process that needs no queue: re-indexing, linking entries of the audit log,
//! deleting blobs that belong to no file, counting events, and keeping up with the signing keys and with what
//! other processes could not tell the cache.

use std::sync::Arc;
use std::time::Duration;

use outrigger_domain::Services;
use outrigger_domain::analytics::Analytics;
use outrigger_domain::files::Files;
use outrigger_kernel::{Random, id};
use outrigger_ports::cached::CacheAside;

/// How long to pause when there was nothing to do.
const PAUSE: Duration = Duration::from_secs(1);
/// How often it is looked for writes that the cache has not heard of.
const LOOK: Duration = Duration::from_millis(300);
/// How often a process without a worker does what time demands of the queue.
pub(crate) const TEND: Duration = Duration::from_secs(1);
/// How often a process that counts no events tells for how long they have waited.
const TELL: Duration = Duration::from_secs(5);

/// Runs until the process ends. Any number of processes may.
pub(crate) async fn run(services: Services, random: Arc<dyn Random>) {
    let name = name(&*random);
    loop {
        if let Err(error) = services.auth.prepare_keys().await {
            tracing::warn!(source = %error, "the signing keys could not be read; it is tried again");
        }
        let unlinked = services.audit_chain.extend().await;
        let reindexed = services.records.upkeep(&name).await;
        let busy = match (unlinked, reindexed) {
            (Ok(unlinked), Ok(reindexed)) => unlinked || reindexed,
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

/// Removes blobs that belong to no file, until the process ends. Beside [`run`]: a storage that hangs
/// holds up nothing else.
pub(crate) async fn sweep_files(files: Files) {
    loop {
        let has_more = files.sweep().await.unwrap_or_else(|error| {
            tracing::warn!(source = %error, "files could not be swept; it is tried again");
            false
        });
        if !has_more {
            tokio::time::sleep(files.sweep_every()).await;
        }
    }
}

/// Counts events until the process ends. Any number of processes may; one of them does.
pub(crate) async fn count_events(analytics: Analytics, random: Arc<dyn Random>) {
    let mut counter = analytics.counter(&name(&*random));
    loop {
        let has_more = counter.round().await.unwrap_or_else(|error| {
            tracing::warn!(source = %error, "events could not be counted; it is tried again");
            false
        });
        if !has_more {
            tokio::time::sleep(PAUSE).await;
        }
    }
}

/// Tells for how long events have waited to be counted, until the process ends: where no process counts,
/// somebody has to.
pub(crate) async fn tell_events_lag(analytics: Analytics) {
    loop {
        if let Err(error) = analytics.tell_lag().await {
            tracing::debug!(source = %error, "how long events have waited is not known");
        }
        tokio::time::sleep(TELL).await;
    }
}

/// A name that no other process has.
fn name(random: &dyn Random) -> String {
    let mut name = [0_u8; 8];
    random.fill(&mut name);
    id::hex(&name)
}

/// Keeps up with writes that other processes could not announce to the cache, until the process
/// ends. Beside [`run`], which may be busy for long.
pub(crate) async fn keep_current(cache: Arc<CacheAside>) {
    loop {
        if let Err(error) = cache.look().await {
            tracing::debug!(source = %error, "sessions are read from the store until it answers");
        }
        tokio::time::sleep(LOOK).await;
    }
}
