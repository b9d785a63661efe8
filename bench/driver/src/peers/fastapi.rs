//! Starting the FastAPI reference.

use std::process::Command;

use anyhow::{Result, bail};
use outrigger_testkit::{Process, TempDir, free_port};

use super::{PEER_PATHS, Peer, Which, wait_for};
use crate::build::Built;
use crate::data;
use crate::servers::Servers;

const DATABASE: &str = "bench_fastapi";
/// Both workers sign with one key.
const MAKE_KEY: &str = "\
import sys
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
open(sys.argv[1], 'wb').write(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
";

pub(super) fn start(built: &Built, servers: &Servers) -> Result<Peer> {
    let database = servers.postgres.create_database(DATABASE)?;
    servers.postgres.psql_in(DATABASE, &data::sql())?;
    servers.postgres.psql_in(DATABASE, "VACUUM ANALYZE")?;
    let (port, dir) = (free_port()?, TempDir::new("fastapi")?);
    let key = dir.join("key.pem");
    let made = Command::new(&built.python).args(["-c", MAKE_KEY]).arg(&key).status()?;
    if !made.success() {
        bail!("no key for the FastAPI reference: python ended with {made}");
    }
    let mut command = Command::new(&built.python);
    command.current_dir(&built.fastapi).args(["-m", "uvicorn", "app:app", "--host", "127.0.0.1"]);
    command.args(["--port", &port.to_string(), "--workers", "2"]);
    command.args(["--no-access-log", "--log-level", "warning"]);
    command.env("DATABASE_URL", database.replacen("postgres://", "postgresql+asyncpg://", 1));
    command.env("REDIS_URL", servers.redis.url()).env("RSA_KEY_FILE", &key);
    command.env("PYTHONDONTWRITEBYTECODE", "1");
    let process = Process::spawn("fastapi", &command, &dir.join("log"))?;
    wait_for(&process, port, "/health", 200)?;
    Ok(Peer { which: Which::Fastapi, port, process, paths: PEER_PATHS, dir })
}
