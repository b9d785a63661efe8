//! The model passes the suite that it is the measure of.

use std::sync::Arc;

use outrigger_conformance::store::Opened;
use outrigger_embedded::MemoryStore;
use outrigger_kernel::Clock;

async fn open(clock: Arc<dyn Clock>) -> Opened {
    Opened::one(MemoryStore::new(clock))
}

outrigger_conformance::store_suite!(open, model = |clock| Arc::new(MemoryStore::new(clock)));
