//! The real binary, started on free ports in a folder of its own.

use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus};
use std::time::Duration;

use outrigger_testkit::{Postgres, Process, Redis, TempDir, eventually, free_port, wait_until};
use serde_json::json;

use super::client::Api;
use super::unique;
use crate::outages::metric;

pub(crate) const ADMIN_EMAIL: &str = "admin@example.com";
pub(crate) const ADMIN_PASSWORD: &str = "a-tall-ship-and-a-star";
const PASSWORD: &str = "steer-her-by-the-wind";
const START_TIMEOUT: Duration = Duration::from_secs(120);

/// What the server stands on.
#[derive(Clone, Debug)]
pub(crate) enum Backend {
    /// The embedded default.
    Sqlite,
    /// These URLs.
    Urls {
        /// `DATABASE_URL`
        database: String,
        /// `REDIS_URL`
        redis: Option<String>,
    },
}

impl Backend {
    /// A database of its own on the shared PostgreSQL, and the shared Redis.
    pub(crate) fn postgres_and_redis() -> Self {
        let postgres = Postgres::shared().expect("PostgreSQL starts");
        let database = postgres.fresh_database().expect("a database");
        let redis = Redis::shared().expect("Redis starts");
        Self::Urls { database, redis: Some(redis.url()) }
    }

    /// A table of its own on the shared emulator of DynamoDB.
    #[cfg(feature = "dynamodb")]
    pub(crate) fn dynamodb() -> Self {
        let server = outrigger_testkit::DynamoDb::shared().expect("an emulator of DynamoDB starts");
        Self::Urls { database: server.fresh_url(), redis: None }
    }

    /// A database of its own on the shared emulator of MongoDB.
    #[cfg(feature = "mongodb")]
    pub(crate) fn mongodb() -> Self {
        let server = outrigger_testkit::MongoDb::shared().expect("an emulator of MongoDB starts");
        Self::Urls { database: server.fresh_url(), redis: None }
    }

    /// The same, and the shared Redis.
    #[cfg(any(feature = "dynamodb", feature = "mongodb"))]
    pub(crate) fn and_redis(self) -> Self {
        let Self::Urls { database, .. } = self else { unreachable!("it has URLs") };
        let redis = Redis::shared().expect("Redis starts");
        Self::Urls { database, redis: Some(redis.url()) }
    }
}

/// How a server is started.
#[derive(Clone, Debug)]
pub(crate) struct ServerOptions {
    pub(crate) backend: Backend,
    pub(crate) environment: Vec<(String, String)>,
    /// A folder to use again; else a new one.
    pub(crate) folder: Option<PathBuf>,
    /// A port to use again; else a free one.
    pub(crate) port: Option<u16>,
    /// Where its standard output goes; else to its log.
    pub(crate) stdout: Option<PathBuf>,
}

impl ServerOptions {
    pub(crate) fn on(backend: Backend) -> Self {
        // Several tests share a server, a Redis and one address.
        let prefix = unique(&format!("t{}-", std::process::id()));
        let environment = [
            ("OUTRIGGER__REDIS__PREFIX", prefix.as_str()),
            ("OUTRIGGER__AUTH__TRIES_PER_MINUTE", "100000"),
            ("OUTRIGGER__HTTP__RATE_LIMIT_PER_MINUTE", "1000000"),
            // The hash is the product's own, only cheaper: the tests sign in hundreds of times.
            ("OUTRIGGER__AUTH__HASH_MEMORY_KIB", "64"),
            ("OUTRIGGER__AUTH__HASH_ITERATIONS", "1"),
            ("OUTRIGGER__RECORDS__SETTLE_S", "2"),
            // Databases are slow on a machine that has much else to do.
            ("OUTRIGGER__DATABASE__STATEMENT_TIMEOUT_MS", "20000"),
            ("OUTRIGGER__TASKS__EXTERNAL_KINDS", "note.changed"),
            ("OUTRIGGER_ADMIN_EMAIL", ADMIN_EMAIL),
            ("OUTRIGGER_ADMIN_PASSWORD", ADMIN_PASSWORD),
            ("OUTRIGGER_SECRET", "0f3c6a9be27d41580f3c6a9be27d4158ab"),
        ];
        let environment = environment.map(|(k, v)| (k.to_owned(), v.to_owned())).to_vec();
        Self { backend, environment, folder: None, port: None, stdout: None }
    }

