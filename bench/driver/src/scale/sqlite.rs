//! Growing on SQLite, while the server is down: the file has one writer.

use std::time::Duration;

use anyhow::{Context, Result};
use outrigger_testkit::TempDir;
use rusqlite::Connection;

use super::{COLLECTION, Grown, LARGE, SMALL, all_requests, fill, grown};
use crate::args::Args;
use crate::build::Built;
use crate::out;
use crate::peers::{Peer, ours};

const STORE: &str = "SQLite";

pub(super) fn measure(args: &Args, built: &Built) -> Result<Vec<Grown>> {
    let peer = ours::start_in(built, TempDir::new("scale")?, &[])?;
    fill(&peer)?;
    let small = at_size(args, &peer, SMALL)?;
    out::note("growing to 1,000,000 records on SQLite");
    let dir = peer.stop()?;
    let database = Connection::open(dir.join("data/outrigger.db"))?;
    database.execute_batch(&grow_sql()).context("growing")?;
    database.close().map_err(|(_, error)| error)?;
    let peer = ours::start_in(built, dir, &[])?;
    let large = at_size(args, &peer, LARGE)?;
    Ok(grown(STORE, small, large))
}

fn at_size(args: &Args, peer: &Peer, size: u32) -> Result<Vec<super::Named>> {
    // There is no server beside it.
    let mut used = || (peer.cpu(), Duration::ZERO);
    all_requests(args, STORE, peer, &mut used, size)
}

/// Copies the records that are there, with their entries, under other ids.
fn grow_sql() -> String {
    let copies = LARGE / SMALL - 1;
    let copy = "WITH RECURSIVE copy(k) AS (SELECT 1 UNION ALL SELECT k + 1 FROM copy";
    let series = format!("{copy} WHERE k < {copies})");
    let id = format!("'r' || (CAST(substr(id, 2) AS INTEGER) + {SMALL} * k)");
    let collection = format!("collection LIKE 'rec.{COLLECTION}.%'");
    // Numbers of documents that no other document has.
    let doc = "doc + k * (SELECT max(doc) FROM original)";
    format!(
        "PRAGMA synchronous = OFF;
         BEGIN;
         CREATE TEMP TABLE original AS SELECT * FROM documents WHERE {collection};
         CREATE TEMP TABLE entry AS SELECT * FROM index_entries WHERE {collection};
         {series} INSERT INTO documents
           (doc, collection, id, version, expires_at, entries, body)
         SELECT {doc}, collection, {id}, version, expires_at, entries, body FROM copy, original;
         {series} INSERT INTO index_entries (collection, name, value, id, doc)
         SELECT collection, name, value, {id}, {doc} FROM copy, entry;
         COMMIT;
         PRAGMA wal_checkpoint(TRUNCATE);"
    )
}
