//! Access tokens: JWTs (RFC 7519) signed with RS256, valid for minutes, naming user and session.

use std::sync::Arc;

use jsonwebtoken::{Algorithm, Header, Validation};
use outrigger_kernel::{Error, Ids, Result, Role, Timestamp};
use serde::{Deserialize, Serialize};

use super::keys::{SigningKey, VerifyingKey};
use super::settings::AuthSettings;
use super::verified::Verified;

/// Longer texts are no tokens of ours.
const BYTES_MAX: usize = 4_096;

#[derive(Serialize)]
struct NewClaims<'a> {
    iss: &'a str,
    aud: &'a str,
    sub: &'a str,
    sid: &'a str,
    role: &'a str,
    iat: i64,
    exp: i64,
    jti: &'a str,
}

#[derive(Deserialize)]
struct Claims {
    sub: String,
    sid: String,
    role: String,
    exp: i64,
}

/// What a token says.
#[derive(Clone, Copy, Debug)]
pub(super) struct Subject<'a> {
    pub(super) user: &'a str,
    pub(super) session: &'a str,
    pub(super) role: &'a str,
}

/// Signs a token for this subject.
pub(super) fn sign(
    subject: Subject<'_>,
    now: Timestamp,
    expires: Timestamp,
    key: &SigningKey,
    settings: &AuthSettings,
    ids: &Ids,
) -> Result<String> {
    let mut header = Header::new(Algorithm::RS256);
    header.kid = Some(key.kid.clone());
    let claims = NewClaims {
        iss: &settings.public_url,
        aud: &settings.audience,
        sub: subject.user,
        sid: subject.session,
        role: subject.role,
        iat: now.as_secs(),
        exp: expires.as_secs(),
        jti: &ids.hex(8),
    };
    jsonwebtoken::encode(&header, &claims, &key.key).map_err(Error::internal)
}

/// The name of the key that the token says it is signed with.
pub(super) fn key_name(token: &str) -> Option<String> {
    if token.len() > BYTES_MAX {
        return None;
    }
    let header = jsonwebtoken::decode_header(token).ok()?;
    (header.alg == Algorithm::RS256).then_some(header.kid)?
}

/// What the token says, if this key has signed it for us. Whether it has expired is not looked at.
pub(super) fn verify(token: &str, key: &VerifyingKey, settings: &AuthSettings) -> Option<Verified> {
    let mut validation = Validation::new(Algorithm::RS256);
    validation.set_issuer(&[&settings.public_url]);
    validation.set_audience(&[&settings.audience]);
    validation.set_required_spec_claims(&["exp", "iss", "aud", "sub"]);
    // The clock is ours, not that of the library.
    validation.validate_exp = false;
    let claims = jsonwebtoken::decode::<Claims>(token, &key.key, &validation).ok()?.claims;
    Some(Verified {
        cache_key: crate::accounts::cache_key(&claims.sid).into_boxed_str(),
        user: Arc::from(claims.sub),
        session: Arc::from(claims.sid),
        role: Role::new(&claims.role),
        generation: key.generation,
        expires: Timestamp::from_secs(claims.exp),
    })
}
