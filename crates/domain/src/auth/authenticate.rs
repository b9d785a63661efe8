//! Checks the access token of a request. On the way of every request, so it costs little.

use std::sync::Arc;

use outrigger_kernel::{Actor, Error, Result, Role};

use super::Auth;
use super::access_token;
use super::outcome::Proof;
use super::verified::{Fingerprint, Verified};
use crate::accounts::Live;

impl Auth {
    /// Who has sent this access token. Token and session are checked: the token by its signature
    /// (once in this process), the session in the cache, or in the store on a miss.
    ///
    /// # Errors
    /// `unauthenticated` when the token is not ours, has expired, or its session has ended;
    /// `database_unavailable` when that cannot be known now.
    pub async fn authenticate(&self, token: &str) -> Result<Actor> {
        let result = self.actor_of(token).await;
        match &result {
            Ok(_) => self.tokens_accepted.increment(1),
            Err(_) => Proof::Token.count(&result),
        }
        result
    }

    async fn actor_of(&self, token: &str) -> Result<Actor> {
        let now = self.clock.now();
        let fingerprint = Fingerprint::of(token);
        let verified = match self.shared.verified.get(&fingerprint, now) {
            Some(verified) => verified,
            None => self.verify(token, fingerprint).await?,
        };
        if !self.shared.ring.accepts(verified.generation) {
            return Err(Error::unauthenticated());
        }
        let live = self
            .accounts
            .sessions
            .live(
                &verified.cache_key,
                &verified.session,
                &verified.user,
                self.shared.settings.session_cache_ttl,
            )
            .await?
            .ok_or_else(Error::unauthenticated)?;
        let live: Live<'_> = serde_json::from_slice(&live).map_err(Error::internal)?;
        if live.user != &*verified.user {
            return Err(Error::unauthenticated());
        }
        let role = if live.role == verified.role.as_str() {
            verified.role.clone()
        } else {
            Role::new(live.role)
        };
        Ok(Actor::User { id: verified.user.clone(), role, session: verified.session.clone() })
    }

    /// Checks the signature, and remembers the token when it is good.
    async fn verify(&self, token: &str, fingerprint: Fingerprint) -> Result<Arc<Verified>> {
        let kid = access_token::key_name(token).ok_or_else(Error::unauthenticated)?;
        let key = self.shared.ring.verifying(&kid, self.tools()).await?;
        let key = key.ok_or_else(Error::unauthenticated)?;
        let verified = access_token::verify(token, &key, &self.shared.settings)
            .ok_or_else(Error::unauthenticated)?;
        let now = self.clock.now();
        if verified.expires <= now {
            return Err(Error::unauthenticated());
        }
        let verified = Arc::new(verified);
        self.shared.verified.put(fingerprint, verified.clone(), now);
        Ok(verified)
    }
}
