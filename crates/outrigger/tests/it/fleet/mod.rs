//! Two and more processes on one PostgreSQL and one Redis, behind a real balancer.

mod drain;
mod freshness;
mod keys;
mod limits;
mod nginx;
mod rolling;
mod schedules;
mod sessions;

use std::net::SocketAddr;
use std::sync::OnceLock;
use std::time::Duration;

use outrigger_testkit::Haproxy;

use crate::support::{Api, Backend, Server, ServerOptions};

/// The address under which clients know the deployment: that of no single process.
const PUBLIC_URL: &str = "http://outrigger.test";
const UP_TIMEOUT: Duration = Duration::from_secs(60);

/// Processes of one deployment.
#[derive(Debug)]
struct Fleet {
    servers: Vec<Server>,
}

impl Fleet {
    /// Options that the processes of a new deployment share.
    fn options() -> ServerOptions {
        ServerOptions::on(Backend::postgres_and_redis())
            .set("OUTRIGGER_PUBLIC_URL", PUBLIC_URL)
            .set("OUTRIGGER__DEPLOYMENT__REPLICAS", "3")
    }

    fn start(count: usize, options: &ServerOptions) -> Self {
        Self { servers: (0..count).map(|_| Server::start(options)).collect() }
    }

    /// The two processes that all tests share which do not need settings of their own.
    fn shared() -> &'static Self {
        static FLEET: OnceLock<Fleet> = OnceLock::new();
        FLEET.get_or_init(|| Self::start(2, &Self::options()))
    }

    /// One more process of the deployment, which starts now.
    fn one_more(&self) -> Server {
        let options = self.servers[0].options.clone();
        Server::start(&ServerOptions { folder: None, port: None, ..options })
    }

    fn server(&self, place: usize) -> &Server {
        &self.servers[place]
    }

    /// A client of one process, with connections of its own.
    fn api(&self, place: usize) -> Api {
        self.servers[place].api()
    }

    /// Several clients of one process: their connections lie on different threads of it.
    fn apis(&self, place: usize, token: &str) -> Vec<Api> {
        (0..4).map(|_| self.api(place).with_token(token)).collect()
    }

    fn addresses(&self) -> Vec<SocketAddr> {
        let address = |server: &Server| SocketAddr::from(([127, 0, 0, 1], server.port));
        self.servers.iter().map(address).collect()
    }

    /// A balancer in front of all processes, which sees them all.
    fn balancer(&self) -> Haproxy {
        let backends = self.addresses();
        let balancer = Haproxy::start(&backends).expect("HAProxy starts");
        balancer.wait_for_up(backends.len(), UP_TIMEOUT).expect("all are up");
        balancer
    }
}
