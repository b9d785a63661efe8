//! Databases on the replica set.

use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use mongodb::Client;
use mongodb::bson::oid::ObjectId;
use mongodb::bson::{Document, doc};
use tokio::time::sleep;

/// Longer than any election takes.
const ELECTED_WITHIN: Duration = Duration::from_secs(90);

/// The URL of a database that nobody else uses, gone with its value.
#[derive(Debug)]
pub(crate) struct Target {
    pub(crate) url: String,
}

impl Target {
    pub(crate) fn fresh() -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let (before, options) = parts();
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let name = format!("outrigger-test-{}-{number}", std::process::id());
        Self { url: format!("{before}/{name}{options}") }
    }
}

impl Drop for Target {
    /// On a thread of its own: the test's runtime may be ending.
    fn drop(&mut self) {
        let url = self.url.clone();
        let dropped = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
            runtime.unwrap().block_on(async {
                let client = Client::with_uri_str(&url).await?;
                client.default_database().unwrap().drop().await
            })
        });
        if !std::thread::panicking() {
            dropped.join().unwrap().unwrap();
        }
    }
}

fn variable(name: &str) -> String {
    let value = std::env::var_os(name).and_then(|value| value.into_string().ok());
    value.unwrap_or_else(|| panic!("{name} is not set"))
}

/// What stands before the database's name, and behind it.
fn parts() -> (String, String) {
    let url = variable("OUTRIGGER_TEST_MONGODB_URL");
    let (scheme, rest) = url.split_once("://").expect("a URL");
    let (rest, options) = rest.split_once('?').unwrap_or((rest, ""));
    let hosts = rest.split_once('/').map_or(rest, |(hosts, _)| hosts);
    let options = if options.is_empty() { String::new() } else { format!("?{options}") };
    (format!("{scheme}://{hosts}"), options)
}

/// Runs a command on the primary.
async fn admin(command: Document) -> mongodb::error::Result<Document> {
    let (before, options) = parts();
    let client = Client::with_uri_str(format!("{before}/{options}")).await?;
    client.database("admin").run_command(command).await
}

/// Who is primary, by which election. Each election has an id of its own, also when the same member
/// wins again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Office {
    primary: String,
    election: ObjectId,
}

impl Office {
    /// As the primary says it; an error while there is none.
    async fn ask() -> mongodb::error::Result<Self> {
        let hello = admin(doc! { "hello": 1 }).await?;
        let primary = hello.get_str("primary").expect("a member of a replica set").to_owned();
        let election = hello.get_object_id("electionId").expect("the answer of a primary");
        Ok(Self { primary, election })
    }

    /// The present one.
    pub(crate) async fn now() -> Self {
        Self::ask().await.unwrap()
    }

    /// Waits until there has been another election than this. `said` tells what was to bring it about.
    pub(crate) async fn until_another(&self, said: &str) -> Self {
        let started = Instant::now();
        loop {
            let office = Self::ask().await;
            match office {
                Ok(office) if office.election != self.election => return office,
                _ if started.elapsed() < ELECTED_WITHIN => sleep(Duration::from_millis(50)).await,
                _ => panic!("after {self:?} there was no election ({said}): {office:?}"),
            }
        }
    }
}

/// Has the primary give up its office for ten seconds; says what it has answered. It may close the
/// connection instead: whether it did it is seen by the election.
pub(crate) async fn step_down() -> String {
    format!("{:?}", admin(doc! { "replSetStepDown": 10, "force": true }).await)
}

/// Ends the primary with `kill -9` and starts it again, by the command in
/// `OUTRIGGER_TEST_MONGODB_KILL`, which is given its host and port.
#[cfg(feature = "replica-set-kill")]
pub(crate) async fn kill_primary() -> String {
    let command = variable("OUTRIGGER_TEST_MONGODB_KILL");
    let kill = format!("{command} {}", Office::now().await.primary);
    let run = || std::process::Command::new("sh").args(["-c", &kill]).status();
    let killed = tokio::task::block_in_place(run).unwrap();
    assert!(killed.success(), "{kill}");
    kill
}
