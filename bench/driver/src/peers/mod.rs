//! Who is compared. Each peer is a process, and knows how it is asked for each scenario.

mod fastapi;
mod floor;
pub(crate) mod ours;

use std::time::Duration;

use anyhow::{Context, Result, bail};
use outrigger_testkit::{Process, TempDir, eventually};
use serde_json::json;

use crate::answer::Expected;
use crate::build::Built;
use crate::call::{call, call_json};
use crate::data;
use crate::requests::{FIRST, Order, Requests};
use crate::scenario::Scenario;
use crate::servers::Servers;
use crate::{load, proc};

const START_TIMEOUT: Duration = Duration::from_secs(60);
const STOP_TIMEOUT: Duration = Duration::from_secs(30);

/// A peer's name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Which {
    Ours,
    Floor,
    Fastapi,
}

impl Which {
    /// All, in the order of the report.
    pub(crate) const ALL: [Self; 3] = [Self::Ours, Self::Floor, Self::Fastapi];

    /// Its name on the command line and in the results.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Ours => "ours",
            Self::Floor => "floor",
            Self::Fastapi => "fastapi",
        }
    }

    /// The peer of this name.
    pub(crate) fn parse(name: &str) -> Result<Self> {
        match Self::ALL.into_iter().find(|peer| peer.name() == name.trim()) {
            Some(peer) => Ok(peer),
            None => bail!("--only {name}: there are ours, floor and fastapi"),
        }
    }

    /// What cargo builds for it.
    pub(crate) const fn package(self) -> Option<&'static str> {
        match self {
            Self::Ours => Some("outrigger"),
            Self::Floor => Some("outrigger-bench-floor"),
            Self::Fastapi => None,
        }
    }

    /// Starts it with its data.
    pub(crate) fn start(self, built: &Built, servers: &Servers) -> Result<Peer> {
        match self {
            Self::Ours => ours::start(built, servers),
            Self::Floor => floor::start(built, servers),
            Self::Fastapi => fastapi::start(built, servers),
        }
    }
}

/// Where a peer has what. Paths of records end where the id begins.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Paths {
    cached: &'static str,
    uncached: &'static str,
    authenticated: &'static str,
    create: &'static str,
    login: &'static str,
    enqueue: &'static str,
}

/// The paths of the floor and of the FastAPI reference.
const PEER_PATHS: Paths = Paths {
    cached: "/items/",
    uncached: "/rows/",
    authenticated: "/me/items/",
    create: "/items",
    login: "/login",
    enqueue: "/tasks",
};

/// A peer that runs and has its data.
pub(crate) struct Peer {
    pub(crate) which: Which,
    pub(crate) port: u16,
    process: Process,
    paths: Paths,
    /// Kept until the process has ended.
    dir: TempDir,
}

impl Peer {
    /// The processor time it has used so far.
    pub(crate) fn cpu(&self) -> Duration {
        proc::cpu(self.process.pid())
    }

    /// Its memory in KiB.
    pub(crate) fn memory_kib(&self) -> u64 {
        proc::memory_kib(self.process.pid())
    }

    /// Ends it in order; its folder stays.
    ///
    /// # Errors
    /// When it had to be killed.
    pub(crate) fn stop(self) -> Result<TempDir> {
        self.process.stop("INT", STOP_TIMEOUT)?;
        Ok(self.dir)
    }

    /// The requests of a scenario.
    ///
    /// # Errors
    /// When the log-in for it fails.
    pub(crate) fn requests(&self, scenario: Scenario) -> Result<Requests> {
        let read = |path: &str, token: Option<&str>| {
            Requests::new("GET", &format!("{path}r#"), token, None)
                .over(data::RECORDS, Order::Random)
                .expecting(Expected { status: 200, body_bytes: data::record_bytes() })
                .echoed()
        };
        Ok(match scenario {
            Scenario::CachedRead => read(self.paths.cached, None),
            Scenario::UncachedRead => read(self.paths.uncached, None),
            Scenario::AuthenticatedRead => read(self.paths.authenticated, Some(&self.token()?)),
            Scenario::DurableCreate => {
                Requests::new("POST", self.paths.create, None, Some(data::DATA))
                    .over(data::RECORDS, Order::Random)
                    .expecting(Expected { status: 201, body_bytes: data::record_bytes() })
            }
            Scenario::Enqueue => {
                let token = match self.which {
                    Which::Ours => ours::admin_token(self.port)?,
                    Which::Floor | Which::Fastapi => self.token()?,
                };
                let body = "{\"kind\":\"noop\",\"payload\":{\"echo\":#}}";
                Requests::new("POST", self.paths.enqueue, Some(&token), Some(body))
                    .over(data::RECORDS, Order::InTurn)
                    .expecting(Expected { status: 202, body_bytes: 50..=2_000 })
            }
            Scenario::Login => {
                Requests::new("POST", self.paths.login, None, Some(&data::login_body()))
                    .over(data::USERS, Order::InTurn)
                    .expecting(Expected { status: 200, body_bytes: 400..=4_000 })
            }
        })
    }

    /// Reads every record once, so that all are in the cache.
    ///
    /// # Errors
    /// When an answer is not as expected.
    pub(crate) fn warm(&self, scenario: Scenario, connections: usize) -> Result<()> {
        if !scenario.is_cached() {
            return Ok(());
        }
        let mut requests = self.requests(scenario)?.over(data::RECORDS, Order::InTurn);
        let all = load::Until::Count(data::RECORDS);
        load::run(self.port, connections, &mut requests, all).map(drop)
    }

    /// A user's access token, just made.
    fn token(&self) -> Result<String> {
        let email = format!("user{FIRST}@example.com");
        login(self.port, self.paths.login, &email, data::PASSWORD)
    }
}

/// Logs in and returns the access token.
fn login(port: u16, path: &str, email: &str, password: &str) -> Result<String> {
    let credentials = json!({"email": email, "password": password});
    let answer = call_json(port, "POST", path, None, &credentials)?;
    answer["access_token"].as_str().map(ToOwned::to_owned).context("a login without access_token")
}

/// Waits until `path` is answered with this status.
pub(crate) fn wait_for(process: &Process, port: u16, path: &str, status: u16) -> Result<()> {
    eventually("an answer of the server", START_TIMEOUT, || {
        if !process.is_running() {
            return Ok(Err(anyhow::anyhow!("it ended:\n{}", process.log_end())));
        }
        match call(port, "GET", path, None, None)? {
            (found, _) if found == status => Ok(Ok(())),
            (found, _) => bail!("{path} is answered with {found}"),
        }
    })
    .and_then(|answer| answer)
    .with_context(|| process.log_end())
}
