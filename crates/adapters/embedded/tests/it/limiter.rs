//! The limiter in memory passes the suite of its port.

use std::sync::Arc;

use outrigger_conformance::limiter::Opened;
use outrigger_conformance::limiter::agreement::agrees_exactly;
use outrigger_embedded::MemoryLimiter;
use outrigger_kernel::{Clock, ManualClock, SystemClock, Timestamp};
use outrigger_ports::limiter::Limiter;

async fn open() -> Opened {
    let limiter: Arc<dyn Limiter> = Arc::new(MemoryLimiter::new(Arc::new(SystemClock)));
    Opened::many(vec![limiter.clone(), limiter], ())
}

outrigger_conformance::limiter_suite!(open);

#[test]
fn decisions_agree_with_the_specification_to_the_microsecond() {
    let mut current = (0, Arc::new(ManualClock::at(Timestamp::default())));
    let mut limiter = MemoryLimiter::new(current.1.clone());
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    agrees_exactly(|sequence, now, quota, cost| {
        if current.0 != sequence {
            current = (sequence, Arc::new(ManualClock::at(Timestamp::from_micros(now))));
            limiter = MemoryLimiter::new(current.1.clone());
        }
        let passed = Timestamp::from_micros(now).since(current.1.now());
        current.1.advance(passed);
        runtime.block_on(limiter.take("key", quota, cost)).unwrap()
    });
}
