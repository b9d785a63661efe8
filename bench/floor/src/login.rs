//! `POST /login`: password, session on disk and in the cache, signed token.

use std::sync::Arc;

use axum::extract::State;
use axum::response::Response;
use bytes::Bytes;
use http::StatusCode;
use redis::AsyncCommands;
use serde::Deserialize;
use serde_json::json;

use crate::answer::{self, Failed};
use crate::core::{Core, PREFIX};
use crate::password;
use crate::token::{LIFE_S, SESSION_TTL_S, now_us, random_hex};

/// How long a session lives, in microseconds.
const SESSION_LIFE_US: i64 = 30 * 86_400 * 1_000_000;

#[derive(Deserialize)]
struct Request {
    email: String,
    password: String,
}

pub(crate) async fn handle(State(core): State<Arc<Core>>, body: Bytes) -> Result<Response, Failed> {
    let request: Request = serde_json::from_slice(&body)
        .map_err(|_| Failed::status(StatusCode::UNPROCESSABLE_ENTITY))?;
    let email = request.email.trim().to_lowercase();
    let refused = || Failed::status(StatusCode::UNAUTHORIZED);
    let reader = core.reader();
    let row = reader.client.query_opt(&reader.user, &[&email]).await?.ok_or_else(refused)?;
    let (user, role): (&str, &str) = (row.get(0), row.get(1));
    if !password::is_right(request.password, row.get(2)).await? {
        return Err(refused());
    }
    let session = format!("ses_{:013x}{}", now_us(), random_hex::<6>()?);
    let secret = random_hex::<32>()?;
    let hash = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, secret.as_bytes());
    let now = now_us();
    core.write(async |writer| {
        let expires = now + SESSION_LIFE_US;
        let row: [&(dyn tokio_postgres::types::ToSql + Sync); 6] =
            [&session, &user, &role, &hash.as_ref(), &now, &expires];
        writer.client.execute(&writer.insert_session, &row).await?;
        Ok(())
    })
    .await?;
    let key = format!("{PREFIX}s:{session}");
    let () = core.redis().set_ex(key, session_text(user, role), SESSION_TTL_S).await?;
    let text = serde_json::to_vec(&json!({
        "access_token": core.keys.sign(user, &session, role)?,
        "token_type": "Bearer",
        "expires_in": LIFE_S,
        "refresh_token": format!("{session}.{secret}"),
        "session_id": session,
        "user": {"id": user, "email": email, "role": role},
    }))?;
    Ok(answer::json(StatusCode::OK, text))
}

/// A session as the cache keeps it. Ids and roles need no escaping.
pub(crate) fn session_text(user: &str, role: &str) -> String {
    format!("{{\"user\":\"{user}\",\"role\":\"{role}\"}}")
}
