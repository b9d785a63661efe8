//! The suite of the store port, with two handles as of two processes.

use std::sync::Arc;

use outrigger_conformance::store::Opened;
use outrigger_embedded::MemoryStore;
use outrigger_kernel::Clock;
use outrigger_testkit::MongoDb;

use crate::support::opened;

async fn open(clock: Arc<dyn Clock>) -> Opened {
    opened(&MongoDb::shared().unwrap().fresh_url(), clock).await
}

outrigger_conformance::store_suite!(
    open,
    model = |clock| Arc::new(MemoryStore::new(clock)),
    histories = 24,
);
