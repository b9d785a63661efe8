//! The suite of the store port, with two handles as of two processes.

use std::sync::Arc;

use outrigger_conformance::store::Opened;
use outrigger_embedded::MemoryStore;
use outrigger_kernel::Clock;
use outrigger_ports::store::Store;
use outrigger_testkit::DynamoDb;

use crate::support::{APPLY, connect};

async fn open(clock: Arc<dyn Clock>) -> Opened {
    let url = DynamoDb::shared().unwrap().fresh_url();
    let mut handles: Vec<Arc<dyn Store>> = Vec::new();
    for _ in 0..2 {
        handles.push(Arc::new(connect(&url, Arc::clone(&clock)).await));
    }
    handles[0].migrate(APPLY).await.unwrap();
    Opened::many(handles, ())
}

outrigger_conformance::store_suite!(
    open,
    model = |clock| Arc::new(MemoryStore::new(clock)),
    histories = 24,
);
