//! Growing on PostgreSQL.

use anyhow::{Context, Result};

use super::{COLLECTION, Grown, LARGE, SMALL, all_requests, fill, grown};
use crate::args::Args;
use crate::build::Built;
use crate::out;
use crate::peers::ours;
use crate::servers::Servers;

const DATABASE: &str = "bench_scale";
const STORE: &str = "PostgreSQL";

pub(super) fn measure(args: &Args, built: &Built, servers: &Servers) -> Result<Vec<Grown>> {
    let peer = ours::start_empty(built, servers, DATABASE)?;
    fill(&peer)?;
    servers.postgres.psql_in(DATABASE, "VACUUM ANALYZE")?;
    let mut used = || (peer.cpu(), servers.cpu());
    let small = all_requests(args, STORE, &peer, &mut used, SMALL)?;
    out::note("growing to 1,000,000 records on PostgreSQL");
    servers.postgres.psql_in(DATABASE, &grow_sql()).context("growing")?;
    servers.postgres.psql_in(DATABASE, "VACUUM ANALYZE")?;
    servers.postgres.psql_in(DATABASE, "CHECKPOINT")?;
    let large = all_requests(args, STORE, &peer, &mut used, LARGE)?;
    Ok(grown(STORE, small, large))
}

/// Copies the records that are there, with their entries, under other ids.
fn grow_sql() -> String {
    let copies = LARGE / SMALL - 1;
    let other = |id: &str| format!("'r' || (substr({id}, 2)::bigint + {SMALL} * k)");
    let collection = format!("collection LIKE 'rec.{COLLECTION}.%'");
    format!(
        "SET synchronous_commit = off;
         INSERT INTO outrigger_documents
           (version, expires_at, collection, id, entry_names, entry_values, entry_uniques, body)
         SELECT version, expires_at, collection, {}, entry_names, entry_values, entry_uniques, body
         FROM outrigger_documents, generate_series(1, {copies}) k WHERE {collection};
         INSERT INTO outrigger_index_entries (collection, name, value, id)
         SELECT collection, name, value, {}
         FROM outrigger_index_entries, generate_series(1, {copies}) k WHERE {collection};",
        other("id"),
        other("id"),
    )
}
