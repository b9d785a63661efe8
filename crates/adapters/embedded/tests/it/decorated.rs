//! The decorators of the ports change nothing that the suites can see.

use std::sync::Arc;
use std::time::Duration;

use outrigger_embedded::{MemoryCache, MemoryLimiter, MemoryStore};
use outrigger_kernel::{Clock, SystemClock, SystemRandom};
use outrigger_ports::layered::{
    Breaker, FallbackLimiter, GuardedCache, LeasedLimiter, MeteredStore,
};

const PATIENCE: Duration = Duration::from_secs(10);

fn breaker() -> Arc<Breaker> {
    Arc::new(Breaker::new("test", Arc::new(SystemClock), Arc::new(SystemRandom)))
}

mod guarded_cache {
    use super::*;
    use outrigger_conformance::cache::Opened;

    async fn open() -> Opened {
        let inner = Arc::new(MemoryCache::new(64 << 20, Arc::new(SystemClock)));
        let guarded = || Arc::new(GuardedCache::new(inner.clone(), breaker()));
        Opened::many(vec![guarded(), guarded()], ())
    }

    outrigger_conformance::cache_suite!(open);
}

mod limiters {
    use super::*;
    use outrigger_conformance::limiter::Opened;

    async fn open() -> Opened {
        let clock = Arc::new(SystemClock);
        let shared = Arc::new(MemoryLimiter::new(clock.clone()));
        let layered = || {
            let leased = Arc::new(LeasedLimiter::new(shared.clone(), clock.clone()));
            let local = Arc::new(MemoryLimiter::new(clock.clone()));
            Arc::new(FallbackLimiter::new(leased, local, breaker(), PATIENCE))
        };
        Opened::many(vec![layered(), layered()], ())
    }

    outrigger_conformance::limiter_suite!(open);
}

mod metered_store {
    use super::*;
    use outrigger_conformance::store::Opened;

    async fn open(clock: Arc<dyn Clock>) -> Opened {
        Opened::one(MeteredStore::new(Arc::new(MemoryStore::new(clock))))
    }

    outrigger_conformance::store_suite!(open, model = |clock| Arc::new(MemoryStore::new(clock)));
}
