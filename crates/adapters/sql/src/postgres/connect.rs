//! Opens connections and sets each up the same way.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use outrigger_kernel::secret::{ExposeSecret, Secret};
use outrigger_ports::store::StoreError;
use tokio::sync::Notify;
use tokio::time::timeout;
use tokio_postgres::{Client, Config, Error, NoTls, Statement};
use tokio_postgres_rustls::MakeRustlsConnect;

use super::statements::{Statements, Which};
use super::url::{Protection, Target};
use super::{PostgresOptions, tls};
use crate::fault::Fault;

/// How much longer than the server was told the client waits; then the connection is dead.
const GRACE: Duration = Duration::from_secs(1);
/// When a silent connection is first asked whether the other side still lives, and how often.
const KEEPALIVE: Duration = Duration::from_secs(15);

/// Opens connections to one target.
pub(super) struct Connector {
    config: Config,
    tls: Option<MakeRustlsConnect>,
    set_up: String,
    timeout: Duration,
    /// Longest time that an answer may take.
    pub(super) patience: Duration,
    /// Whether nobody in between can read along: TLS, or this machine.
    pub(super) private: bool,
}

impl std::fmt::Debug for Connector {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // The driver's own form leaves out the password.
        f.debug_struct("Connector").field("config", &self.config).finish_non_exhaustive()
    }
}

/// Does the input and output of a connection when it is polled; ends with the connection.
pub(super) type Driver = Pin<Box<dyn Future<Output = ()> + Send>>;

/// An open connection. It ends when this is dropped, or cut.
pub(super) struct Conn {
    pub(super) client: Client,
    statements: Statements,
    /// Reads that wait for their answer.
    pub(super) in_flight: AtomicUsize,
    end: Arc<Notify>,
    is_cut: AtomicBool,
}

impl std::fmt::Debug for Conn {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Conn").field("in_flight", &self.in_flight).finish_non_exhaustive()
    }
}

impl Conn {
    /// The statement, if it is prepared on this connection already.
    pub(super) fn prepared(&self, which: Which) -> Option<&Statement> {
        self.statements.prepared(which)
    }

    /// The statement, prepared on this connection.
    pub(super) async fn statement(&self, which: Which) -> Result<&Statement, Error> {
        self.statements.get(&self.client, which).await
    }

    /// Ends the connection: whoever waits on it gets an error.
    pub(super) fn cut(&self) {
        self.is_cut.store(true, Ordering::Relaxed);
        self.end.notify_one();
    }

    /// Whether something can still be sent.
    pub(super) fn is_open(&self) -> bool {
        !self.is_cut.load(Ordering::Relaxed) && !self.client.is_closed()
    }
}

impl Connector {
    /// Reads the URL and the files that it names.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] says what is wrong with them.
    pub(super) fn new(url: &Secret, options: &PostgresOptions) -> Result<Self, StoreError> {
        let target = Target::parse(url.expose_secret())?;
        let tls = tls::connector(&target)?;
        let private = target.local || target.protection > Protection::Prefer;
        let mut config = target.config;
        if config.get_application_name().is_none() {
            config.application_name(&options.application_name);
        }
        config.connect_timeout(options.connect_timeout);
        config.keepalives_idle(KEEPALIVE).keepalives_interval(KEEPALIVE / 3).keepalives_retries(3);
        let patience = options.statement_timeout + GRACE;
        config.tcp_user_timeout(patience);
        Ok(Self {
            config,
            tls,
            set_up: set_up(options),
            timeout: options.connect_timeout,
            patience,
            private,
        })
    }

    /// Opens a connection.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] says why there is none.
    pub(super) async fn open(&self) -> Result<(Arc<Conn>, Driver), StoreError> {
        let opening = async {
            let failed = |error: Error| unavailable(&Fault::of(&error).0);
            match self.tls.clone() {
                None => {
                    let (client, connection) = self.config.connect(NoTls).await.map_err(failed)?;
                    self.prepare(client, Box::pin(ended(connection))).await
                }
                Some(tls) => {
                    let (client, connection) = self.config.connect(tls).await.map_err(failed)?;
                    self.prepare(client, Box::pin(ended(connection))).await
                }
            }
        };
        match timeout(self.timeout, opening).await {
            Ok(opened) => opened,
            Err(_) => Err(unavailable(&format!("no connection within {:?}", self.timeout))),
        }
    }

    async fn prepare(
        &self,
        client: Client,
        mut driver: Driver,
    ) -> Result<(Arc<Conn>, Driver), StoreError> {
        tokio::select! {
            done = client.batch_execute(&self.set_up) => {
                done.map_err(|error| unavailable(&Fault::of(&error).0))?;
            }
            () = &mut driver => return Err(unavailable("the connection was lost at once")),
        }
        let end = Arc::new(Notify::new());
        let ended = Arc::clone(&end);
        let conn = Conn {
            client,
            statements: Statements::default(),
            in_flight: AtomicUsize::new(0),
            end,
            is_cut: AtomicBool::new(false),
        };
        let driver = Box::pin(async move {
            tokio::select! {
                () = driver => {}
                () = ended.notified() => {}
            }
        });
        Ok((Arc::new(conn), driver))
    }
}

fn unavailable(what: &str) -> StoreError {
    StoreError::Unavailable(Fault::cause(what))
}

/// The end of a connection; whoever waits on it learns of an error from their own answer.
async fn ended(connection: impl Future<Output = Result<(), Error>>) {
    if let Err(error) = connection.await {
        tracing::debug!(error = %Fault::of(&error), "a database connection ended");
    }
}

/// What is set on every new connection, in one round trip. The isolation is what the commit
/// function is written for. The planner has nothing to choose: every statement walks one range of
/// one index, also when a table has just grown and its statistics have not.
fn set_up(options: &PostgresOptions) -> String {
    format!(
        "SET default_transaction_isolation = 'read committed'; \
         SET statement_timeout = {}; SET lock_timeout = {}; \
         SET jit = off; SET plan_cache_mode = force_generic_plan; \
         SET enable_seqscan = off; SET enable_bitmapscan = off; SET enable_hashjoin = off; \
         SET enable_mergejoin = off; SET enable_sort = off; \
         SELECT set_config('synchronous_commit', 'on', false) \
         WHERE current_setting('synchronous_commit') = 'off'",
        options.statement_timeout.as_millis().max(1),
        options.lock_timeout.as_millis().max(1),
    )
}
