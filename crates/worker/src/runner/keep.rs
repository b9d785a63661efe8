//! Keeps leases alive, and the queue in order.

use std::sync::Arc;
use std::time::Duration;

use outrigger_kernel::limits::TASKS_MAX;
use outrigger_ports::queue::{Beat, Heartbeat, Lease, Queue};

use super::Inner;
use super::running::Signal;

/// Extends the leases of all running tasks, three times within the time of one.
pub(super) async fn leases(worker: Arc<Inner>) {
    let pause = worker.options.lease / 3;
    loop {
        tokio::time::sleep(pause).await;
        let beats: Vec<Heartbeat> = worker
            .running
            .leases()
            .into_iter()
            .map(|(lease, progress)| Heartbeat { lease, progress: progress.take() })
            .collect();
        for some in beats.chunks(TASKS_MAX) {
            extend(&worker, some).await;
        }
    }
}

async fn extend(worker: &Inner, beats: &[Heartbeat]) {
    let leases: Vec<Lease> = beats.iter().map(|beat| beat.lease.clone()).collect();
    match worker.queue.heartbeat(beats.to_vec(), worker.options.lease).await {
        Ok(answers) => {
            for (lease, answer) in leases.iter().zip(answers) {
                match answer {
                    Beat::Held => {}
                    Beat::Cancelled => worker.running.tell(lease, Signal::Cancel),
                    Beat::Lost => worker.running.tell(lease, Signal::Lost),
                }
            }
        }
        Err(error) => {
            tracing::warn!(tasks = leases.len(), source = %error, "leases could not be extended");
        }
    }
}

/// Does what time demands of the queue, with this pause between two rounds, until it is dropped.
/// Any number may.
pub async fn tend(queue: Arc<dyn Queue>, every: Duration) {
    let counter = |what| metrics::counter!("outrigger_tasks_tended_total", "what" => what);
    let (promoted, recovered) = (counter("promoted"), counter("recovered"));
    let (quarantined, forgotten) = (counter("quarantined"), counter("forgotten"));
    loop {
        match queue.tend().await {
            Ok(tended) => {
                promoted.increment(tended.promoted as u64);
                recovered.increment(tended.recovered as u64);
                quarantined.increment(tended.quarantined as u64);
                forgotten.increment(tended.forgotten as u64);
                if tended.recovered + tended.quarantined > 0 {
                    tracing::warn!(
                        recovered = tended.recovered,
                        quarantined = tended.quarantined,
                        "workers were lost; their tasks run again"
                    );
                }
            }
            Err(error) => tracing::warn!(source = %error, "the queue could not be tended"),
        }
        tokio::time::sleep(every).await;
    }
}
