//! Access tokens: RS256, made by `login`, remembered once verified.

use std::collections::HashMap;
use std::fmt::Write;
use std::sync::{Arc, Mutex, PoisonError};

use anyhow::{Context, Result};
use aws_lc_rs::encoding::AsDer;
use aws_lc_rs::rsa::{KeyPair, KeySize};
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation};
use serde::{Deserialize, Serialize};

/// How long a token is valid, in seconds.
pub(crate) const LIFE_S: i64 = 900;
/// How long a session stays in the cache, in seconds.
pub(crate) const SESSION_TTL_S: u64 = 60;
/// Most tokens that are remembered; then all are forgotten.
const REMEMBERED_MAX: usize = 65_536;
/// The head of a PKCS#8 key of 2,048 bits (RFC 5958); behind it stands the PKCS#1 key.
const PKCS8_HEAD_BYTES: usize = 26;

/// The key pair.
pub(crate) struct Keys {
    signing: EncodingKey,
    verifying: DecodingKey,
}

/// What a token says.
#[derive(Serialize, Deserialize)]
struct Claims {
    sub: String,
    sid: String,
    role: String,
    iat: i64,
    exp: i64,
}

/// Tokens that were verified.
#[derive(Default)]
pub(crate) struct Verified(Mutex<HashMap<Box<str>, Remembered>>);

/// What is kept of a token.
struct Remembered {
    session: Arc<str>,
    /// Seconds since the epoch.
    expires: i64,
}

impl Keys {
    /// Makes a key of 2,048 bits.
    pub(crate) fn generate() -> Result<Self> {
        let pair = KeyPair::generate(KeySize::Rsa2048).context("no RSA key")?;
        let pkcs8 = pair.as_der().context("no RSA key")?;
        let pkcs1 = pkcs8.as_ref().get(PKCS8_HEAD_BYTES..).context("no RSA key")?;
        let signing = EncodingKey::from_rsa_der(pkcs1);
        let jwk = jsonwebtoken::jwk::Jwk::from_encoding_key(&signing, Algorithm::RS256)?;
        Ok(Self { verifying: DecodingKey::from_jwk(&jwk)?, signing })
    }

    /// Signs a token.
    pub(crate) fn sign(&self, user: &str, session: &str, role: &str) -> Result<String> {
        let iat = now_us() / 1_000_000;
        let claims = Claims {
            sub: user.to_owned(),
            sid: session.to_owned(),
            role: role.to_owned(),
            iat,
            exp: iat + LIFE_S,
        };
        Ok(jsonwebtoken::encode(&Header::new(Algorithm::RS256), &claims, &self.signing)?)
    }
}

impl Verified {
    /// The session that a valid token names.
    pub(crate) fn session(&self, token: &str, keys: &Keys) -> Option<Arc<str>> {
        let now = now_us() / 1_000_000;
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(Remembered { session, expires }) = known.get(token) {
            return (*expires > now).then(|| session.clone());
        }
        let validation = Validation::new(Algorithm::RS256);
        let claims =
            jsonwebtoken::decode::<Claims>(token, &keys.verifying, &validation).ok()?.claims;
        let session: Arc<str> = Arc::from(claims.sid);
        if known.len() >= REMEMBERED_MAX {
            known.clear();
        }
        let remembered = Remembered { session: session.clone(), expires: claims.exp };
        known.insert(token.into(), remembered);
        Some(session)
    }
}

/// Microseconds since the epoch.
pub(crate) fn now_us() -> i64 {
    jiff::Timestamp::now().as_microsecond()
}

/// Random bytes as hexadecimal text.
pub(crate) fn random_hex<const BYTES: usize>() -> Result<String> {
    let mut bytes = [0_u8; BYTES];
    aws_lc_rs::rand::fill(&mut bytes).context("no random bytes")?;
    let mut text = String::with_capacity(BYTES * 2);
    for byte in bytes {
        write!(text, "{byte:02x}")?;
    }
    Ok(text)
}
