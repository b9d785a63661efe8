//! The three reads: through the cache, from the database, and through the cache with a session.

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::response::Response;
use http::header::AUTHORIZATION;
use http::{HeaderMap, StatusCode};
use redis::AsyncCommands;

use crate::answer::{Failed, Record, json};
use crate::core::{Core, PREFIX};
use crate::token::SESSION_TTL_S;

/// How long an item stays in the cache, in seconds.
const TTL_S: u64 = 60;

/// `GET /items/{id}`
pub(crate) async fn cached(
    State(core): State<Arc<Core>>,
    Path(id): Path<String>,
) -> Result<Response, Failed> {
    let key = format!("{PREFIX}i:{id}");
    let found: Option<Vec<u8>> = core.redis().get(&key).await?;
    match found {
        Some(text) => Ok(json(StatusCode::OK, text)),
        None => Ok(json(StatusCode::OK, fill(&core, &id, &key).await?)),
    }
}

/// `GET /rows/{id}`
pub(crate) async fn uncached(
    State(core): State<Arc<Core>>,
    Path(id): Path<String>,
) -> Result<Response, Failed> {
    Ok(json(StatusCode::OK, load(&core, &id).await?))
}

/// `GET /me/items/{id}`: session and item come from Redis in one command.
pub(crate) async fn authenticated(
    State(core): State<Arc<Core>>,
    Path(id): Path<String>,
    headers: HeaderMap,
) -> Result<Response, Failed> {
    let refused = || Failed::status(StatusCode::UNAUTHORIZED);
    let session = session_of(&core, &headers)?;
    let session_key = format!("{PREFIX}s:{session}");
    let key = format!("{PREFIX}i:{id}");
    let (live, found): (Option<Vec<u8>>, Option<Vec<u8>>) =
        core.redis().mget(&[&session_key, &key]).await?;
    if live.is_none() {
        revive(&core, &session, &session_key).await?.ok_or_else(refused)?;
    }
    match found {
        Some(text) => Ok(json(StatusCode::OK, text)),
        None => Ok(json(StatusCode::OK, fill(&core, &id, &key).await?)),
    }
}

/// The session that the access token names.
pub(crate) fn session_of(core: &Core, headers: &HeaderMap) -> Result<Arc<str>, Failed> {
    let token = headers.get(AUTHORIZATION).and_then(|value| value.to_str().ok());
    let token = token.and_then(|value| value.strip_prefix("Bearer "));
    let session = token.and_then(|token| core.verified.session(token, &core.keys));
    session.ok_or_else(|| Failed::status(StatusCode::UNAUTHORIZED))
}

/// Reads the item and puts it into the cache.
async fn fill(core: &Core, id: &str, key: &str) -> Result<String, Failed> {
    let text = load(core, id).await?;
    let () = core.redis().set_ex(key, &text, TTL_S).await?;
    Ok(text)
}

async fn load(core: &Core, id: &str) -> Result<String, Failed> {
    let reader = core.reader();
    let row = reader.client.query_opt(&reader.item, &[&id]).await?;
    let row = row.ok_or_else(|| Failed::status(StatusCode::NOT_FOUND))?;
    let record = Record {
        id,
        version: row.get(0),
        created_at: row.get(1),
        updated_at: row.get(2),
        created_by: row.get(3),
        data: row.get(4),
    };
    Ok(record.render()?)
}

/// Reads the session and puts it into the cache, if it is there.
async fn revive(core: &Core, session: &str, key: &str) -> Result<Option<()>, Failed> {
    let reader = core.reader();
    let Some(row) = reader.client.query_opt(&reader.session, &[&session]).await? else {
        return Ok(None);
    };
    let value = crate::login::session_text(row.get(0), row.get(1));
    let () = core.redis().set_ex(key, value, SESSION_TTL_S).await?;
    Ok(Some(()))
}
