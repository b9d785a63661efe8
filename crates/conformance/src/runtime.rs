//! Runs one test of a suite.

use std::future::Future;
use std::time::Duration;

/// Longer than any test takes, on a busy machine too: one that is not done by then hangs.
const HANGS_AFTER: Duration = Duration::from_secs(600);

/// Runs the test on a runtime of its own with two worker threads.
///
/// # Panics
/// When the test panics, or is not done after ten minutes.
pub fn run<T>(test: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .expect("a runtime starts");
    let done = runtime.block_on(async { tokio::time::timeout(HANGS_AFTER, test).await });
    runtime.shutdown_timeout(Duration::from_secs(5));
    done.expect("the test ends within ten minutes")
}
