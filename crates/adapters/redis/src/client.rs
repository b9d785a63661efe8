//! The connection that cache and limiter share.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use outrigger_kernel::{Clock, Random, random};
use outrigger_ports::secrets::Followed;
use redis::{Cmd, Value};
use tokio::sync::watch;
use tokio::task::AbortHandle;

use crate::error::{CallError, ConfigError};
use crate::link::Link;
use crate::options::RedisOptions;
use crate::supervisor::Supervisor;
use crate::target::Target;

/// A connection to Redis that restores itself, shared by its clones; ends with the last of them.
///
/// While Redis is away every call fails at once; it is never waited for.
#[derive(Clone)]
pub struct RedisClient(Arc<Inner>);

struct Inner {
    target: Arc<Followed<Target>>,
    options: RedisOptions,
    clock: Arc<dyn Clock>,
    link: watch::Receiver<Option<Arc<Link>>>,
    /// Makes tokens of this client different from those of all others.
    instance: u64,
    next_token: AtomicU64,
    random: Arc<dyn Random>,
    supervisor: AbortHandle,
}

impl RedisClient {
    /// Starts to connect in the background, on the runtime of the caller; call it once per core.
    /// Succeeds although Redis is away.
    ///
    /// # Errors
    /// When the options cannot work: a URL that cannot be read, a missing certificate file.
    ///
    /// # Panics
    /// Outside a tokio runtime.
    pub fn connect(
        options: &RedisOptions,
        clock: Arc<dyn Clock>,
        random: Arc<dyn Random>,
    ) -> Result<Self, ConfigError> {
        let parse = |url: &_| Target::parse(url, options);
        let target = Arc::new(Followed::new(options.url.clone(), "Redis", parse)?);
        let instance = random::below(&*random, u64::MAX);
        let (sender, link) = watch::channel(None);
        let source = random.clone();
        let supervisor =
            Supervisor { target: target.clone(), options: options.clone(), random, link: sender };
        let supervisor = tokio::spawn(supervisor.run()).abort_handle();
        let next_token = AtomicU64::new(1);
        let options = options.clone();
        Ok(Self(Arc::new(Inner {
            target,
            options,
            clock,
            link,
            instance,
            next_token,
            random: source,
            supervisor,
        })))
    }

    /// Whether there is a connection now.
    pub fn is_connected(&self) -> bool {
        self.0.link.borrow().is_some()
    }

    /// Waits for a connection, at most for `timeout`; says whether there is one.
    pub async fn wait_connected(&self, timeout: Duration) -> bool {
        let mut link = self.0.link.clone();
        let connected = link.wait_for(Option::is_some);
        matches!(tokio::time::timeout(timeout, connected).await, Ok(Ok(_)))
    }

    pub(crate) async fn call(&self, command: &Cmd) -> Result<Value, CallError> {
        Ok(self.link()?.call(command).await?)
    }

    pub(crate) fn link(&self) -> Result<Arc<Link>, CallError> {
        self.0.link.borrow().clone().ok_or(CallError::Away)
    }

    /// Tells of every connection that is made or lost.
    pub(crate) fn links(&self) -> watch::Receiver<Option<Arc<Link>>> {
        self.0.link.clone()
    }

    pub(crate) fn target(&self) -> Arc<Target> {
        self.0.target.way()
    }

    pub(crate) fn clock(&self) -> &dyn Clock {
        &*self.0.clock
    }

    pub(crate) fn prefix(&self) -> &str {
        &self.0.options.prefix
    }

    /// A number that nobody can guess.
    pub(crate) fn random(&self) -> u64 {
        random::below(&*self.0.random, u64::MAX)
    }

    /// A number that no other client gives, and this one only once.
    pub(crate) fn token(&self) -> u128 {
        let number = self.0.next_token.fetch_add(1, Ordering::Relaxed);
        (u128::from(self.0.instance) << 64) | u128::from(number)
    }
}

impl Drop for Inner {
    fn drop(&mut self) {
        self.supervisor.abort();
    }
}

impl fmt::Debug for RedisClient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RedisClient")
            .field("prefix", &self.prefix())
            .field("connected", &self.is_connected())
            .finish_non_exhaustive()
    }
}
