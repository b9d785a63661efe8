//! The suite of the store port, with two handles as of two processes.

use std::sync::Arc;

use outrigger_conformance::store::Opened;
use outrigger_embedded::MemoryStore;
use outrigger_kernel::Clock;

use super::target::Target;
use crate::support;

async fn open(clock: Arc<dyn Clock>) -> Opened {
    let target = Target::fresh();
    let opened = support::opened(&target.url, clock).await;
    Opened::many(opened.handles, target)
}

outrigger_conformance::store_suite!(
    open,
    model = |clock| Arc::new(MemoryStore::new(clock)),
    histories = 48,
);
