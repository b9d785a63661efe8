//! What the tests of the domain stand on: embedded adapters and a clock that they move.

use std::sync::Arc;

use outrigger_embedded::{
    MemoryBlobs, MemoryCache, MemoryLimiter, MemoryStore, Recorder, StoreQueue,
};
use outrigger_kernel::{Actor, Ctx, ManualClock, PageRequest, Role, SystemRandom, Timestamp};
use outrigger_ports::cached::CacheAside;

use super::service::Audit;
use crate::ports::Ports;

/// One store, one cache and one limiter, as several replicas would share them.
#[derive(Debug)]
pub(crate) struct World {
    pub(crate) ports: Ports,
    pub(crate) clock: Arc<ManualClock>,
}

impl World {
    /// An empty one.
    pub(crate) fn new() -> Self {
        let clock = Arc::new(ManualClock::at(Timestamp::from_secs(1_800_000_000)));
        let random = Arc::new(SystemRandom);
        let cache = Arc::new(MemoryCache::new(1 << 20, clock.clone()));
        let store = Arc::new(MemoryStore::new(clock.clone()));
        let queue = Arc::new(StoreQueue::new(store.clone(), clock.clone(), random.clone()));
        let ports = Ports {
            queue: queue.clone(),
            board: queue,
            store,
            cache: Arc::new(CacheAside::new(cache, random.clone())),
            blobs: Arc::new(MemoryBlobs::default()),
            http: Arc::new(Recorder::default()),
            mailer: Arc::new(Recorder::default()),
            limiter: Arc::new(MemoryLimiter::new(clock.clone())),
            clock: clock.clone(),
            random,
        };
        Self { ports, clock }
    }
}

/// The context of a request by this user.
pub(crate) fn user_ctx(id: &str, session: &str, role: &Role) -> Ctx {
    let actor = Actor::User { id: id.into(), role: role.clone(), session: session.into() };
    Ctx { actor, ..anonymous_ctx("198.51.100.7") }
}

/// The context of a request by nobody, from this address.
pub(crate) fn anonymous_ctx(address: &str) -> Ctx {
    Ctx {
        actor: Actor::Anonymous,
        request_id: "req-test".into(),
        address: address.parse().ok(),
        deadline: None,
        trace: None,
    }
}

/// What the audit log says was done, by the alphabet: entries of one instant have no order.
pub(crate) async fn actions(world: &World) -> Vec<String> {
    let page = PageRequest { limit: 100, cursor: None };
    let audit = Audit::new(&world.ports);
    let entries = audit.list(&Ctx::system("req-test"), &page).await.expect("the log").items;
    let words = entries.iter().map(|entry| serde_json::to_value(entry.action));
    let words = words.map(|word| word.expect("a word").as_str().unwrap_or_default().to_owned());
    let mut words: Vec<String> = words.collect();
    words.sort_unstable();
    words
}
