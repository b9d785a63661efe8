//! What others need to know to check our access tokens, and the rotation of keys.

use bytes::Bytes;
use outrigger_kernel::{Ctx, Result};
use serde_json::{Value, json};

use super::Auth;
use super::keys::{Replaced, RotatedKey};
use crate::audit::Action;

impl Auth {
    /// The public keys whose tokens are accepted: a JWK set (RFC 7517) as JSON.
    ///
    /// # Errors
    /// `database_unavailable` when they were never read.
    pub async fn jwks(&self) -> Result<Bytes> {
        self.shared.ring.jwks(self.tools()).await
    }

    /// The metadata of the issuer (OpenID Connect Discovery 1.0, RFC 8414).
    pub fn openid_configuration(&self) -> Value {
        let url = &self.shared.settings.public_url;
        json!({
            "issuer": url,
            "jwks_uri": format!("{url}/.well-known/jwks.json"),
            "token_endpoint": format!("{url}/api/v1/auth/token"),
            "token_endpoint_auth_methods_supported": ["none"],
            "grant_types_supported": ["password"],
            "response_types_supported": ["token"],
            "subject_types_supported": ["public"],
            "id_token_signing_alg_values_supported": ["RS256"],
            "claims_supported": ["iss", "aud", "sub", "sid", "role", "iat", "exp", "jti"],
        })
    }

    /// Reads the keys that are there, without making any: finds out quickly whether this process
    /// has the right secret.
    ///
    /// # Errors
    /// `database_unavailable`, `internal` when the keys were encrypted with another secret.
    pub async fn load_keys(&self) -> Result<()> {
        self.shared.ring.load(self.tools()).await
    }

    /// Reads or makes the keys, so that the first login need not wait for them. Called now and
    /// then, at least every `key_refresh`, it also makes a process that only checks tokens notice
    /// that keys were refused; it asks the store only when that is due.
    ///
    /// # Errors
    /// `database_unavailable`, `internal` when the keys were encrypted with another secret.
    pub async fn prepare_keys(&self) -> Result<()> {
        self.shared.ring.signing(self.tools()).await.map(|_| ())
    }

    /// Puts a new key. It is published at once and signs 3 minutes later, when everybody knows it;
    /// tokens of the key before stay valid until they expire. With `refuse_old`, because that key
    /// is in wrong hands, it signs at once and all older access tokens are refused: here at once,
    /// on other replicas within `key_refresh`. Sessions live on either way. For administrators and
    /// the command line.
    ///
    /// # Errors
    /// `unauthenticated`, `forbidden`, `keys_provided`, `too_many_keys`, `concurrent_change`.
    pub async fn rotate_keys(&self, ctx: &Ctx, refuse_old: bool) -> Result<RotatedKey> {
        ctx.require_admin()?;
        let replaced = if refuse_old { Replaced::Refused } else { Replaced::Accepted };
        let details = json!({"old_tokens_refused": refuse_old});
        let record =
            |kid: &str| self.audit.entry(ctx, Action::KeysRotated, Some(kid), details.clone());
        self.shared.ring.rotate(self.tools(), replaced, record).await
    }
}
