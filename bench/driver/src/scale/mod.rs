//! Whether cost grows with what is stored: the same requests at 1,000 and at 1,000,000 records.

mod postgres;
mod sqlite;

use std::time::Duration;

use anyhow::Result;
use serde_json::json;

use crate::answer::Expected;
use crate::args::Args;
use crate::build::Built;
use crate::compare::{self, Round};
use crate::load::{self, Until};
use crate::peers::{Peer, ours};
use crate::requests::{Order, Requests};
use crate::servers::Servers;
use crate::{data, out};

/// Records at first; those that HTTP writes.
const SMALL: u32 = 1_000;
/// Records in the end.
const LARGE: u32 = 1_000_000;
const COLLECTION: &str = "scale";
/// Enough for a steady load, few enough that cost is not hidden in queues.
const CONNECTIONS: usize = 16;
const WARM_UP: Duration = Duration::from_millis(300);
/// Records on a page.
const PAGE: usize = 20;

/// One kind of request at both sizes.
#[derive(Clone, Debug)]
pub(crate) struct Grown {
    /// Where the records are.
    pub(crate) store: &'static str,
    /// What is asked.
    pub(crate) name: &'static str,
    /// At 1,000 records.
    pub(crate) small: Round,
    /// At 1,000,000.
    pub(crate) large: Round,
}

/// Measures reads and pages on PostgreSQL and on SQLite.
///
/// # Errors
/// When an answer is not as expected.
pub(crate) fn measure(args: &Args, built: &Built, servers: &Servers) -> Result<Vec<Grown>> {
    let mut all = postgres::measure(args, built, servers)?;
    all.extend(sqlite::measure(args, built)?);
    Ok(all)
}

/// Defines the collection and writes its first records.
fn fill(peer: &Peer) -> Result<()> {
    let token = ours::admin_token(peer.port)?;
    let rules = json!({"read": "public", "list": "public"});
    let definition = json!({"indexes": ["status", "n"], "cache_ttl_s": 0, "rules": rules});
    ours::define(peer.port, &token, COLLECTION, &definition)?;
    ours::put_records(peer.port, &token, COLLECTION, SMALL)
}

/// What was asked, and what came of it.
type Named = (&'static str, Round);

/// The processor time of a server, and of what it stands on.
type Used<'a> = &'a mut dyn FnMut() -> (Duration, Duration);

fn all_requests(
    args: &Args,
    store: &str,
    peer: &Peer,
    used: Used<'_>,
    size: u32,
) -> Result<Vec<Named>> {
    let measured = kinds(size).into_iter().map(|(name, mut requests)| {
        load::run(peer.port, CONNECTIONS, &mut requests, Until::Time(WARM_UP))?;
        let mut rounds = Vec::new();
        for _ in 0..args.rounds {
            let load = Until::Time(args.round);
            rounds.push(compare::measure(used, || {
                load::run(peer.port, CONNECTIONS, &mut requests, load)
            })?);
        }
        let middle = Round::median(&rounds);
        out::note(&format!("{store}, {name} at {size}: {:.0}/s", middle.rate));
        Ok((name, middle))
    });
    measured.collect()
}

/// The requests, by name.
fn kinds(size: u32) -> [(&'static str, Requests); 4] {
    let page = data::DATA.len() * PAGE..=(data::DATA.len() + 400) * PAGE;
    let list = |query: &str| {
        let path = format!("/api/v1/records/{COLLECTION}?{query}limit={PAGE}");
        Requests::new("GET", &path, None, None)
            .expecting(Expected { status: 200, body_bytes: page.clone() })
    };
    let point = Requests::new("GET", &format!("/api/v1/records/{COLLECTION}/r#"), None, None)
        .expecting(Expected { status: 200, body_bytes: data::record_bytes() });
    [
        ("point read", point.over(size, Order::Random).echoed()),
        ("first page", list("")),
        ("page by equal value", list("status=open&")),
        // Not the last values: there are too few records behind them for a page.
        ("page by range and order", list("n%5Bgte%5D=#&sort=n&").over(SMALL - 100, Order::Random)),
    ]
}

/// Brings both sizes together.
fn grown(store: &'static str, small: Vec<Named>, large: Vec<Named>) -> Vec<Grown> {
    let pairs = small.into_iter().zip(large);
    pairs.map(|((name, small), (_, large))| Grown { store, name, small, large }).collect()
}
