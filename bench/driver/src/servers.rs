//! PostgreSQL and Redis, which all peers share.

use std::time::Duration;

use anyhow::{Context, Result};
use outrigger_testkit::redis::RedisOptions;
use outrigger_testkit::{Postgres, PostgresOptions, Redis};

use crate::{out, proc};

/// Both servers; PostgreSQL waits for the disk at each commit, Redis writes its append-only file each
/// second.
pub(crate) struct Servers {
    pub(crate) postgres: Postgres,
    pub(crate) redis: Redis,
}

impl Servers {
    /// Starts both.
    pub(crate) fn start() -> Result<Self> {
        out::note("starting PostgreSQL and Redis");
        let settings =
            [("shared_buffers", "512MB"), ("max_wal_size", "4GB"), ("synchronous_commit", "on")];
        let postgres = Postgres::start_with(PostgresOptions {
            durable: true,
            settings: settings.map(|(name, value)| (name.into(), value.into())).to_vec(),
            ..PostgresOptions::default()
        })?;
        let args =
            ["--appendonly", "yes", "--appendfsync", "everysec"].map(ToOwned::to_owned).to_vec();
        let redis = Redis::start_with(RedisOptions { args, ..RedisOptions::default() })?;
        Ok(Self { postgres, redis })
    }

    /// The processor time that both have used so far.
    pub(crate) fn cpu(&self) -> Duration {
        [self.postgres.pid(), self.redis.pid()].into_iter().flatten().map(proc::cpu).sum()
    }

    /// Their versions.
    pub(crate) fn versions(&self) -> Result<String> {
        let postgres = self.postgres.psql("show server_version")?;
        let info = self.redis.cli(&["INFO", "server"])?;
        let redis = info.lines().find_map(|line| line.strip_prefix("redis_version:"));
        let postgres = postgres.split(' ').next().unwrap_or_default();
        Ok(format!("PostgreSQL {postgres}, Redis {}", redis.context("no redis_version")?.trim()))
    }
}
