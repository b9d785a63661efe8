//! Deletes what has expired: beside all other background work, which may be busy for long while thousands of
//! documents expire each second.

use std::sync::Arc;
use std::time::Duration;

use outrigger_ports::store::Store;

/// How long to pause when nothing was left.
const PAUSE: Duration = Duration::from_secs(1);
/// Documents deleted at once: for so long, on SQLite, writes of others wait.
const AT_ONCE: u32 = 500;

/// Runs until the process ends. Any number of processes may.
pub(crate) async fn run(store: Arc<dyn Store>) {
    loop {
        let pause = round(&*store).await;
        tokio::time::sleep(pause).await;
    }
}

/// Deletes some; how long to pause then.
async fn round(store: &dyn Store) -> Duration {
    let purged = store.purge_expired(AT_ONCE as usize).await.unwrap_or_else(|error| {
        tracing::warn!(source = %error, "what has expired could not be deleted; it is tried again");
        0
    });
    pause(u32::try_from(purged).unwrap_or(u32::MAX))
}

/// None after a full batch. What lacks in one that is not may have been deleted by others at the same time, so
/// the pause is no longer than what lacks.
fn pause(purged: u32) -> Duration {
    PAUSE * AT_ONCE.saturating_sub(purged) / AT_ONCE
}

#[cfg(test)]
mod tests {
    use super::*;
    use outrigger_kernel::{Clock, ManualClock, Timestamp};
    use outrigger_ports::store::{Batch, Key, MigrateMode, Precondition, Write};
    use outrigger_sql::{SqliteOptions, SqliteStore};
    use outrigger_testkit::TempDir;

    #[tokio::test]
    async fn there_is_no_pause_before_all_that_has_expired_is_gone() {
        const ROUNDS: u32 = 4;
        let folder = TempDir::new("purge").unwrap();
        let clock = Arc::new(ManualClock::at(Timestamp::from_secs(1_800_000_000)));
        let options = SqliteOptions::at(folder.join("db"));
        let store = SqliteStore::open(&options, clock.clone()).unwrap();
        store.migrate(MigrateMode::Apply { wait: PAUSE }).await.unwrap();
        let put = |n: u32| Write::Put {
            key: Key::new("c", n.to_string()),
            body: "1".into(),
            entries: Vec::new(),
            expires_at: Some(clock.now().plus(PAUSE)),
            precondition: Precondition::Any,
        };
        for n in (0..ROUNDS * AT_ONCE).step_by(20) {
            store.commit(Batch::of((n..n + 20).map(put))).await.unwrap();
        }
        assert_eq!(round(&store).await, PAUSE);
        clock.advance(PAUSE);
        for _ in 0..ROUNDS {
            assert_eq!(round(&store).await, Duration::ZERO);
        }
        assert_eq!(round(&store).await, PAUSE);
    }

    #[test]
    fn it_keeps_up_with_thousands_a_second_and_catches_up() {
        // Batches that take 50 ms, and what expires meanwhile; a million has waited.
        for each_second in [0, 100, 2_000, 8_000] {
            let (mut left, mut millis) = (1_000_000, 0);
            while millis < 600_000 {
                let batch = left.min(AT_ONCE);
                let took = 50 + pause(batch).as_millis();
                left = left - batch + u32::try_from(took * each_second / 1_000).unwrap();
                millis += took;
            }
            assert!(left <= 10 * AT_ONCE, "{each_second}: {left}");
        }
        // Half of a batch was deleted by others, who therefore do not pause.
        assert_eq!(pause(AT_ONCE / 2), PAUSE / 2);
    }
}
