//! A service account with a key, and what is signed with it.

use std::path::PathBuf;

use anyhow::Result;
use aws_lc_rs::encoding::{AsDer as _, Pkcs8V1Der};
use aws_lc_rs::rsa::{KeyPair, KeySize};
use aws_lc_rs::signature::{KeyPair as _, RSA_PKCS1_2048_8192_SHA256, UnparsedPublicKey};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use serde_json::{Value, json};

use crate::TempDir;

/// The id of its key.
const KEY: &str = "key-of-the-tests";
/// A token is good for at most this, in seconds.
const GOOD_FOR_S: i64 = 3_600;
/// Clocks may differ by this, in seconds.
const SKEW_S: i64 = 60;

/// A service account of Google Cloud that nobody else has.
#[derive(Debug)]
pub struct ServiceAccount {
    pair: KeyPair,
    dir: TempDir,
}

impl ServiceAccount {
    /// Its name.
    pub const EMAIL: &str = "app@shop-prod.iam.gserviceaccount.com";

    /// Makes one with a key of its own.
    ///
    /// # Errors
    /// When the key cannot be made.
    pub fn new() -> Result<Self> {
        Ok(Self { pair: KeyPair::generate(KeySize::Rsa2048)?, dir: TempDir::new("google")? })
    }

    /// Writes the file that `GOOGLE_APPLICATION_CREDENTIALS` names; tokens are had at this URL.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn write_key(&self, token_uri: &str) -> Result<PathBuf> {
        let der: Pkcs8V1Der<'_> = self.pair.as_der()?;
        let lines = STANDARD.encode(der.as_ref());
        let key = json!({
            "type": "service_account", "project_id": "shop-prod", "client_email": Self::EMAIL,
            "private_key_id": KEY, "token_uri": token_uri,
            "private_key":
                format!("-----BEGIN PRIVATE KEY-----\n{lines}\n-----END PRIVATE KEY-----\n"),
        });
        let file = self.dir.join("key.json");
        std::fs::write(&file, key.to_string())?;
        Ok(file)
    }

    /// Whether this is its signature of the text (RSASSA-PKCS1-v1_5 with SHA-256).
    pub(super) fn has_signed(&self, text: &str, signature: &[u8]) -> bool {
        let public = self.pair.public_key().as_ref();
        UnparsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, public)
            .verify(text.as_bytes(), signature)
            .is_ok()
    }

    /// What a token (RFC 7519) of this account says, if it is one that is good now.
    pub(super) fn claims(&self, token: &str) -> Option<Value> {
        let (text, signature) = token.rsplit_once('.')?;
        if !self.has_signed(text, &URL_SAFE_NO_PAD.decode(signature).ok()?) {
            return None;
        }
        let (head, claims) = text.split_once('.')?;
        let read = |part: &str| -> Option<Value> {
            serde_json::from_slice(&URL_SAFE_NO_PAD.decode(part).ok()?).ok()
        };
        let (head, claims) = (read(head)?, read(claims)?);
        let (from, to) = (claims["iat"].as_i64()?, claims["exp"].as_i64()?);
        let now = jiff::Timestamp::now().as_second();
        let is_good = head["alg"] == "RS256"
            && head["kid"] == KEY
            && claims["iss"] == Self::EMAIL
            && (from - SKEW_S..=to).contains(&now)
            && to - from <= GOOD_FOR_S;
        is_good.then_some(claims)
    }
}
