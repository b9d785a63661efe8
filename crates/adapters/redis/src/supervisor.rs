//! Keeps one connection standing: connects in the background, notices its end, tries again.

use std::sync::Arc;
use std::time::Duration;

use outrigger_kernel::{Random, random};
use outrigger_ports::secrets::Followed;
use redis::{ErrorKind, RedisError, RedisResult};
use tokio::sync::watch;

use crate::link::Link;
use crate::options::RedisOptions;
use crate::target::Target;

/// Every so many failures to connect to a cluster the URL is looked up again.
const ASKED_EACH: u32 = 8;

/// What the client and its supervisor share.
pub(crate) struct Supervisor {
    pub(crate) target: Arc<Followed<Target>>,
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
            let target = self.target();
            match self.open(&target).await {
                Ok(link) => {
                    if was_connected {
                        metrics::counter!("outrigger_redis_reconnects_total").increment(1);
                    }
                    if was_connected || failures > 0 {
                        tracing::info!("redis is back");
                    }
                    was_connected = true;
                    failures = 0;
                    self.keep(link, target).await;
                    tracing::warn!("the connection to redis is lost; connecting again");
                }
                Err(error) => {
                    if failures == 0 {
                        tracing::warn!(%error, "redis does not answer; trying again");
                    } else {
                        tracing::debug!(%error, failures, "redis does not answer yet");
                    }
                    // Of a cluster the driver does not tell why nobody answers.
                    let may_be_refused = target.is_cluster() && failures.is_multiple_of(ASKED_EACH);
                    if is_refused(&error) || may_be_refused {
                        self.renew().await;
                    }
                }
            }
            let pause = self.pause(failures);
            failures = failures.saturating_add(1);
            tokio::time::sleep(pause).await;
        }
    }

    /// What the URL says now.
    fn target(&self) -> Arc<Target> {
        if let Some(url) = self.target.changed() {
            let next = Target::parse(&url, &self.options);
            self.target.follow(url, next);
        }
        self.target.way()
    }

    /// Has the URL looked up again; a connection is not held up by a secret manager that is away.
    async fn renew(&self) {
        let _late = tokio::time::timeout(self.options.connect_timeout, self.target.renew()).await;
    }

    async fn open(&self, target: &Target) -> RedisResult<Arc<Link>> {
        // For a cluster the driver's own timeout is per node.
        let within = self.options.connect_timeout;
        let link = tokio::time::timeout(within, Link::open(&target.driver, &self.options));
        let late = || (ErrorKind::Io, "not connected in time", format!("{within:?}")).into();
        let link = link.await.unwrap_or_else(|_| Err(late()))?;
        if link.is_alive(self.options.response_timeout).await {
            Ok(Arc::new(link))
        } else {
            Err((ErrorKind::Io, "connected, but PING was not answered").into())
        }
    }

    /// Hands the connection out until it is of no more use. One with a new password takes its place
    /// before it is gone, so that nobody is without: of a cluster the driver would go on with the old
    /// one.
    async fn keep(&self, mut link: Arc<Link>, mut target: Arc<Target>) {
        let standing = Standing::new(&self.link, link.clone());
        let mut tried = target.clone();
        loop {
            tokio::select! {
                () = link.health.broken.notified() => return,
                () = link.health.suspect.notified() => {}
                () = tokio::time::sleep(self.options.heartbeat) => {}
            }
            let now = self.target();
            if !Arc::ptr_eq(&now, &target) {
                match self.open(&now).await {
                    Ok(next) => {
                        (link, target) = (next, now);
                        standing.hand_out(link.clone());
                    }
                    Err(error) if !Arc::ptr_eq(&now, &tried) => {
                        tracing::warn!(%error, "redis does not take the new password; the old connection stays");
                        tried = now;
                    }
                    Err(_) => {}
                }
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

/// Whether the server does not believe who signs in.
fn is_refused(error: &RedisError) -> bool {
    error.kind() == ErrorKind::AuthenticationFailed
        || matches!(error.code(), Some("WRONGPASS" | "NOAUTH"))
}

/// While this lives, calls find the connection, and the gauge counts it.
struct Standing<'a>(&'a watch::Sender<Option<Arc<Link>>>);

impl<'a> Standing<'a> {
    fn new(sender: &'a watch::Sender<Option<Arc<Link>>>, link: Arc<Link>) -> Self {
        metrics::gauge!("outrigger_redis_connected").increment(1.0);
        let standing = Self(sender);
        standing.hand_out(link);
        standing
    }

    fn hand_out(&self, link: Arc<Link>) {
        self.0.send_replace(Some(link));
    }
}

impl Drop for Standing<'_> {
    fn drop(&mut self) {
        self.0.send_replace(None);
        metrics::gauge!("outrigger_redis_connected").decrement(1.0);
    }
}
