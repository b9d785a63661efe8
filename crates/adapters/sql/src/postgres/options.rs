//! How a PostgreSQL store is set up.

use std::sync::Arc;
use std::time::Duration;

use outrigger_kernel::Secret;
use outrigger_ports::secrets::{LiveSecret, fixed};

/// The settings of a PostgreSQL store. [`PostgresOptions::at`] gives sane ones.
#[derive(Debug, Clone)]
pub struct PostgresOptions {
    /// `postgres://user:password@host:port/database?…`. Besides the driver's parameters it takes
    /// `sslmode` (`disable`, `prefer`, `require`, `verify-ca`, `verify-full`), `sslrootcert` (a
    /// PEM file, or `system`), `sslcert` and `sslkey`. Without `sslmode` another machine is
    /// verified fully, and this machine is spoken to without TLS.
    /// Each new connection is made with what it is by then: a password may change.
    pub url: Arc<dyn LiveSecret>,
    /// Where lists go whose reader accepts that they lag behind.
    pub readonly_url: Option<Arc<dyn LiveSecret>>,
    /// Connections that all reads of this handle share; each carries many reads at once.
    pub read_connections: usize,
    /// Most connections for commits of this handle; each carries one at a time.
    pub write_connections: usize,
    /// Longest time that the server works on one statement. The handle itself waits a little
    /// longer, then takes the connection for dead.
    pub statement_timeout: Duration,
    /// Longest time that a commit waits for another one that holds the same documents.
    pub lock_timeout: Duration,
    /// Longest time to open a connection.
    pub connect_timeout: Duration,
    /// Longest time that a commit waits for a free connection.
    pub acquire_timeout: Duration,
    /// How long a connection for commits may be unused before it is closed.
    pub idle_timeout: Duration,
    /// How many handles this process opens, one per core; only [probing] uses it.
    ///
    /// [probing]: outrigger_ports::store::Store::probe
    pub handles: usize,
    /// What the server shows as the name of the program.
    pub application_name: String,
}

impl PostgresOptions {
    /// Settings for the database with this URL.
    pub fn at(url: impl Into<Secret>) -> Self {
        Self { url: fixed(url), ..Self::default() }
    }
}

impl Default for PostgresOptions {
    fn default() -> Self {
        Self {
            url: fixed("postgres://127.0.0.1/outrigger"),
            readonly_url: None,
            read_connections: 2,
            write_connections: 8,
            statement_timeout: Duration::from_secs(5),
            lock_timeout: Duration::from_secs(3),
            connect_timeout: Duration::from_secs(5),
            acquire_timeout: Duration::from_secs(3),
            idle_timeout: Duration::from_secs(300),
            handles: 1,
            application_name: "outrigger".to_owned(),
        }
    }
}
