//! Sessions: logins on one device each, and what makes them end at once on every replica.
//!
//! A session is alive while its document is there, its user is there and not disabled, and its
//! epoch is the user's. That answer is cached under `s:<id>`; whatever changes it holds that key
//! while it commits.

use std::net::IpAddr;
use std::time::Duration;

use bytes::Bytes;
use outrigger_kernel::{Error, Result, Role, Timestamp, limits};
use outrigger_ports::collection::{Collection, Entity, Stored, entry};
use outrigger_ports::index_value;
use outrigger_ports::store::{Batch, Entry, Order, Position, Precondition};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::model::User;
use crate::ports::Ports;

/// The index by user.
const BY_USER: &str = "user";
/// Longest `User-Agent` that is kept, in bytes.
const USER_AGENT_BYTES_MAX: usize = 256;

/// A session as the store keeps it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Session {
    /// Whose it is.
    pub user_id: String,
    /// The user's epoch when it started.
    pub epoch: u32,
    /// When it started.
    pub created_at: Timestamp,
    /// When its tokens were renewed last.
    pub last_refreshed_at: Timestamp,
    /// When it ends unless it is refreshed before.
    pub expires_at: Timestamp,
    /// When it ends however often it is refreshed.
    pub ends_at: Timestamp,
    /// What the client said it is, cut to 256 bytes.
    pub user_agent: Option<String>,
    /// From where it was last refreshed.
    pub address: Option<IpAddr>,
    /// SHA-256 of the part of the refresh token that stays, in hexadecimal.
    pub family_hash: String,
    /// SHA-256 of the part of the refresh token that changes with each use, in hexadecimal.
    pub refresh_hash: String,
}

impl Entity for Session {
    const COLLECTION: &'static str = "sys.sessions";
    const NAME: &'static str = "session";

    fn entries(&self) -> Vec<Entry> {
        vec![entry(BY_USER, index_value::of_str(&self.user_id))]
    }

    fn expires_at(&self) -> Option<Timestamp> {
        Some(self.expires_at.min(self.ends_at))
    }
}

/// A session as its user sees it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "Session")]
pub struct SessionView {
    /// `ses_…`
    pub id: String,
    /// When it started, RFC 3339.
    #[schemars(with = "String", extend("format" = "date-time"))]
    pub created_at: Timestamp,
    /// When its tokens were renewed last, RFC 3339.
    #[schemars(with = "String", extend("format" = "date-time"))]
    pub last_refreshed_at: Timestamp,
    /// When it ends unless it is refreshed before, RFC 3339.
    #[schemars(with = "String", extend("format" = "date-time"))]
    pub expires_at: Timestamp,
    /// What the client said it is.
    pub user_agent: Option<String>,
    /// From where it was last refreshed.
    #[schemars(with = "Option<String>")]
    pub address: Option<IpAddr>,
    /// Whether it is the one that asks.
    pub current: bool,
}

impl SessionView {
    fn of(stored: Stored<Session>, current: Option<&str>) -> Self {
        let Stored { id, value, .. } = stored;
        Self {
            current: current == Some(id.as_str()),
            id,
            created_at: value.created_at,
            last_refreshed_at: value.last_refreshed_at,
            expires_at: value.expires_at.min(value.ends_at),
            user_agent: value.user_agent,
            address: value.address,
        }
    }
}

/// What the cache keeps of a live session.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Live<'a> {
    /// The user's id.
    #[serde(borrow)]
    pub(crate) user: &'a str,
    /// The user's role.
    #[serde(borrow)]
    pub(crate) role: &'a str,
}

/// The parts of a session's and a user's document that decide whether the session is alive.
#[derive(Deserialize)]
struct SessionHead {
    user_id: String,
    epoch: u32,
}
#[derive(Deserialize)]
struct UserHead {
    role: Role,
    disabled: bool,
    epoch: u32,
}

/// The key of a session in the cache.
pub(crate) fn cache_key(session_id: &str) -> String {
    let mut key = String::with_capacity(2 + session_id.len());
    key.push_str("s:");
    key.push_str(session_id);
    key
}

/// A `User-Agent` cut to what is kept.
pub(crate) fn cut_user_agent(text: &str) -> String {
    let mut end = text.len().min(USER_AGENT_BYTES_MAX);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    text[..end].to_owned()
}

/// All sessions in the store.
#[derive(Clone, Debug)]
pub(crate) struct Sessions {
    ports: Ports,
    pub(crate) documents: Collection<Session>,
}

impl Sessions {
    pub(crate) fn new(ports: &Ports) -> Self {
        Self { ports: ports.clone(), documents: ports.collection() }
    }

