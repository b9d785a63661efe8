//! The setting of a run: collections of each kind, and the administrator signed in.

use std::net::SocketAddr;

use anyhow::{Context, Result};
use serde_json::{Value, json};

use super::client::send;
use super::server::{ADMIN_EMAIL, ADMIN_PASSWORD};

/// Makes the collections; gives the administrator's access token.
///
/// # Errors
/// When the server refuses something.
pub(super) fn prepare(address: SocketAddr) -> Result<String> {
    let login = json!({"email": ADMIN_EMAIL, "password": ADMIN_PASSWORD});
    let answer = send(address, "POST", "/api/v1/auth/login", "", &login)?;
    let token = answer["access_token"].as_str().context("the login gave no access token")?;
    for (name, definition) in collections() {
        send(address, "PUT", &format!("/api/v1/collections/{name}"), token, &definition)?;
    }
    Ok(token.to_owned())
}

/// With and without a schema, indexes, unique entries, a cache; a rule of each kind.
fn collections() -> Vec<(&'static str, Value)> {
    let all = |rule: &str| json!({"list": rule, "read": rule, "create": rule, "update": rule, "delete": rule});
    let schema = json!({
        "type": "object",
        "properties": {
            "title": {"type": "string", "minLength": 1, "maxLength": 80},
            "status": {"enum": ["open", "done"]},
            "rank": {"type": "integer", "minimum": 0, "maximum": 1_000_000},
            "price": {"type": "number"},
            "due": {"type": ["string", "null"], "format": "date-time"},
        },
        "required": ["title", "status"],
        "additionalProperties": false,
    });
    vec![
        (
            "tickets",
            json!({
                "schema": schema, "indexes": ["status", "rank", "price", "due"],
                "unique": ["title"], "cache_ttl_s": 60, "rules": all("public"),
            }),
        ),
        ("loose", json!({"indexes": ["tag"], "cache_ttl_s": 0, "rules": all("public")})),
        ("members", json!({"rules": all("user")})),
        ("private", json!({"rules": all("owner")})),
        ("editors", json!({"rules": all("role:editor")})),
        ("closed", json!({})),
    ]
}
