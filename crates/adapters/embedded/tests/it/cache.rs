//! The cache in memory passes the suite of its port.

use std::sync::Arc;

use outrigger_conformance::cache::Opened;
use outrigger_embedded::MemoryCache;
use outrigger_kernel::SystemClock;
use outrigger_ports::cache::Cache;

async fn open() -> Opened {
    let cache: Arc<dyn Cache> = Arc::new(MemoryCache::new(64 << 20, Arc::new(SystemClock)));
    Opened::many(vec![cache.clone(), cache], ())
}

outrigger_conformance::cache_suite!(open);
