//! Analytics: how many events a second are taken, each once by its id, and counted exactly.

use std::fmt::Write;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use outrigger_testkit::{TempDir, eventually};
use serde_json::Value;

use crate::answer::Expected;
use crate::build::Built;
use crate::call::call;
use crate::load::{self, Until};
use crate::out;
use crate::peers::{Peer, ours};
use crate::requests::{Order, Requests};
use crate::servers::Servers;

const REQUESTS: u32 = 400;
/// Events of a request: as many as it may have.
const EVENTS: u32 = 500;
const CONNECTIONS: usize = 8;
const NAMES: u32 = 10;
const COUNTRIES: u32 = 20;
const PATIENCE: Duration = Duration::from_secs(300);

/// What was measured on one database, in one process that takes and counts.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Taken {
    /// Where the events are.
    pub(crate) place: &'static str,
    /// Acknowledged events a second, on disk.
    pub(crate) acknowledged: f64,
    /// Events a second until the last one was counted.
    pub(crate) counted: f64,
    /// Processor time for 1,000 events, in milliseconds.
    pub(crate) cpu_ms: f64,
    /// The same of PostgreSQL.
    pub(crate) servers_cpu_ms: f64,
}

/// Sends events to a server on SQLite and to one on PostgreSQL.
///
/// # Errors
/// When an answer is not as expected, or the counts are not exact.
pub(crate) fn measure(built: &Built, servers: &Servers) -> Result<Vec<Taken>> {
    let sqlite = on("SQLite", &ours::start_in(built, TempDir::new("events")?, &[])?, None)?;
    let url = servers.postgres.create_database("bench_events")?;
    let settings = [
        ("DATABASE_URL", url.as_str()),
        ("OUTRIGGER_SECRET", "0f3c6a9be27d41580f3c6a9be27d4158ab"),
    ];
    let postgres = ours::start_in(built, TempDir::new("events")?, &settings)?;
    Ok(vec![sqlite, on("PostgreSQL", &postgres, Some(servers))?])
}

fn on(place: &'static str, peer: &Peer, servers: Option<&Servers>) -> Result<Taken> {
    out::note(&format!("sending {} events to a server on {place}", REQUESTS * EVENTS));
    let token = ours::admin_token(peer.port)?;
    let answer = format!("{{\"accepted\":{EVENTS},\"duplicates\":0}}").len();
    let mut requests =
        Requests::new("POST", "/api/v1/analytics/events", Some(&token), Some(&body()))
            .over(REQUESTS, Order::InTurn)
            .expecting(Expected { status: 202, body_bytes: answer..=answer });
    let servers_cpu = || servers.map_or(Duration::ZERO, Servers::cpu);
    let (before, servers_before) = (peer.cpu(), servers_cpu());
    let began = Instant::now();
    load::run(peer.port, CONNECTIONS, &mut requests, Until::Count(REQUESTS))?;
    let taken = began.elapsed();
    eventually("all events are counted", PATIENCE, || all_are_counted(peer, &token))?;
    let all = began.elapsed();
    let events = f64::from(REQUESTS * EVENTS);
    let per_1000 = |used: Duration| used.as_secs_f64() * 1_000_000.0 / events;
    let measured = Taken {
        place,
        acknowledged: events / taken.as_secs_f64(),
        counted: events / all.as_secs_f64(),
        cpu_ms: per_1000(peer.cpu().saturating_sub(before)),
        servers_cpu_ms: per_1000(servers_cpu().saturating_sub(servers_before)),
    };
    out::note(&format!(
        "{place}: {:.0} events/s taken, {:.0} taken and counted",
        measured.acknowledged, measured.counted
    ));
    Ok(measured)
}

/// A request with events that no other request has.
fn body() -> String {
    let mut text = "{\"events\":[".to_owned();
    for number in 0..EVENTS {
        let (name, country) = (number % NAMES, number % COUNTRIES);
        let comma = if number == 0 { "" } else { "," };
        let _ = write!(
            text,
            "{comma}{{\"id\":\"0190f2c4-#-{number:03}\",\"name\":\"name{name}\",\
             \"properties\":{{\"plan\":\"plan{}\",\"country\":\"c{country}\"}}}}",
            number % 3
        );
    }
    text + "]}"
}

/// Each name has its part of the events, and no more.
fn all_are_counted(peer: &Peer, token: &str) -> Result<()> {
    for name in 0..NAMES {
        let path = format!("/api/v1/analytics/query?event=name{name}&time_zone=Asia/Kolkata");
        let (status, text) = call(peer.port, "GET", &path, Some(token), None)?;
        let answer: Value = serde_json::from_slice(&text).context(path)?;
        let total = answer["total"].as_u64();
        if status != 200 || total != Some(u64::from(REQUESTS * EVENTS / NAMES)) {
            bail!("{status}: name{name} has {total:?}");
        }
    }
    Ok(())
}
