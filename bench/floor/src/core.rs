//! The connections of one core.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use anyhow::Result;
use redis::aio::MultiplexedConnection;
use tokio::sync::Semaphore;
use tokio_postgres::{Client, NoTls, Statement};

use crate::token::{Keys, Verified};

/// Pipelined connections for reads: many requests are on their way on each at once.
const READERS: usize = 2;
/// Connections for writes, one commit at a time each: PostgreSQL groups commits across connections.
const WRITERS: usize = 16;

/// In front of every key in Redis.
pub(crate) const PREFIX: &str = "fl:";

/// What the handlers of one core use.
pub(crate) struct Core {
    readers: Vec<Reader>,
    next: AtomicUsize,
    writers: Mutex<Vec<Writer>>,
    free: Semaphore,
    redis: MultiplexedConnection,
    pub(crate) keys: Arc<Keys>,
    pub(crate) verified: Verified,
}

/// A connection for reads, with its statements.
pub(crate) struct Reader {
    pub(crate) client: Client,
    pub(crate) item: Statement,
    pub(crate) user: Statement,
    pub(crate) session: Statement,
}

/// A connection for writes, with its statements.
pub(crate) struct Writer {
    pub(crate) client: Client,
    pub(crate) insert_item: Statement,
    pub(crate) insert_session: Statement,
}

impl Core {
    /// Connects; the connections are driven by the calling runtime.
    pub(crate) async fn connect(database: &str, redis: &str, keys: Arc<Keys>) -> Result<Self> {
        let mut readers = Vec::new();
        for _ in 0..READERS {
            readers.push(reader(database).await?);
        }
        let mut writers = Vec::new();
        for _ in 0..WRITERS {
            writers.push(writer(database).await?);
        }
        Ok(Self {
            readers,
            next: AtomicUsize::new(0),
            writers: Mutex::new(writers),
            free: Semaphore::new(WRITERS),
            redis: redis::Client::open(redis)?.get_multiplexed_async_connection().await?,
            keys,
            verified: Verified::default(),
        })
    }

    /// The next connection for reads.
    pub(crate) fn reader(&self) -> &Reader {
        &self.readers[self.next.fetch_add(1, Ordering::Relaxed) % READERS]
    }

    /// Does `work` with a connection for writes that nobody else uses meanwhile.
    pub(crate) async fn write<T>(&self, work: impl AsyncFnOnce(&Writer) -> Result<T>) -> Result<T> {
        let _free = self.free.acquire().await?;
        let taken = self.writers.lock().unwrap_or_else(PoisonError::into_inner).pop();
        let writer = taken.ok_or_else(|| anyhow::anyhow!("no connection is free"))?;
        let done = work(&writer).await;
        self.writers.lock().unwrap_or_else(PoisonError::into_inner).push(writer);
        done
    }

    /// The connection to Redis; all requests of the core are pipelined on it.
    pub(crate) fn redis(&self) -> MultiplexedConnection {
        self.redis.clone()
    }
}

async fn client(database: &str) -> Result<Client> {
    let (client, connection) = tokio_postgres::connect(database, NoTls).await?;
    tokio::spawn(connection);
    Ok(client)
}

async fn reader(database: &str) -> Result<Reader> {
    let client = client(database).await?;
    let item = client
        .prepare(
            "SELECT version, created_at, updated_at, created_by, data FROM items WHERE id = $1",
        )
        .await?;
    let user = client.prepare("SELECT id, role, password_hash FROM users WHERE email = $1").await?;
    let session = client.prepare("SELECT user_id, role FROM sessions WHERE id = $1").await?;
    Ok(Reader { client, item, user, session })
}

async fn writer(database: &str) -> Result<Writer> {
    let client = client(database).await?;
    let insert_item = client
        .prepare(
            "INSERT INTO items (id, version, created_at, updated_at, created_by, status, data) \
             VALUES ($1, 1, $2, $2, NULL, $3, $4)",
        )
        .await?;
    let insert_session = client
        .prepare(
            "INSERT INTO sessions (id, user_id, role, refresh_hash, created_at, expires_at) \
             VALUES ($1, $2, $3, $4, $5, $6)",
        )
        .await?;
    Ok(Writer { client, insert_item, insert_session })
}
