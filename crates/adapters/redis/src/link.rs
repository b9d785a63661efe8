//! One connection, and what is known of its health.

use std::sync::Arc;
use std::time::Duration;

use redis::aio::{ConnectionLike, MultiplexedConnection};
use redis::cluster_async::ClusterConnection;
use redis::cluster_routing::{MultipleNodeRoutingInfo, ResponsePolicy, RoutingInfo};
use redis::{
    AsyncConnectionConfig, Cmd, FromRedisValue, PushInfo, PushKind, RedisError, RedisResult,
    ServerErrorKind, Value,
};
use tokio::sync::Notify;

use crate::options::RedisOptions;
use crate::target::Driver;

/// Requests that wait in the driver's channel before callers wait themselves.
const PIPELINE_BUFFER: usize = 1_024;

/// So many characters of a run's name tell it from all others: 64 random bits.
const RUN_CHARS: usize = 16;

/// A connection to one server, or to all nodes of a cluster.
pub(crate) struct Link {
    connection: Connection,
    /// See [`Link::run`].
    run: String,
    pub(crate) health: Arc<Health>,
}

#[derive(Clone)]
enum Connection {
    Single(MultiplexedConnection),
    Cluster(ClusterConnection),
}

/// What calls tell the supervisor.
#[derive(Debug, Default)]
pub(crate) struct Health {
    /// Something went wrong; the connection should be tried.
    pub(crate) suspect: Notify,
    /// The connection is of no more use.
    pub(crate) broken: Notify,
}

impl Link {
    /// Connects and logs in.
    pub(crate) async fn open(driver: &Driver, options: &RedisOptions) -> RedisResult<Self> {
        let health = Arc::new(Health::default());
        let connection = match driver {
            Driver::Single(client) => {
                let told = health.clone();
                let config = AsyncConnectionConfig::new()
                    .set_connection_timeout(Some(options.connect_timeout))
                    .set_response_timeout(Some(options.response_timeout))
                    .set_pipeline_buffer_size(PIPELINE_BUFFER)
                    .set_push_sender(move |push: PushInfo| {
                        if push.kind == PushKind::Disconnection {
                            told.broken.notify_one();
                        }
                        Ok::<(), ()>(())
                    });
                let opened = client.get_multiplexed_async_connection_with_config(&config);
                Connection::Single(opened.await?)
            }
            // The driver keeps the nodes' connections; whether any node answers is for the
            // supervisor to try.
            Driver::Cluster(client) => Connection::Cluster(client.get_async_connection().await?),
        };
        let mut link = Self { connection, run: String::new(), health };
        link.run = link.find_run().await?;
        Ok(link)
    }

    /// Names the run of the server that this connection goes to: another one after a restart or a
    /// failover, which may have lost the last writes. Empty for a cluster, whose nodes fail over
    /// while connections stand, and when `INFO` is forbidden.
    pub(crate) fn run(&self) -> &str {
        &self.run
    }

    async fn find_run(&self) -> RedisResult<String> {
        if self.is_cluster() {
            return Ok(String::new());
        }
        let mut info = redis::cmd("INFO");
        let text = match self.ask(info.arg("server").to_owned()).await {
            Ok(answer) => String::from_redis_value(answer)?,
            Err(error) if error.code() == Some("NOPERM") => return Ok(String::new()),
            Err(error) => return Err(error),
        };
        let run = text.lines().find_map(|line| line.trim_end().strip_prefix("run_id:"));
        Ok(run.and_then(|run| run.get(..RUN_CHARS)).unwrap_or_default().to_owned())
    }

    pub(crate) fn is_cluster(&self) -> bool {
        matches!(self.connection, Connection::Cluster(_))
    }

    /// Sends a command where its keys live.
    pub(crate) async fn call(&self, command: &Cmd) -> RedisResult<Value> {
        let answer = match self.connection.clone() {
            Connection::Single(mut connection) => connection.send_packed_command(command).await,
            Connection::Cluster(mut connection) => connection.req_packed_command(command).await,
        };
        self.judge(answer)
    }

    /// Sends a command without keys; of a cluster the first good answer of any node counts, so that
    /// one node that is away does not matter.
    pub(crate) async fn ask(&self, command: Cmd) -> RedisResult<Value> {
        let answer = match self.connection.clone() {
            Connection::Single(mut connection) => connection.send_packed_command(&command).await,
            Connection::Cluster(mut connection) => {
                let first = Some(ResponsePolicy::OneSucceeded);
                let any = (MultipleNodeRoutingInfo::AllMasters, first);
                connection.route_command(command, RoutingInfo::MultiNode(any)).await
            }
        };
        self.judge(answer)
    }

    /// Whether it answers in time.
    pub(crate) async fn is_alive(&self, timeout: Duration) -> bool {
        let ping = self.ask(redis::cmd("PING"));
        matches!(tokio::time::timeout(timeout, ping).await, Ok(Ok(_)))
    }

    fn judge(&self, answer: RedisResult<Value>) -> RedisResult<Value> {
        let answer = answer.and_then(Value::extract_error);
        if let Err(error) = &answer {
            if self.is_demoted(error) {
                self.health.broken.notify_one();
            } else if error.is_io_error() || error.is_unrecoverable_error() {
                self.health.suspect.notify_one();
            }
        }
        answer
    }

    /// After a failover the name of the primary points elsewhere, but this connection still goes
    /// to the old one, which takes no writes. (In a cluster the driver sees to it.)
    fn is_demoted(&self, error: &RedisError) -> bool {
        let read_only = redis::ErrorKind::Server(ServerErrorKind::ReadOnly);
        !self.is_cluster() && error.kind() == read_only
    }
}