    /// Sets one variable; an empty value takes it away.
    pub(crate) fn set(mut self, name: &str, value: &str) -> Self {
        self.environment.retain(|(known, _)| known != name);
        if !value.is_empty() {
            self.environment.push((name.to_owned(), value.to_owned()));
        }
        self
    }

    /// Has its standard output go there.
    pub(crate) fn stdout(mut self, path: &Path) -> Self {
        self.stdout = Some(path.to_owned());
        self
    }
}

/// The binary under test.
pub(crate) fn binary() -> &'static Path {
    Path::new(env!("CARGO_BIN_EXE_outrigger"))
}

/// A running server.
#[derive(Debug)]
pub(crate) struct Server {
    pub(crate) port: u16,
    pub(crate) internal_port: u16,
    pub(crate) process: Process,
    pub(crate) options: ServerOptions,
    folder: Option<TempDir>,
}

impl Server {
    /// Starts one and waits until it is ready.
    pub(crate) fn start(options: &ServerOptions) -> Self {
        Self::start_with(options, &[])
    }

    /// The same with further arguments.
    pub(crate) fn start_with(options: &ServerOptions, arguments: &[&str]) -> Self {
        let server = Self::spawn(options, arguments);
        let ready = || match server.process.ended() {
            Some(status) => Ok(Err(status)),
            None if server.is_ready() => Ok(Ok(())),
            None => Err(anyhow::anyhow!("not yet")),
        };
        let started = eventually("the server is ready", START_TIMEOUT, ready);
        match started {
            Ok(Ok(())) => server,
            other => panic!("the server did not start: {other:?}\n{}", server.process.log()),
        }
    }

    /// Starts one without waiting.
    fn spawn(options: &ServerOptions, arguments: &[&str]) -> Self {
        let folder = options.folder.is_none().then(|| TempDir::new("server").expect("a folder"));
        let path = options.folder.clone().or_else(|| Some(folder.as_ref()?.path().to_owned()));
        let path = path.expect("a folder");
        let port = options.port.unwrap_or_else(|| free_port().expect("a free port"));
        let internal_port = free_port().expect("a free port");
        let mut command = command(options, &path);
        command.env("PORT", port.to_string());
        command.env("OUTRIGGER__HTTP__INTERNAL_PORT", internal_port.to_string());
        command.arg("serve").args(arguments);
        let log = path.join(unique("server-") + ".log");
        if let Some(stdout) = &options.stdout {
            command = redirected(&command, stdout);
        }
        let process = Process::spawn("outrigger", &command, &log).expect("the binary starts");
        let mut options = options.clone();
        options.folder = Some(path);
        options.port = Some(port);
        Self { port, internal_port, process, options, folder }
    }

    /// Starts the same server again, on the same port and folder.
    pub(crate) fn start_again(self) -> Self {
        let folder = self.folder;
        let mut server = Self::start(&self.options);
        server.folder = folder;
        server
    }

    /// The folder it runs in.
    pub(crate) fn path(&self) -> &Path {
        self.options.folder.as_deref().expect("a server has a folder")
    }

    /// Waits until so many requests are in flight. Who asks for something before may take the place
    /// of one that is meant to be held.
    pub(crate) fn wait_until_in_flight(&self, requests: u32) {
        let are_there =
            || metric(self, &["outrigger_http_requests_in_flight"]) >= f64::from(requests);
        wait_until("so many requests in flight", START_TIMEOUT, are_there).unwrap();
    }

    /// Whether its database is an emulator, which takes long for much.
    pub(crate) fn is_on_emulator(&self) -> bool {
        let Backend::Urls { database, .. } = &self.options.backend else { return false };
        database.starts_with("dynamodb:") || database.starts_with("mongodb:")
    }

