//! A key that signs access tokens, in the hands of the test: it can sign whatever it wants.

use std::path::Path;
use std::time::UNIX_EPOCH;

use aws_lc_rs::encoding::AsDer;
use aws_lc_rs::rsa::{KeyPair, KeySize};
use aws_lc_rs::{rand, signature};
use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use serde_json::Value;

/// An RSA key of 2048 bits.
#[derive(Debug)]
pub(crate) struct SigningKey(KeyPair);

impl SigningKey {
    pub(crate) fn generate() -> Self {
        Self(KeyPair::generate(KeySize::Rsa2048).expect("a key"))
    }

    /// Writes it as operators give it: PKCS#8 in PEM.
    pub(crate) fn write(&self, path: &Path) {
        let der = self.0.as_der().expect("the key as DER");
        let text = STANDARD.encode(der.as_ref());
        let lines: Vec<&str> = text
            .as_bytes()
            .chunks(64)
            .map(|line| std::str::from_utf8(line).expect("ASCII"))
            .collect();
        let pem = format!(
            "-----BEGIN PRIVATE KEY-----\n{}\n-----END PRIVATE KEY-----\n",
            lines.join("\n")
        );
        std::fs::write(path, pem).expect("the key is written");
    }

    /// A token with this header and these claims, signed with RS256.
    pub(crate) fn sign(&self, header: &Value, claims: &Value) -> String {
        let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
        let text = format!("{}.{}", part(header), part(claims));
        let mut signed = vec![0; self.0.public_modulus_len()];
        let random = rand::SystemRandom::new();
        self.0
            .sign(&signature::RSA_PKCS1_SHA256, &random, text.as_bytes(), &mut signed)
            .expect("a signature");
        format!("{text}.{}", URL_SAFE_NO_PAD.encode(signed))
    }
}

/// Header and claims of a token.
pub(crate) fn open_token(token: &str) -> (Value, Value) {
    let mut parts = token.split('.').map(|part| {
        let bytes = URL_SAFE_NO_PAD.decode(part).expect("base64url");
        serde_json::from_slice(&bytes).unwrap_or(Value::Null)
    });
    (parts.next().expect("a header"), parts.next().expect("claims"))
}

/// Seconds since the Unix epoch.
pub(crate) fn now_s() -> u64 {
    UNIX_EPOCH.elapsed().expect("a clock after 1970").as_secs()
}
