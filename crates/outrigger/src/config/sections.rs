//! The sections of the settings. What each key means stands in `config/default.toml`.
#![expect(missing_docs, reason = "config/default.toml documents every key, in one place")]

use anyhow::{Result, ensure};
use outrigger_domain::files::MediaRange;
use outrigger_domain::records::Rule;
use outrigger_domain::tasks::schedules::ScheduleInput;
use serde::Deserialize;
use std::collections::BTreeMap;
use std::path::PathBuf;

use super::secrets::Sensitive;
use super::vault::Vault;
use super::webhooks::NamedSecret;

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    pub deployment: Deployment,
    pub http: Http,
    pub database: Database,
    pub redis: Redis,
    pub cache: Cache,
    pub auth: Auth,
    pub admin: Admin,
    pub records: Records,
    pub tasks: Tasks,
    pub worker: Worker,
    pub webhooks: Webhooks,
    pub notifications: Notifications,
    #[serde(default)]
    pub schedules: BTreeMap<String, ScheduleInput>,
    pub blobs: Blobs,
    pub files: Files,
    pub analytics: Analytics,
    pub mail: Mail,
    pub metrics: Metrics,
    pub traces: Traces,
    pub log: Log,
    pub secrets: Secrets,
    #[serde(skip)]
    pub(crate) vault: Vault,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Secrets {
    pub refresh_s: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Environment {
    Development,
    Production,
}

/// Where tasks are kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum QueueOn {
    Auto,
    Database,
    Redis,
}

/// What is asked of new users.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum VerifyEmailWord {
    Off,
    Ask,
    Require,
}

