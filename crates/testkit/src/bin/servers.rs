//! Starts PostgreSQL and Redis on free ports for trying things out, prints their URLs, and ends
//! them when standard input ends.

use std::io::{Read, Write};

use outrigger_testkit::{Postgres, Redis};

fn main() -> anyhow::Result<()> {
    let postgres = Postgres::start()?;
    let redis = Redis::start()?;
    let mut out = std::io::stdout().lock();
    writeln!(out, "DATABASE_URL={}", postgres.url())?;
    writeln!(out, "REDIS_URL={}", redis.url())?;
    out.flush()?;
    std::io::stdin().read_to_end(&mut Vec::new())?;
    Ok(())
}
