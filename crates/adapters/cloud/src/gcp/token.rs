//! Access tokens of Google Cloud: from the metadata server of the machine, or for the key of a service
//! account (RFC 7523).

use std::fmt;
use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{RSA_PKCS1_SHA256, RsaKeyPair};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use bytes::Bytes;
use http::Request;
use http::header::CONTENT_TYPE;
use outrigger_kernel::Clock;
use outrigger_ports::secrets::SecretFault;
use rustls_pki_types::PrivatePkcs8KeyDer;
use rustls_pki_types::pem::PemObject as _;
use serde::Deserialize;
use serde_json::json;

use super::{GcpOptions, ask};

const METADATA: &str = "metadata.google.internal";
const SCOPE: &str = "https://www.googleapis.com/auth/cloud-platform";
/// What Google calls the exchange of a signed claim for a token.
const GRANT: &str = "urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Ajwt-bearer";
/// How long a claim is good, in seconds.
const GOOD_FOR_S: i64 = 600;
/// A new token is asked for so long before the old one ends, in seconds.
const AHEAD_S: i64 = 300;

#[derive(Deserialize)]
struct Token {
    access_token: String,
    /// In seconds.
    #[serde(default)]
    expires_in: i64,
}

/// The token that was got last.
#[derive(Debug, Default)]
pub(super) struct Tokens(Mutex<Option<Kept>>);

struct Kept {
    token: String,
    /// In seconds since 1970.
    until: i64,
}

impl fmt::Debug for Kept {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Kept").field("until", &self.until).finish_non_exhaustive()
    }
}

impl Tokens {
    /// A token that is good now.
    ///
    /// # Errors
    /// Why there is none.
    pub(super) async fn get(
        &self,
        options: &GcpOptions,
        clock: &dyn Clock,
    ) -> Result<String, SecretFault> {
        let now = clock.now().as_secs();
        if let Some(kept) = self.kept().as_ref()
            && now < kept.until
        {
            return Ok(kept.token.clone());
        }
        let Token { access_token, expires_in } = get(options, clock).await?;
        let until = now + expires_in - AHEAD_S;
        *self.kept() = Some(Kept { token: access_token.clone(), until });
        Ok(access_token)
    }

    /// The next one is asked for anew.
    pub(super) fn forget(&self) {
        *self.kept() = None;
    }

    fn kept(&self) -> MutexGuard<'_, Option<Kept>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The key of a service account.
#[derive(Deserialize)]
struct Key {
    client_email: String,
    #[serde(rename = "private_key_id")]
    id: String,
    #[serde(rename = "private_key")]
    pem: String,
    token_uri: String,
}

/// A token for the service account.
async fn get(options: &GcpOptions, clock: &dyn Clock) -> Result<Token, SecretFault> {
    let body = match &options.key_file {
        Some(path) => {
            let key = read(path)?;
            let form = format!("grant_type={GRANT}&assertion={}", claim(&key, clock)?);
            let request = Request::post(&key.token_uri)
                .header(CONTENT_TYPE, "application/x-www-form-urlencoded")
                .body(Bytes::from(form));
            ask(request, &key.token_uri).await?
        }
        None => {
            let host = options.metadata_host.as_deref().unwrap_or(METADATA);
            let path = "computeMetadata/v1/instance/service-accounts/default/token";
            let request =
                Request::get(format!("http://{host}/{path}")).header("metadata-flavor", "Google");
            ask(request.body(Bytes::new()), "the metadata server").await?
        }
    };
    serde_json::from_slice(&body).map_err(|_| SecretFault::Away("Google gave no token".to_owned()))
}

fn read(path: &Path) -> Result<Key, SecretFault> {
    let refused = |why: String| {
        SecretFault::Refused(format!("GOOGLE_APPLICATION_CREDENTIALS {}: {why}", path.display()))
    };
    let text = std::fs::read(path).map_err(|error| refused(error.to_string()))?;
    serde_json::from_slice(&text)
        .map_err(|_| refused("it is not the key of a service account".to_owned()))
}

/// The claim to be this account, signed with its key.
fn claim(key: &Key, clock: &dyn Clock) -> Result<String, SecretFault> {
    let now = clock.now().as_secs();
    let head = json!({"alg": "RS256", "typ": "JWT", "kid": key.id});
    let claims = json!({
        "iss": key.client_email, "scope": SCOPE, "aud": key.token_uri,
        "iat": now, "exp": now + GOOD_FOR_S,
    });
    let encode = |part: &[u8]| URL_SAFE_NO_PAD.encode(part);
    let text = format!(
        "{}.{}",
        encode(head.to_string().as_bytes()),
        encode(claims.to_string().as_bytes())
    );
    let broken =
        || SecretFault::Refused("the private key of the service account is none".to_owned());
    let der = PrivatePkcs8KeyDer::from_pem_slice(key.pem.as_bytes()).map_err(|_| broken())?;
    let pair = RsaKeyPair::from_pkcs8(der.secret_pkcs8_der()).map_err(|_| broken())?;
    let mut signature = vec![0; pair.public_modulus_len()];
    pair.sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), text.as_bytes(), &mut signature)
        .map_err(|_| broken())?;
    Ok(format!("{text}.{}", encode(&signature)))
}
