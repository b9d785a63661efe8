//! The scheduler: fires the ticks of schedules, while it holds the lease.

use std::sync::Arc;
use std::time::Duration;

use outrigger_domain::tasks::schedules::{Lead, Looked, Schedules, Turn};
use outrigger_kernel::{Clock, Result};

/// The shortest pause.
const PAUSE_MIN: Duration = Duration::from_millis(1);
/// How often one who does not hold the lease looks whether it is free.
const WAIT: Duration = Duration::from_secs(2);
/// The pause after the store was away.
const AWAY: Duration = Duration::from_secs(1);
/// How long giving the lease up may take.
const RESIGN: Duration = Duration::from_secs(2);

/// A scheduler of a deployment; any number may run.
#[derive(Debug)]
pub struct Scheduler {
    name: String,
    schedules: Schedules,
    clock: Arc<dyn Clock>,
}

impl Scheduler {
    /// A scheduler of this name; no two have the same.
    pub fn new(name: String, schedules: Schedules, clock: Arc<dyn Clock>) -> Self {
        Self { name, schedules, clock }
    }

    /// Fires ticks until `stop` returns.
    pub async fn run(&self, stop: impl Future<Output = ()>) {
        let active = metrics::gauge!("outrigger_scheduler_active");
        let _registered = metrics::counter!("outrigger_schedule_ticks_total", "outcome" => "fired");
        let mut stop = std::pin::pin!(stop);
        let mut lead = None;
        loop {
            let pause = self.turn(&mut lead).await.unwrap_or_else(|error| {
                tracing::warn!(source = %error, "schedules cannot be looked at; it is tried again");
                AWAY
            });
            active.set(f64::from(u8::from(lead.is_some())));
            tokio::select! {
                () = tokio::time::sleep(pause.max(PAUSE_MIN)) => {}
                () = &mut stop => break,
            }
        }
        if let Some(lead) = lead {
            let resigned = tokio::time::timeout(RESIGN, self.schedules.resign(lead)).await;
            if !matches!(resigned, Ok(Ok(()))) {
                tracing::debug!("the scheduler's lease was not given up; it ends by itself");
            }
        }
    }

    /// Takes the lease when it is free, and fires what is due; says how long to pause.
    async fn turn(&self, lead: &mut Option<Lead>) -> Result<Duration> {
        let now = self.clock.now();
        if lead.is_none_or(|lead| lead.is_to_be_renewed(now)) {
            match self.schedules.lead(&self.name).await? {
                Turn::Mine(mine) => {
                    if lead.is_none() {
                        tracing::info!(scheduler = self.name, "this process fires the schedules");
                    }
                    *lead = Some(mine);
                }
                Turn::Another(until) => {
                    *lead = None;
                    return Ok(until.since(now).min(WAIT));
                }
            }
        }
        let Some(mine) = lead.as_ref() else { return Ok(WAIT) };
        match self.schedules.fire_due(mine).await? {
            Looked::Next(next) => Ok(next.since(self.clock.now())),
            Looked::Lost => {
                *lead = None;
                Ok(PAUSE_MIN)
            }
        }
    }
}
