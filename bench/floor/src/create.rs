//! `POST /items`: one row with one index, on disk before it is answered.

use std::borrow::Cow;
use std::sync::Arc;

use axum::extract::State;
use axum::response::Response;
use bytes::Bytes;
use http::StatusCode;
use serde::Deserialize;

use crate::answer::{Failed, Record, json};
use crate::core::Core;
use crate::token::{now_us, random_hex};

/// What is looked at; the rest is only checked to be JSON.
#[derive(Deserialize)]
struct Data<'a> {
    #[serde(borrow)]
    status: Cow<'a, str>,
}

pub(crate) async fn handle(State(core): State<Arc<Core>>, body: Bytes) -> Result<Response, Failed> {
    let data: Data<'_> = serde_json::from_slice(&body)
        .map_err(|_| Failed::status(StatusCode::UNPROCESSABLE_ENTITY))?;
    let text = std::str::from_utf8(&body)?;
    let now = now_us();
    let id = format!("rec_{now:013x}{}", random_hex::<6>()?);
    core.write(async |writer| {
        writer.client.execute(&writer.insert_item, &[&id, &now, &data.status, &text]).await?;
        Ok(())
    })
    .await?;
    let record = Record {
        id: &id,
        version: 1,
        created_at: now,
        updated_at: now,
        created_by: None,
        data: text,
    };
    Ok(json(StatusCode::CREATED, record.render()?))
}
