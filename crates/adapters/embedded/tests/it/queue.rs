//! The queue on the store in memory passes the suite of its port.

use std::sync::Arc;
use std::time::Duration;

use outrigger_conformance::queue::{Instance, Opened};
use outrigger_embedded::{MemoryStore, StoreQueue};
use outrigger_kernel::{ManualClock, SystemRandom, Timestamp};

/// Two processes on one store: they share nothing else.
async fn open() -> Opened {
    let clock = Arc::new(ManualClock::at(Timestamp::from_secs(1_800_000_000)));
    let store = Arc::new(MemoryStore::new(clock.clone()));
    let queue = || {
        StoreQueue::new(store.clone(), clock.clone(), Arc::new(SystemRandom))
            .polling(Duration::from_millis(5))
    };
    Opened {
        instances: vec![Instance::of(queue()), Instance::of(queue())],
        store: store.clone(),
        clock: Some(clock),
        keep: Box::new(()),
    }
}

outrigger_conformance::queue_suite!(open, manual);
