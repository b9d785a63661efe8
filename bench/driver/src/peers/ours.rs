//! Starting Outrigger: as anybody would, with limits that the load does not reach.

use std::path::Path;
use std::process::Command;

use anyhow::Result;
use outrigger_testkit::{Process, TempDir, free_port};
use serde_json::{Value, json};

use super::{Paths, Peer, Which, login, wait_for};
use crate::answer::Expected;
use crate::build::Built;
use crate::call::call_json;
use crate::load::{self, Until};
use crate::requests::{Order, Requests};
use crate::servers::Servers;
use crate::{data, out};

/// The database of the comparison.
const DATABASE: &str = "bench_outrigger";
const ADMIN: &str = "admin@example.com";
const ADMIN_PASSWORD: &str = "copper-lantern-41-heron";
const LOGIN: &str = "/api/v1/auth/login";
/// Every limit is in force, and high enough not to be reached.
const LIMITS: [(&str, &str); 2] = [
    ("OUTRIGGER__HTTP__RATE_LIMIT_PER_MINUTE", "100000000"),
    ("OUTRIGGER__AUTH__TRIES_PER_MINUTE", "1000000"),
];
/// Connections while data is loaded.
const LOADING: usize = 32;

const PATHS: Paths = Paths {
    cached: "/api/v1/records/cached/",
    uncached: "/api/v1/records/uncached/",
    authenticated: "/api/v1/records/signed_in/",
    create: "/api/v1/records/created",
    login: LOGIN,
    enqueue: "/api/v1/tasks",
};

pub(super) fn start(built: &Built, servers: &Servers) -> Result<Peer> {
    start_filled(built, servers, DATABASE, &[])
}

/// Starts it with these settings besides, and the data of the comparison.
///
/// # Errors
/// When it does not start or take the data.
pub(crate) fn start_filled(
    built: &Built,
    servers: &Servers,
    database: &str,
    settings: &[(&str, &str)],
) -> Result<Peer> {
    let peer = start_with(built, servers, database, settings)?;
    fill(peer.port)?;
    servers.postgres.psql_in(database, "VACUUM ANALYZE")?;
    Ok(peer)
}

/// Starts it on PostgreSQL and Redis, with an administrator and nothing else.
///
/// # Errors
/// When it does not start.
pub(crate) fn start_empty(built: &Built, servers: &Servers, database: &str) -> Result<Peer> {
    start_with(built, servers, database, &[])
}

fn start_with(
    built: &Built,
    servers: &Servers,
    database: &str,
    settings: &[(&str, &str)],
) -> Result<Peer> {
    let url = servers.postgres.create_database(database)?;
    let prefix = format!("{database}:");
    // Deployments that share a Redis need prefixes of their own.
    let own = [
        ("DATABASE_URL", url.as_str()),
        ("REDIS_URL", &servers.redis.url()),
        ("OUTRIGGER__REDIS__PREFIX", &prefix),
        // Tasks are run by others, as the floor's are.
        ("OUTRIGGER__DEPLOYMENT__ROLES", "api"),
    ];
    start_in(built, TempDir::new("outrigger")?, &[&own, settings].concat())
}

/// Starts it in this folder, with what is there; without settings on SQLite and nothing else.
///
/// # Errors
/// When it does not start.
pub(crate) fn start_in(built: &Built, dir: TempDir, settings: &[(&str, &str)]) -> Result<Peer> {
    let port = free_port()?;
    let mut command = embedded(&built.outrigger, dir.path(), port)?;
    command.envs(settings.iter().copied());
    let process = Process::spawn("outrigger", &command, &dir.join("log"))?;
    wait_for(&process, port, "/health", 200)?;
    Ok(Peer { which: Which::Ours, port, process, paths: PATHS, dir })
}

/// `outrigger serve` with everything in this folder, an administrator, and limits out of reach.
pub(crate) fn embedded(binary: &Path, dir: &Path, port: u16) -> Result<Command> {
    let mut command = Command::new(binary);
    command.arg("serve").current_dir(dir).env("PORT", port.to_string());
    command.env("OUTRIGGER__HTTP__INTERNAL_PORT", free_port()?.to_string());
    command.env("OUTRIGGER_ADMIN_EMAIL", ADMIN).env("OUTRIGGER_ADMIN_PASSWORD", ADMIN_PASSWORD);
    command.envs(LIMITS);
    Ok(command)
}

/// The administrator's access token.
pub(crate) fn admin_token(port: u16) -> Result<String> {
    login(port, LOGIN, ADMIN, ADMIN_PASSWORD)
}

/// Defines a collection.
pub(crate) fn define(port: u16, token: &str, name: &str, definition: &Value) -> Result<()> {
    let path = format!("/api/v1/collections/{name}");
    call_json(port, "PUT", &path, Some(token), definition).map(drop)
}

/// Writes records over HTTP: `r1000000` and so on.
pub(crate) fn put_records(port: u16, token: &str, collection: &str, count: u32) -> Result<()> {
    let path = format!("/api/v1/records/{collection}/r#");
    let expected = Expected { status: 201, body_bytes: data::record_bytes() };
    let requests = Requests::new("PUT", &path, Some(token), Some(data::DATA)).expecting(expected);
    send_each(port, requests.echoed(), count)
}

fn send_each(port: u16, requests: Requests, count: u32) -> Result<()> {
    let mut requests = requests.over(count, Order::InTurn);
    load::run(port, LOADING, &mut requests, Until::Count(count)).map(drop)
}

fn fill(port: u16) -> Result<()> {
    out::note("writing the records of outrigger");
    let token = admin_token(port)?;
    let indexes = json!(["status"]);
    let definitions = [
        ("cached", json!({"indexes": indexes, "rules": {"read": "public"}})),
        ("uncached", json!({"indexes": indexes, "cache_ttl_s": 0, "rules": {"read": "public"}})),
        ("signed_in", json!({"indexes": indexes, "rules": {"read": "user"}})),
    ];
    for (name, definition) in definitions {
        define(port, &token, name, &definition)?;
        put_records(port, &token, name, data::RECORDS)?;
    }
    define(port, &token, "created", &json!({"indexes": indexes, "rules": {"create": "public"}}))?;
    let path = "/api/v1/auth/register";
    let requests = Requests::new("POST", path, None, Some(&data::login_body()))
        .expecting(Expected { status: 201, body_bytes: 50..=2_000 });
    send_each(port, requests, data::USERS)
}