    /// Reads from the store whether the session of this user is alive, in the form for the cache.
    pub(crate) async fn load_live(&self, session_id: &str, user_id: &str) -> Result<Option<Bytes>> {
        let keys = [Collection::<Session>::key(session_id), Collection::<User>::key(user_id)];
        let mut found = self.ports.store.get_many(&keys).await?;
        let (user, session) = (found.pop().flatten(), found.pop().flatten());
        let (Some(session), Some(user)) = (session, user) else { return Ok(None) };
        let session: SessionHead =
            serde_json::from_slice(&session.body).map_err(Error::internal)?;
        let user: UserHead = serde_json::from_slice(&user.body).map_err(Error::internal)?;
        if session.user_id != user_id || user.disabled || session.epoch != user.epoch {
            return Ok(None);
        }
        let live = Live { user: user_id, role: user.role.as_str() };
        serde_json::to_vec(&live).map(|bytes| Some(bytes.into())).map_err(Error::internal)
    }

    /// What is cached of the session, or is read and then cached for about `ttl`.
    pub(crate) async fn live(
        &self,
        key: &str,
        session_id: &str,
        user_id: &str,
        ttl: Duration,
    ) -> Result<Option<Bytes>> {
        let load = self.load_live(session_id, user_id);
        // Not from the cache when another process may have revoked it without the cache knowing.
        let ttl = if self.ports.cache.is_current() { ttl } else { Duration::ZERO };
        Ok(self.ports.cache.read(key, ttl, load).await?.map(|(value, _)| value))
    }

    /// Up to `limit` sessions of the user, the oldest first, and where to go on.
    pub(crate) async fn of_user(
        &self,
        user_id: &str,
        after: Option<Position>,
        limit: usize,
    ) -> Result<(Vec<Stored<Session>>, Option<Position>)> {
        let range = index_value::exactly(index_value::of_str(user_id));
        self.documents.list(Order::Index(BY_USER), range, false, after, limit).await
    }

    /// All sessions of the user, the oldest first.
    pub(crate) async fn all_of_user(&self, user_id: &str) -> Result<Vec<Stored<Session>>> {
        let mut all = Vec::new();
        let mut after = None;
        loop {
            let (page, next) =
                self.of_user(user_id, after, 2 * limits::SESSIONS_PER_USER_MAX).await?;
            all.extend(page);
            after = next;
            if after.is_none() {
                return Ok(all);
            }
        }
    }

    /// A page of the user's live sessions, as the user sees them.
    pub(crate) async fn page(
        &self,
        user: &Stored<User>,
        current: Option<&str>,
        after: Option<Position>,
        limit: usize,
    ) -> Result<(Vec<SessionView>, Option<Position>)> {
        let (found, next) = self.of_user(&user.id, after, limit).await?;
        let alive = found.into_iter().filter(|s| s.value.epoch == user.value.epoch);
        let items = alive.map(|stored| SessionView::of(stored, current)).collect();
        Ok((items, next))
    }

    /// Commits a batch that changes what sessions of the user are worth. Requests that come after
    /// it are judged anew on every replica.
    pub(crate) async fn commit_for(&self, user_id: &str, batch: Batch) -> Result<Vec<u64>> {
        let ids = |all: Vec<Stored<Session>>| all.into_iter().map(|s| s.id).collect::<Vec<_>>();
        let known = ids(self.all_of_user(user_id).await?);
        let versions = self.commit_held(&known, batch).await?;
        // A session that started between the two may have been cached as it was before.
        match self.all_of_user(user_id).await.map(ids) {
            Ok(mut late) => {
                late.retain(|id| !known.contains(id));
                if !late.is_empty() {
                    let keys: Vec<_> = late.iter().map(|id| cache_key(id)).collect();
                    self.ports.cache.revoke(&keys, async { Ok(()) }).await?;
                }
            }
            Err(error) => tracing::warn!(
                user.id = user_id,
                error = &error as &dyn std::error::Error,
                "could not look for sessions that started meanwhile; they are judged anew when \
                 the cache forgets them"
            ),
        }
        Ok(versions)
    }

    /// Commits a batch while these sessions are held out of the cache.
    pub(crate) async fn commit_held(
        &self,
        session_ids: &[String],
        batch: Batch,
    ) -> Result<Vec<u64>> {
        let commit = async { self.ports.store.commit(batch).await.map_err(Error::from) };
        if session_ids.is_empty() {
            return commit.await;
        }
        let keys: Vec<_> = session_ids.iter().map(|id| cache_key(id)).collect();
        self.ports.cache.revoke(&keys, commit).await
    }

    /// Deletes sessions of the user that are dead already: all but those of `epoch`. What cannot
    /// be deleted now stays dead, and expires.
    pub(crate) async fn sweep(&self, user_id: &str, epoch: Option<u32>) {
        let swept = async {
            let mut dead = self.all_of_user(user_id).await?;
            dead.retain(|session| Some(session.value.epoch) != epoch);
            for some in dead.chunks(limits::BATCH_MAX) {
                let deletes =
                    some.iter().map(|s| Collection::<Session>::delete(&s.id, Precondition::Any));
                self.ports.store.commit(Batch::of(deletes)).await?;
            }
            Ok::<_, Error>(())
        };
        if let Err(error) = swept.await {
            tracing::warn!(
                user.id = user_id,
                error = &error as &dyn std::error::Error,
                "could not delete dead sessions; they expire by themselves"
            );
        }
    }
}
