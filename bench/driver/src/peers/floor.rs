//! Starting the floor.

use std::process::Command;

use anyhow::Result;
use outrigger_testkit::{Process, TempDir, free_port};

use super::{PEER_PATHS, Peer, Which, wait_for};
use crate::build::Built;
use crate::data;
use crate::servers::Servers;

const DATABASE: &str = "bench_floor";

pub(super) fn start(built: &Built, servers: &Servers) -> Result<Peer> {
    let database = servers.postgres.create_database(DATABASE)?;
    servers.postgres.psql_in(DATABASE, &data::sql())?;
    servers.postgres.psql_in(DATABASE, "VACUUM ANALYZE")?;
    let (port, dir) = (free_port()?, TempDir::new("floor")?);
    let threads = std::thread::available_parallelism()?.to_string();
    let mut command = Command::new(&built.floor);
    command.args([&port.to_string(), &database, &servers.redis.url(), &threads]);
    let process = Process::spawn("floor", &command, &dir.join("log"))?;
    wait_for(&process, port, "/", 404)?;
    Ok(Peer { which: Which::Floor, port, process, paths: PEER_PATHS, dir })
}
