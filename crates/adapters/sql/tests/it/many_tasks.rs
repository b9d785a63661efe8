//! A queue on the store with very many tasks: what calls cost then, and what is left of them
//! afterwards. Each database says how its rows and pages are counted.

use std::sync::Arc;
use std::time::{Duration, Instant};

use outrigger_conformance::queue::load::{Load, check_costs};
use outrigger_embedded::StoreQueue;
use outrigger_kernel::SystemRandom;
use outrigger_ports::queue::Queue as _;
use outrigger_ports::store::Store;
use outrigger_testkit::sized;

use crate::support::clock;

const FEW: usize = 1_000;
/// Seconds for which finished tasks are kept.
const RETENTION_S: u64 = 2;
/// Documents that are purged at once, as by the product.
const PURGE: usize = 500;

fn queue(store: &Arc<dyn Store>) -> StoreQueue {
    StoreQueue::new(store.clone(), clock(), Arc::new(SystemRandom))
}

/// Fails unless an enqueue and a claim cost on `many` what they cost on `few`, two empty stores.
/// Says what they cost.
pub(crate) async fn cost_the_same(few: Arc<dyn Store>, many: Arc<dyn Store>) -> String {
    let count = sized(10_000, 1_000_000);
    let [few, many] = [few, many].map(|store| Load::on(Arc::new(queue(&store)), 60));
    few.fill(FEW).await;
    many.fill(count).await;
    // Costs that grew with the number would be 10 times as high in the short run.
    let most = if count < 1_000_000 { 5.0 } else { 2.0 };
    let costs = check_costs(&few, &many, most).await;
    format!("{FEW} and {count} tasks wait: {costs}")
}

/// Fails unless finished tasks are gone after their retention; `rows` and `bytes` ask the database.
/// Says how much there was.
pub(crate) async fn leave_nothing(
    store: Arc<dyn Store>,
    rows: impl AsyncFn() -> i64,
    bytes: impl AsyncFn() -> i64,
) -> String {
    let (count, part) = (sized(5_000, 200_000), 2_500);
    let queue = queue(&store);
    let load = Load::on(Arc::new(queue.clone()), RETENTION_S);
    let purge = async || while store.purge_expired(PURGE).await.unwrap() == PURGE {};
    // What a queue that has been used keeps, such as its name and the lists of its lanes.
    let settled = async |most: i64| {
        let began = Instant::now();
        loop {
            queue.tend().await.unwrap();
            purge().await;
            let left = rows().await;
            if left <= most {
                return left;
            }
            assert!(began.elapsed() < Duration::from_secs(180), "{left} rows are left");
        }
    };
    load.fill(1).await;
    load.drain().await;
    let at_first = rows().await;
    load.fill(part).await;
    load.drain().await;
    let (rows_before, bytes_before) = (settled(at_first).await, bytes().await);
    let (mut done, mut most) = (0, 0);
    while done < count {
        load.fill(part).await;
        done += load.drain().await;
        queue.tend().await.unwrap();
        purge().await;
        most = most.max(rows().await);
    }
    let rows_after = settled(rows_before).await;
    format!(
        "{done} tasks kept for {RETENTION_S} s: {rows_before} rows before, {most} at most, \
         {rows_after} after; {bytes_before} bytes before, {} after",
        bytes().await
    )
}
