//! Credentials that are no good.

use serde_json::{Value, json};

use super::world::{Person, World};
use crate::support::{Server, SigningKey, now_s, open_token};

/// A name for the reader, and the value of the header `Authorization`.
pub(super) type Credential = (&'static str, String);

/// The claims of somebody's own token with one of them changed, or taken away.
fn changed(claims: &Value, name: &str, value: Value) -> Value {
    let mut claims = claims.clone();
    match value {
        Value::Null => drop(claims.as_object_mut().expect("claims").remove(name)),
        value => claims[name] = value,
    }
    claims
}

/// Every kind of credential that must be refused everywhere.
pub(super) fn bad(world: &World) -> Vec<Credential> {
    let mut all = malformed();
    all.extend(badly_signed(world));
    all.extend(badly_claimed(world));
    all.extend(ended(world));
    all
}

fn malformed() -> Vec<Credential> {
    vec![
        ("no scheme", "x".to_owned()),
        ("another scheme", "Basic dXNlcjpwYXNz".to_owned()),
        ("no token", "Bearer".to_owned()),
        ("an empty token", "Bearer  ".to_owned()),
        ("no JWT", "Bearer abc".to_owned()),
        ("three parts of nothing", "Bearer a.b.c".to_owned()),
        ("empty parts", "Bearer ..".to_owned()),
        ("a very long token", format!("Bearer {}", "a".repeat(8_000))),
    ]
}

fn badly_signed(world: &World) -> Vec<Credential> {
    let token = &world.owner.token;
    let (header, claims) = open_token(token);
    let foreign = SigningKey::generate();
    let with = |name: &str, value: Value| changed(&header, name, value);
    let (text, signature) = token.rsplit_once('.').expect("a signature");
    let admin = world.key.sign(&header, &changed(&claims, "role", json!("admin")));
    let admin_text = admin.rsplit_once('.').expect("a signature").0;
    [
        ("a foreign key", foreign.sign(&header, &claims)),
        ("an unknown key", foreign.sign(&with("kid", json!("key_9_0123456789abcdef")), &claims)),
        ("no name of a key", world.key.sign(&with("kid", Value::Null), &claims)),
        (
            "algorithm none",
            format!(
                "{}.",
                world
                    .key
                    .sign(&with("alg", json!("none")), &claims)
                    .rsplit_once('.')
                    .expect("a signature")
                    .0
            ),
        ),
        ("algorithm HS256", world.key.sign(&with("alg", json!("HS256")), &claims)),
        ("algorithm RS512", world.key.sign(&with("alg", json!("RS512")), &claims)),
        ("no signature", format!("{text}.")),
        ("a cut signature", format!("{text}.{}", &signature[..signature.len() - 8])),
        ("other claims under the signature", format!("{admin_text}.{signature}")),
    ]
    .map(|(name, token)| (name, format!("Bearer {token}")))
    .to_vec()
}

fn badly_claimed(world: &World) -> Vec<Credential> {
    let (_, claims) = open_token(&world.owner.token);
    let now = now_s();
    [
        ("expired", "exp", json!(now - 3_600)),
        ("expired just now", "exp", json!(now - 1)),
        ("without an end", "exp", Value::Null),
        ("an end that is no number", "exp", json!("tomorrow")),
        ("of another issuer", "iss", json!("http://example.com")),
        ("without an issuer", "iss", Value::Null),
        ("for another audience", "aud", json!("http://example.com")),
        ("without an audience", "aud", Value::Null),
        ("without a user", "sub", Value::Null),
        ("without a session", "sid", Value::Null),
        ("of a session that never was", "sid", json!("ses_00000000000000000000000000")),
        ("of somebody else's session", "sid", json!(world.other.session)),
        ("of a user that never was", "sub", json!("usr_00000000000000000000000000")),
    ]
    .map(|(name, claim, value)| {
        let token = world.key.sign(&world.header, &changed(&claims, claim, value));
        (name, format!("Bearer {token}"))
    })
    .to_vec()
}

/// Tokens that were good.
fn ended(world: &World) -> Vec<Credential> {
    let used = || {
        let person = Person::new(&world.server);
        world.api_of(&person).get("/api/v1/users/me").expect(200);
        person
    };
    let (logged_out, revoked, disabled, deleted) = (used(), used(), used(), used());
    let api = world.api_of(&logged_out);
    api.send("POST", "/api/v1/auth/logout", None).expect(204);
    let other = world.server.api().login(&revoked.email, Server::password()).expect(200).json();
    let other = world.server.api().with_token(other["access_token"].as_str().expect("a token"));
    other.delete(&format!("/api/v1/auth/sessions/{}", revoked.session)).expect(204);
    let path = |person: &Person| format!("/api/v1/users/{}", person.id);
    world.admin.patch(&path(&disabled), &json!({"disabled": true})).expect(200);
    world.admin.delete(&path(&deleted)).expect(204);
    [
        ("of a session that was logged out", logged_out),
        ("of a session that was revoked", revoked),
        ("of a disabled user", disabled),
        ("of a deleted user", deleted),
    ]
    .map(|(name, person)| (name, format!("Bearer {}", person.token)))
    .to_vec()
}
