//! The suite of the store port, with two handles as of two processes.

use std::sync::Arc;

use outrigger_conformance::store::Opened;
use outrigger_embedded::MemoryStore;
use outrigger_kernel::Clock;
use outrigger_ports::store::Store;

use crate::emulator::Emulator;
use crate::support::{APPLY, connect};

async fn open(emulator: Emulator, clock: Arc<dyn Clock>) -> Opened {
    let url = emulator.fresh_url();
    let mut handles: Vec<Arc<dyn Store>> = Vec::new();
    for _ in 0..2 {
        handles.push(Arc::new(connect(&url, Arc::clone(&clock)).await));
    }
    handles[0].migrate(APPLY).await.unwrap();
    Opened::many(handles, ())
}

fn model(clock: Arc<dyn Clock>) -> Arc<dyn Store> {
    Arc::new(MemoryStore::new(clock))
}

mod dynoxide {
    use super::{Emulator, model, open};

    outrigger_conformance::store_suite!(
        |clock| open(Emulator::Dynoxide, clock),
        model = model,
        histories = 24,
    );
}

mod ministack {
    use std::sync::Arc;

    use bytes::Bytes;
    use outrigger_conformance::store::things::put;
    use outrigger_kernel::{SystemClock, limits};
    use outrigger_ports::store::{Batch, Precondition, StoreError, Write};

    use super::{Emulator, model, open};

    outrigger_conformance::store_suite!(
        |clock| open(Emulator::Ministack, clock),
        model = model,
        histories = 12,
        without = the_heaviest_batch_is_taken,
    );

    fn heavy(documents: usize) -> Batch {
        let body = Bytes::from(vec![b' '; limits::DOCUMENT_BYTES_MAX]);
        Batch::of((0..documents).map(|n| {
            let mut write = put(&format!("d{n}"), "x", Precondition::Absent);
            if let Write::Put { body: empty, .. } = &mut write {
                *empty = body.clone();
            }
            write
        }))
    }

    /// DynamoDB counts items, and bytes in them as they are ("Item sizes and formats" of its
    /// documentation): 3 MiB are within its 4 MB. Ministack counts the request, where three bytes are
    /// four letters. The day that this fails, it can have the whole suite.
    #[tokio::test]
    async fn the_heaviest_batch_is_counted_in_base64() {
        let opened = open(Emulator::Ministack, Arc::new(SystemClock)).await;
        let store = &opened.handles[0];
        let most = limits::BATCH_BYTES_MAX / limits::DOCUMENT_BYTES_MAX;
        match store.commit(heavy(most)).await {
            Err(StoreError::Internal(cause)) => {
                assert!(cause.to_string().contains("4MB transaction size limit"), "{cause}");
            }
            other => panic!("{other:?}"),
        }
        assert_eq!(store.scan(None, 100).await.unwrap().len(), 0);
        let versions = store.commit(heavy(most - 1)).await.unwrap();
        assert_eq!(versions, vec![1; most - 1]);
    }
}
