//! Opens connections and sets each up the same way.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use outrigger_kernel::secret::{ExposeSecret, Secret};
use outrigger_ports::secrets::{Followed, LiveSecret};
use outrigger_ports::store::StoreError;
use tokio::sync::Notify;
use tokio::time::{Instant, timeout_at};
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
    way: Followed<Way>,
    application_name: String,
    set_up: String,
    timeout: Duration,
    /// Longest time that an answer may take.
    pub(super) patience: Duration,
    /// Whether nobody in between can read along: TLS, or this machine.
    pub(super) private: bool,
}

impl std::fmt::Debug for Connector {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Connector").field("way", &self.way).finish_non_exhaustive()
    }
}

/// What a URL says.
struct Way {
    config: Config,
    tls: Option<MakeRustlsConnect>,
    /// Whether nobody in between can read along.
    private: bool,
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
    pub(super) fn new(
        url: &Arc<dyn LiveSecret>,
        options: &PostgresOptions,
    ) -> Result<Self, StoreError> {
        let (timeout, patience) = (options.connect_timeout, options.statement_timeout + GRACE);
        let name = &options.application_name;
        let parse = |url: &Secret| Way::of(url, name, timeout, patience);
        let way = Followed::new(Arc::clone(url), "PostgreSQL", parse)?;
        Ok(Self {
            private: way.way().private,
            way,
            application_name: name.clone(),
            set_up: set_up(options),
            timeout,
            patience,
        })
    }

    /// The way that the URL says now.
    fn way(&self) -> Arc<Way> {
        if let Some(url) = self.way.changed() {
            let next = Way::of(&url, &self.application_name, self.timeout, self.patience);
            self.way.follow(url, next);
        }
        self.way.way()
    }

    /// Opens a connection. When the server refuses who signs in, what the URL says is looked up again:
    /// the password may have changed.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] says why there is none.
    pub(super) async fn open(&self) -> Result<(Arc<Conn>, Driver), StoreError> {
        let until = Instant::now() + self.timeout;
        let mut refusal = None;
        loop {
            let way = self.way();
            let refused = match timeout_at(until, self.sign_in(&way)).await {
                Ok(Ok((client, driver))) => {
                    let late = || unavailable(&format!("no connection within {:?}", self.timeout));
                    let prepared = timeout_at(until, self.prepare(client, driver)).await;
                    return prepared.unwrap_or_else(|_| Err(late()));
                }
                Ok(Err(error)) if is_refused(&error) => unavailable(&Fault::of(&error).0),
                Ok(Err(error)) => return Err(unavailable(&Fault::of(&error).0)),
                Err(_) => {
                    let late = format!("no connection within {:?}", self.timeout);
                    return Err(refusal.unwrap_or_else(|| unavailable(&late)));
                }
            };
            if !timeout_at(until, self.way.renew()).await.unwrap_or(false) {
                return Err(refused);
            }
            refusal = Some(refused);
        }
    }

    async fn sign_in(&self, way: &Way) -> Result<(Client, Driver), Error> {
        let Some(tls) = way.tls.clone() else {
            let (client, connection) = way.config.connect(NoTls).await?;
            return Ok((client, Box::pin(ended(connection))));
        };
        let (client, connection) = way.config.connect(tls).await?;
        Ok((client, Box::pin(ended(connection))))
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

impl Way {
    fn of(
        url: &Secret,
        application_name: &str,
        timeout: Duration,
        patience: Duration,
    ) -> Result<Self, StoreError> {
        let target = Target::parse(url.expose_secret())?;
        let tls = tls::connector(&target)?;
        let private = target.local || target.protection > Protection::Prefer;
        let mut config = target.config;
        if config.get_application_name().is_none() {
            config.application_name(application_name);
        }
        config.connect_timeout(timeout);
        config.keepalives_idle(KEEPALIVE).keepalives_interval(KEEPALIVE / 3).keepalives_retries(3);
        config.tcp_user_timeout(patience);
        Ok(Self { config, tls, private })
    }
}

impl outrigger_ports::secrets::Way for Way {
    fn leads_where(&self, other: &Self) -> bool {
        let place = |way: &Self| {
            let config = &way.config;
            (
                config.get_hosts().to_vec(),
                config.get_hostaddrs().to_vec(),
                config.get_ports().to_vec(),
                config.get_dbname().map(ToOwned::to_owned),
                way.private,
            )
        };
        place(self) == place(other)
    }
}

impl std::fmt::Debug for Way {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // The driver's own form leaves out the password.
        f.debug_struct("Way").field("config", &self.config).finish_non_exhaustive()
    }
}

/// Whether the server does not believe who signs in (class 28).
fn is_refused(error: &Error) -> bool {
    error.code().is_some_and(|code| code.code().starts_with("28"))
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

#[cfg(test)]
mod tests {
    use outrigger_ports::secrets::Way as _;

    use super::*;

    #[test]
    fn a_way_as_somebody_else_leads_where_it_led_and_one_to_another_database_does_not() {
        let way = |url: &str| {
            let second = Duration::from_secs(1);
            Way::of(&url.into(), "test", second, second).unwrap()
        };
        let first = way("postgres://app:old@127.0.0.1:5432/shop");
        for (url, leads_where) in [
            ("postgres://app:new@127.0.0.1:5432/shop", true),
            ("postgres://other:new@127.0.0.1:5432/shop", true),
            ("postgres://app:old@127.0.0.1:5432/other", false),
            ("postgres://app:old@127.0.0.1:5433/shop", false),
            ("postgres://app:old@127.0.0.2:5432/shop", false),
        ] {
            assert_eq!(way(url).leads_where(&first), leads_where, "{url}");
        }
    }
}