    /// A worker has no other port than the internal one, which is opened last.
    fn is_ready(&self) -> bool {
        let Ok(answer) = self.internal().try_send("GET", "/health/ready", None) else {
            return false;
        };
        answer.status == 200
    }

    /// A client without a token.
    pub(crate) fn api(&self) -> Api {
        Api::new(&format!("http://127.0.0.1:{}", self.port))
    }

    /// A client of the internal port.
    pub(crate) fn internal(&self) -> Api {
        Api::new(&format!("http://127.0.0.1:{}", self.internal_port))
    }

    /// The administrator.
    pub(crate) fn admin(&self) -> Api {
        let answer = self.api().login(ADMIN_EMAIL, ADMIN_PASSWORD).expect(200);
        self.api().with_token(answer.json()["access_token"].as_str().expect("a token"))
    }

    /// Registers a user; the answer to their login.
    pub(crate) fn new_login(&self) -> (String, serde_json::Value) {
        let email = format!("{}@example.com", unique("user-"));
        let body = json!({"email": email, "password": PASSWORD});
        self.api().post("/api/v1/auth/register", &body).expect(201);
        let login = self.api().login(&email, PASSWORD).expect(200).json();
        (email, login)
    }

    /// A new user.
    pub(crate) fn user(&self) -> Api {
        let (_, login) = self.new_login();
        self.api().with_token(login["access_token"].as_str().expect("a token"))
    }

    /// The password of [`Server::new_login`]'s users.
    pub(crate) fn password() -> &'static str {
        PASSWORD
    }

    /// Defines a new collection; its name.
    pub(crate) fn collection(&self, definition: &serde_json::Value) -> String {
        let name = unique("things-");
        self.admin().put(&format!("/api/v1/collections/{name}"), definition).expect(201);
        name
    }

    /// Tells it to stop and waits for the end.
    pub(crate) fn terminate(&self) -> ExitStatus {
        self.process.stop("TERM", Duration::from_secs(60)).expect("the server ends")
    }

    /// Runs a command of the binary with the same settings.
    pub(crate) fn run(&self, arguments: &[&str]) -> (bool, String) {
        run(&self.options, self.path(), arguments, "")
    }
}

fn command(options: &ServerOptions, folder: &Path) -> Command {
    let mut command = Command::new(binary());
    command.current_dir(folder).env_clear();
    command.env("PATH", std::env::var_os("PATH").unwrap_or_default());
    command.envs(options.environment.iter().map(|(name, value)| (name, value)));
    if let Backend::Urls { database, redis } = &options.backend {
        command.env("DATABASE_URL", database);
        command.envs(redis.iter().map(|url| ("REDIS_URL", url)));
    }
    command
}

/// The same with its standard output elsewhere.
fn redirected(command: &Command, stdout: &Path) -> Command {
    let mut shell = Command::new("sh");
    shell.args(["-c", "out=$1; shift; exec \"$@\" >\"$out\"", "sh"]).arg(stdout);
    shell.arg(command.get_program()).args(command.get_args());
    let set = command.get_envs().filter_map(|(name, value)| Some((name, value?)));
    shell.env_clear().envs(set).current_dir(command.get_current_dir().unwrap_or(Path::new(".")));
    shell
}

/// Runs a command of the binary; whether it succeeded, and what it wrote.
pub(crate) fn run(
    options: &ServerOptions,
    folder: &Path,
    arguments: &[&str],
    input: &str,
) -> (bool, String) {
    use std::io::Write;
    use std::process::Stdio;
    let mut command = command(options, folder);
    command.args(arguments).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().expect("the binary starts");
    let mut stdin = child.stdin.take().expect("its input");
    let _ = stdin.write_all(input.as_bytes());
    drop(stdin);
    let output = child.wait_with_output().expect("the binary ends");
    let text = [output.stdout, output.stderr].concat();
    (output.status.success(), String::from_utf8_lossy(&text).into_owned())
}
