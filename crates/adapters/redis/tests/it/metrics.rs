//! What can be seen from outside of the connection's state.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Instant;

use metrics::{Counter, Gauge, Histogram, Key, KeyName, Metadata, Recorder, SharedString, Unit};
use outrigger_testkit::Redis;

use crate::{SOON, client, options};

/// Keeps the values of counters and gauges by name.
#[derive(Debug, Default)]
struct Values(Mutex<HashMap<String, Arc<AtomicU64>>>);

impl Values {
    fn of(&self, name: &str) -> Arc<AtomicU64> {
        self.0.lock().unwrap().entry(name.to_owned()).or_default().clone()
    }

    fn counter(&self) -> u64 {
        self.of("outrigger_redis_reconnects_total").load(Ordering::SeqCst)
    }

    fn gauge(&self) -> f64 {
        f64::from_bits(self.of("outrigger_redis_connected").load(Ordering::SeqCst))
    }
}

impl Recorder for Values {
    fn describe_counter(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}
    fn describe_gauge(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}
    fn describe_histogram(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}

    fn register_counter(&self, key: &Key, _: &Metadata<'_>) -> Counter {
        Counter::from_arc(self.of(key.name()))
    }

    fn register_gauge(&self, key: &Key, _: &Metadata<'_>) -> Gauge {
        Gauge::from_arc(self.of(key.name()))
    }

    fn register_histogram(&self, _: &Key, _: &Metadata<'_>) -> Histogram {
        Histogram::noop()
    }
}

#[test]
fn connections_and_reconnects_are_counted() {
    let server = Redis::start().unwrap();
    let values = Values::default();
    // One thread, because the recorder is that thread's.
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    metrics::with_local_recorder(&values, || {
        runtime.block_on(async {
            let one = client(&options(server.url())).await;
            let two = client(&options(server.url())).await;
            assert_eq!((values.gauge(), values.counter()), (2.0, 0));
            server.stop().unwrap();
            let started = Instant::now();
            while one.is_connected() || two.is_connected() {
                assert!(started.elapsed() < SOON);
                tokio::task::yield_now().await;
            }
            assert_eq!((values.gauge(), values.counter()), (0.0, 0));
            server.start_again().unwrap();
            assert!(one.wait_connected(SOON).await && two.wait_connected(SOON).await);
            assert_eq!((values.gauge(), values.counter()), (2.0, 2));
            drop(two);
            let started = Instant::now();
            while values.gauge() > 1.0 {
                assert!(started.elapsed() < SOON, "who has gone is still counted");
                tokio::task::yield_now().await;
            }
        });
    });
}