/// What a process does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    Api,
    Worker,
    Scheduler,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Tasks {
    pub queue: QueueOn,
    pub external_kinds: Vec<String>,
    pub encrypt_payloads: bool,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Worker {
    pub queues: Vec<String>,
    pub concurrency: usize,
    pub lease_s: u64,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Deployment {
    pub environment: Environment,
    pub roles: Vec<Role>,
    pub replicas: u32,
    pub data_dir: PathBuf,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(clippy::struct_excessive_bools, reason = "each is a setting of its own")]
pub struct Http {
    pub address: String,
    pub port: u16,
    pub internal_port: u16,
    pub public_url: String,
    pub threads: usize,
    pub concurrency_max: usize,
    pub connections_max: usize,
    pub body_bytes_max: usize,
    pub query_bytes_max: usize,
    pub header_bytes_max: usize,
    pub keep_alive_s: u64,
    pub header_timeout_s: u64,
    pub request_timeout_s: u64,
    pub write_timeout_s: u64,
    pub drain_s: u64,
    pub shutdown_s: u64,
    pub rate_limit_per_minute: u32,
    pub rate_limit_exact: bool,
    pub forwarded_hops: usize,
    pub cors_origins: Vec<String>,
    pub docs: bool,
    pub console: bool,
    pub hsts: bool,
    pub services: Vec<String>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Database {
    pub url: Sensitive,
    pub readonly_url: Sensitive,
    pub read_connections: usize,
    pub write_connections: usize,
    pub statement_timeout_ms: u64,
    pub migrate_on_start: bool,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Redis {
    pub url: Sensitive,
    pub prefix: String,
    pub ca_file: String,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Cache {
    pub memory_bytes_max: usize,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Auth {
    pub secret: Sensitive,
    pub signing_keys: Vec<Sensitive>,
    pub rsa_bits: u32,
    pub access_token_s: u64,
    pub session_days: u64,
    pub session_days_max: u64,
    pub registration: bool,
    pub hash_memory_kib: u32,
    pub hash_iterations: u32,
    pub hash_lanes: u32,
    pub hash_threads: usize,
    pub hash_waiting_max: usize,
    pub tries_per_minute: u32,
    pub verify_email: VerifyEmailWord,
    pub verify_link_hours: u64,
    pub verify_page: String,
    pub reset_link_minutes: u64,
    pub reset_page: String,
    pub mails_per_hour: u32,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Admin {
    pub email: String,
    pub password: Sensitive,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Records {
    pub settle_s: u64,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Webhooks {
    pub secrets: Vec<NamedSecret>,
    pub allow_private: bool,
    pub ca_file: String,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Notifications {
    pub product: String,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Blobs {
    pub url: String,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Files {
    pub size_bytes_max: u64,
    pub types: Vec<MediaRange>,
    pub create: Rule,
    pub unfinished_s: u64,
    pub uploads_max: usize,
    pub downloads_max: usize,
    pub bytes_per_s_min: u64,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Analytics {
    pub ingest: Rule,
    pub late_hours: u64,
    pub retention_days: u64,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Mail {
    pub url: Sensitive,
    pub from: String,
    pub ca_file: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LogFormat {
    Auto,
    Text,
    Json,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Metrics {
    pub embedded_every_s: u64,
    pub deployment: String,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Traces {
    pub endpoint: String,
    pub headers: Sensitive,
    pub sample: f64,
    pub follow_callers: bool,
    pub service: String,
    pub ca_file: String,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Log {
    pub format: LogFormat,
    pub level: String,
}

/// The services whose routes can be exposed on their own.
const SERVICES: [&str; 13] = [
    "auth",
    "users",
    "collections",
    "records",
    "files",
    "tasks",
    "notifications",
    "analytics",
    "queues",
    "schedules",
    "replicas",
    "audit",
    "system",
];

/// What a write may wait for its turn and, twice, for a connection, in seconds.
const WAITS_S: u64 = 9;

impl Config {
    /// Whether this process does that.
    pub fn has_role(&self, role: Role) -> bool {
        self.deployment.roles.is_empty() || self.deployment.roles.contains(&role)
    }

    /// The words for what this process does.
    pub fn roles(&self) -> Vec<&'static str> {
        let all = [(Role::Api, "api"), (Role::Worker, "worker"), (Role::Scheduler, "scheduler")];
        all.into_iter().filter(|(role, _)| self.has_role(*role)).map(|(_, word)| word).collect()
    }

    /// Where to listen.
    pub fn listen_address(&self) -> &str {
        match (self.http.address.as_str(), self.deployment.environment) {
            ("", Environment::Development) => "127.0.0.1",
            ("", Environment::Production) => "0.0.0.0",
            (given, _) => given,
        }
    }

    /// The address under which clients reach this deployment, without a slash at the end.
    pub fn public_url(&self) -> String {
        match self.http.public_url.as_str() {
            "" => format!("http://127.0.0.1:{}", self.http.port),
            given => given.trim_end_matches('/').to_owned(),
        }
    }

    /// What messages call this deployment.
    pub fn product(&self) -> String {
        if !self.notifications.product.is_empty() {
            return self.notifications.product.clone();
        }
        let url = self.public_url();
        let host = url.split_once("://").map_or(url.as_str(), |(_, rest)| rest);
        host.split(['/', ':']).next().unwrap_or(host).to_owned()
    }

    /// Whether this is production.
    pub fn is_production(&self) -> bool {
        self.deployment.environment == Environment::Production
    }

    /// Handles to the database: those of the threads that serve, of the one that watches, and of
    /// the worker; each has connections of its own.
    pub fn database_handles(&self) -> usize {
        let serving = if self.has_role(Role::Api) { self.threads() } else { 0 };
        serving + 1 + usize::from(self.has_role(Role::Worker))
    }

    /// The longest time in seconds between a write's look at the definition and its commit: the
    /// definition may be a second old; the request has its time; what was handed over by then may
    /// wait for its turn and for a connection, be sent, and be sent once more on its own.
    pub fn write_s_max(&self) -> u64 {
        let statement_s = self.database.statement_timeout_ms.div_ceil(1_000);
        1 + self.http.request_timeout_s + WAITS_S + 2 * statement_s
    }

    /// Threads that serve requests.
    pub fn threads(&self) -> usize {
        match self.http.threads {
            0 => std::thread::available_parallelism().map_or(1, std::num::NonZero::get),
            given => given,
        }
    }

    /// Checks values that can be wrong on their own, and reads secrets from where they are.
    pub(super) fn check(&self) -> Result<()> {
        let (http, worker) = (&self.http, &self.worker);
        ensure!(!worker.queues.is_empty(), "worker.queues must name a queue");
        ensure!(
            (1..=10_000).contains(&worker.concurrency),
            "worker.concurrency must be between 1 and 10000"
        );
        ensure!(
            (3..=600).contains(&worker.lease_s),
            "worker.lease_s must be between 3 and 600 seconds"
        );
        for service in &http.services {
            ensure!(
                SERVICES.contains(&service.as_str()),
                "http.services: there is no service {service}; there are {}",
                SERVICES.join(", ")
            );
        }
        let positive = [
            ("http.concurrency_max", http.concurrency_max),
            ("http.connections_max", http.connections_max),
            ("http.body_bytes_max", http.body_bytes_max),
            ("files.uploads_max", self.files.uploads_max),
            ("files.downloads_max", self.files.downloads_max),
            ("database.read_connections", self.database.read_connections),
            ("database.write_connections", self.database.write_connections),
            ("http.rate_limit_per_minute", http.rate_limit_per_minute as usize),
            ("auth.tries_per_minute", self.auth.tries_per_minute as usize),
            ("auth.mails_per_hour", self.auth.mails_per_hour as usize),
        ];
        for (key, value) in positive {
            ensure!(value > 0, "{key} must be at least 1");
        }
        ensure!(!self.metrics.deployment.is_empty(), "metrics.deployment must not be empty");
        ensure!((0.0..=1.0).contains(&self.traces.sample), "traces.sample must be between 0 and 1");
        ensure!(!self.traces.service.is_empty(), "traces.service must not be empty");
        ensure!(self.files.size_bytes_max > 0, "files.size_bytes_max must be at least 1");
        ensure!(self.files.unfinished_s > 0, "files.unfinished_s must be at least 1");
        let analytics = &self.analytics;
        ensure!(
            (1..=8_760).contains(&analytics.late_hours),
            "analytics.late_hours must be between 1 and 8760"
        );
        ensure!(
            analytics.retention_days * 24 > analytics.late_hours
                && analytics.retention_days <= 36_500,
            "analytics.retention_days must be more than analytics.late_hours, and at most 36500"
        );
        ensure!(http.keep_alive_s > 0, "http.keep_alive_s must be at least 1");
        ensure!(http.header_timeout_s > 0, "http.header_timeout_s must be at least 1");
        ensure!(http.write_timeout_s > 0, "http.write_timeout_s must be at least 1");
        ensure!(http.header_bytes_max >= 8_192, "http.header_bytes_max must be at least 8192");
        ensure!(
            http.shutdown_s > http.drain_s,
            "http.shutdown_s ({}) must be more than http.drain_s ({})",
            http.shutdown_s,
            http.drain_s
        );
        ensure!(self.secrets.refresh_s > 0, "secrets.refresh_s must be at least 1");
        ensure!(
            self.log.level.parse::<tracing_subscriber::filter::LevelFilter>().is_ok(),
            "log.level must be error, warn, info, debug or trace"
        );
        Ok(())
    }

    /// Replaces references to secrets by what they refer to.
    pub(super) fn resolve(&mut self, environment: &[(String, String)]) -> Result<()> {
        let vault = Vault::of(environment);
        self.database.url.resolve("database.url", &vault)?;
        self.database.readonly_url.resolve("database.readonly_url", &vault)?;
        self.redis.url.resolve("redis.url", &vault)?;
        self.auth.secret.resolve("auth.secret", &vault)?;
        for key in &mut self.auth.signing_keys {
            key.resolve("auth.signing_keys", &vault)?;
        }
        for secret in &mut self.webhooks.secrets {
            secret.resolve(&vault)?;
        }
        self.admin.password.resolve("admin.password", &vault)?;
        self.mail.url.resolve("mail.url", &vault)?;
        self.traces.headers.resolve("traces.headers", &vault)?;
        self.vault = vault;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{Sources, insecurities, load};
    use outrigger_sql::PostgresOptions;

    fn config(flags: &[(&str, &str)]) -> Config {
        let flags = flags.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned()));
        load(&Sources { flags: flags.collect(), ..Sources::default() }).unwrap().config
    }

    #[test]
    fn re_indexing_waits_longer_than_a_write_may_take() {
        let waits = PostgresOptions::default().acquire_timeout * 3;
        assert_eq!(waits.as_secs(), WAITS_S, "the adapter waits for a turn and two connections");
        let refuses = |flags: &[(&str, &str)]| {
            insecurities(&config(flags)).iter().any(|why| why.contains("records.settle_s"))
        };
        assert!(!refuses(&[]), "the defaults go together");
        assert!(refuses(&[("records.settle_s", "49")]));
        assert!(!refuses(&[("records.settle_s", "50")]));
        assert!(refuses(&[("http.request_timeout_s", "60")]));
        assert!(refuses(&[("database.statement_timeout_ms", "30000")]));
    }

    #[test]
    fn the_services_are_those_of_the_operations_and_of_the_reference() {
        let settings = outrigger_http::Settings::default();
        let operations = outrigger_http::routes::exposed(&settings, Vec::new());
        let named = SERVICES.iter().all(|name| operations.iter().any(|o| o.service() == *name));
        assert!(named && operations.iter().all(|o| SERVICES.contains(&o.service())));
        let words = crate::config::DEFAULTS.replace("\n# ", " ");
        assert!(words.contains(&format!(" exposed: {}. Empty: all", SERVICES.join(", "))));
    }

    #[test]
    fn each_thread_has_a_handle_to_the_database() {
        let handles = |roles| {
            config(&[("http.threads", "4"), ("deployment.roles", roles)]).database_handles()
        };
        assert_eq!([handles(""), handles("api"), handles("worker")], [6, 5, 2]);
    }
}
