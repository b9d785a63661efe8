//! The setting of a run: collections of each kind, and who is signed in.

use std::net::SocketAddr;

use anyhow::{Context, Result};
use serde_json::{Value, json};

use super::client::send;
use super::server::{ADMIN_EMAIL, ADMIN_PASSWORD};

/// Access tokens.
pub(super) struct Tokens {
    /// Of somebody without a role.
    pub(super) user: String,
    /// Of the administrator.
    pub(super) admin: String,
}

const USER_EMAIL: &str = "user@example.org";
const USER_PASSWORD: &str = "nine-otters-sleep-on-the-raft";

/// Makes the collections and a user; gives the tokens.
///
/// # Errors
/// When the server refuses something.
pub(super) fn prepare(address: SocketAddr) -> Result<Tokens> {
    let admin = login(address, ADMIN_EMAIL, ADMIN_PASSWORD)?;
    for (name, definition) in collections() {
        send(address, "PUT", &format!("/api/v1/collections/{name}"), &admin, &definition)?;
    }
    let user = json!({"email": USER_EMAIL, "password": USER_PASSWORD});
    send(address, "POST", "/api/v1/auth/register", "", &user)?;
    Ok(Tokens { user: login(address, USER_EMAIL, USER_PASSWORD)?, admin })
}

fn login(address: SocketAddr, email: &str, password: &str) -> Result<String> {
    let body = json!({"email": email, "password": password});
    let answer = send(address, "POST", "/api/v1/auth/login", "", &body)?;
    let token = answer["access_token"].as_str().context("the login gave no access token")?;
    Ok(token.to_owned())
}

/// With and without a schema, references in it, indexes, unique entries, a cache; a rule of each kind.
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
    let shapes = json!({
        "type": "object",
        "properties": {
            "at": {"$ref": "#/$defs/point"},
            "line": {"type": "array", "items": {"$ref": "#point"}},
            "limit": {"type": "integer"},
        },
        "$defs": {"point": {
            "$anchor": "point", "type": "object", "required": ["x", "y"],
            "properties": {"x": {"type": "number"}, "y": {"type": "number"}},
        }},
    });
    vec![
        (
            "tickets",
            json!({
                "schema": schema, "indexes": ["status", "rank", "price", "due"],
                "unique": ["title"], "cache_ttl_s": 60, "rules": all("public"),
            }),
        ),
        ("shapes", json!({"schema": shapes, "indexes": ["limit"], "rules": all("public")})),
        ("loose", json!({"indexes": ["tag"], "cache_ttl_s": 0, "rules": all("public")})),
        ("members", json!({"rules": all("user")})),
        ("private", json!({"rules": all("owner")})),
        ("editors", json!({"rules": all("role:editor")})),
        ("closed", json!({})),
    ]
}
