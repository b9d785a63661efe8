//! How Redis is reached.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use outrigger_kernel::Secret;
use outrigger_ports::secrets::{LiveSecret, fixed};

/// How Redis is reached. [`RedisOptions::new`] gives the defaults.
#[derive(Clone, Debug)]
pub struct RedisOptions {
    /// `redis://`, `rediss://` (TLS), `redis+cluster://` or `rediss+cluster://`, then
    /// `[user][:password@]host[:port][/database]`; a cluster may name several hosts, separated by
    /// commas. User and password may change while it is used.
    pub url: Arc<dyn LiveSecret>,
    /// In front of every key, `or:` by default; deployments that share a Redis need different
    /// ones.
    pub prefix: String,
    /// A PEM file with the certificate authorities to trust instead of the system's.
    pub ca_file: Option<PathBuf>,
    /// Longest time for a connection to be made, TLS and login included; 2 s by default.
    pub connect_timeout: Duration,
    /// Longest time for an answer; 500 ms by default.
    pub response_timeout: Duration,
    /// First pause before a lost connection is tried again, doubled each time; 50 ms by default.
    pub backoff_min: Duration,
    /// Longest such pause; 2 s by default.
    pub backoff_max: Duration,
    /// How often an idle connection is tried; 5 s by default.
    pub heartbeat: Duration,
}

impl RedisOptions {
    /// The defaults for this URL.
    pub fn new(url: Secret) -> Self {
        Self::following(fixed(url))
    }

    /// The defaults for a URL that may change.
    pub fn following(url: Arc<dyn LiveSecret>) -> Self {
        Self {
            url,
            prefix: "or:".to_owned(),
            ca_file: None,
            connect_timeout: Duration::from_secs(2),
            response_timeout: Duration::from_millis(500),
            backoff_min: Duration::from_millis(50),
            backoff_max: Duration::from_secs(2),
            heartbeat: Duration::from_secs(5),
        }
    }
}
