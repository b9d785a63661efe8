//! Keeps one connection standing: connects in the background, notices its end, tries again.

use std::sync::Arc;
use std::time::Duration;

use outrigger_kernel::{Random, random};
use tokio::sync::watch;

use crate::link::Link;
use crate::options::RedisOptions;
use crate::target::Target;

/// What the client and its supervisor share.
pub(crate) struct Supervisor {
    pub(crate) target: Target,
    pub(crate) options: RedisOptions,
    pub(crate) random: Arc<dyn Random>,
    pub(crate) link: watch::Sender<Option<Arc<Link>>>,
}

impl Supervisor {
    /// Runs until its task is aborted.
    pub(crate) async fn run(self) {
        let mut failures: u32 = 0;
        let mut was_connected = false;
        loop {
            match self.open().await {
                Ok(link) => {
                    if was_connected {
                        metrics::counter!("outrigger_redis_reconnects_total").increment(1);
                    }
                    if was_connected || failures > 0 {
                        tracing::info!("redis is back");
                    }
                    was_connected = true;
                    failures = 0;
                    self.keep(Arc::new(link)).await;
                    tracing::warn!("the connection to redis is lost; connecting again");
                }
                Err(error) if failures == 0 => {
                    tracing::warn!(%error, "redis does not answer; trying again");
                }
                Err(error) => tracing::debug!(%error, failures, "redis does not answer yet"),
            }
            let pause = self.pause(failures);
            failures = failures.saturating_add(1);
            tokio::time::sleep(pause).await;
        }
    }

    async fn open(&self) -> Result<Link, String> {
        // For a cluster the driver's own timeout is per node.
        let within = self.options.connect_timeout;
        let link = tokio::time::timeout(within, Link::open(&self.target.driver, &self.options));
        let link = link.await.map_err(|_| format!("not connected within {within:?}"))?;
        let link = link.map_err(|error| error.to_string())?;
        if link.is_alive(self.options.response_timeout).await {
            Ok(link)
        } else {
            Err("connected, but PING was not answered".to_owned())
        }
    }

    /// Hands the connection out until it is of no more use.
    async fn keep(&self, link: Arc<Link>) {
        let _standing = Standing::new(&self.link, link.clone());
        let health = link.health.clone();
        loop {
            tokio::select! {
                () = health.broken.notified() => return,
                () = health.suspect.notified() => {}
                () = tokio::time::sleep(self.options.heartbeat) => {}
            }
            if !link.is_alive(self.options.response_timeout).await {
                return;
            }
        }
    }

    /// Exponential, with the upper half random, so that many processes do not come at once.
    fn pause(&self, failures: u32) -> Duration {
        let doubled = self.options.backoff_min.saturating_mul(1 << failures.min(16));
        let full = doubled.min(self.options.backoff_max);
        let half = u64::try_from(full.as_micros() / 2).unwrap_or(u64::MAX);
        full / 2 + Duration::from_micros(random::below(&*self.random, half.saturating_add(1)))
    }
}

/// While this lives, calls find the connection, and the gauge counts it.
struct Standing<'a>(&'a watch::Sender<Option<Arc<Link>>>);

impl<'a> Standing<'a> {
    fn new(sender: &'a watch::Sender<Option<Arc<Link>>>, link: Arc<Link>) -> Self {
        metrics::gauge!("outrigger_redis_connected").increment(1.0);
        sender.send_replace(Some(link));
        Self(sender)
    }
}

impl Drop for Standing<'_> {
    fn drop(&mut self) {
        self.0.send_replace(None);
        metrics::gauge!("outrigger_redis_connected").decrement(1.0);
    }
}
