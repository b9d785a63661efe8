//! How often it may be tried, per account and per address, with growing delays.

use std::net::IpAddr;
use std::sync::Arc;

use aws_lc_rs::digest;
use outrigger_kernel::{Ctx, Error, Result, id};
use outrigger_ports::limiter::{Limiter, Quota};

use super::settings::ThrottleSettings;
use crate::admission::network;

/// In front of the key of an address from which passwords are tried.
const TRIES: &str = "auth:a:";

/// The limits of this module.
#[derive(Clone, Debug)]
pub(super) struct Throttle {
    limiter: Arc<dyn Limiter>,
    settings: ThrottleSettings,
}

impl Throttle {
    pub(super) fn new(limiter: Arc<dyn Limiter>, settings: &ThrottleSettings) -> Self {
        Self { limiter, settings: *settings }
    }

    /// One try from this address.
    ///
    /// # Errors
    /// `rate_limited`.
    pub(super) async fn address(&self, ctx: &Ctx) -> Result<()> {
        self.take_address(TRIES, ctx, &self.settings.address).await
    }

    /// One try of a password of this account, from this address. What the address is refused
    /// does not count against the account.
    ///
    /// # Errors
    /// `rate_limited`.
    pub(super) async fn account(&self, ctx: &Ctx, email: &str) -> Result<()> {
        self.address(ctx).await?;
        self.take(&account_key(email), &self.settings.account).await
    }

    /// One mail to this account, asked for from this address.
    ///
    /// # Errors
    /// `rate_limited`.
    pub(super) async fn mail(&self, ctx: &Ctx, email: &str) -> Result<()> {
        self.address(ctx).await?;
        self.take(&format!("auth:m:{}", mark_of(email)), &self.settings.mail).await
    }

    /// One use of a refresh token of this session, from this address.
    ///
    /// # Errors
    /// `rate_limited`.
    pub(super) async fn session(&self, ctx: &Ctx, session: &str) -> Result<()> {
        self.take_address("auth:r:", ctx, &self.settings.refresh_address).await?;
        self.take(&format!("auth:s:{session}"), &self.settings.session).await
    }

    /// The password was right: what was tried before no longer counts against the account, nor
    /// this one try against the address. What else was tried from there does: others may share it.
    pub(super) async fn succeeded(&self, ctx: &Ctx, email: &str) {
        let forgiven = self.limiter.forgive(&account_key(email)).await;
        let given_back = match ctx.address {
            Some(address) => {
                let key = address_key(TRIES, address);
                self.limiter.give_back(&key, &self.settings.address, 1).await
            }
            None => Ok(()),
        };
        if let Err(error) = forgiven.and(given_back) {
            tracing::debug!(error = &error as &dyn std::error::Error, "limiter did not forgive");
        }
    }

    async fn take_address(&self, prefix: &str, ctx: &Ctx, quota: &Quota) -> Result<()> {
        match ctx.address {
            Some(address) => self.take(&address_key(prefix, address), quota).await,
            None => Ok(()),
        }
    }

    async fn take(&self, key: &str, quota: &Quota) -> Result<()> {
        let decision = match self.limiter.take(key, quota, 1).await {
            Ok(decision) => decision,
            Err(error) => {
                // Nobody must be locked out because the limiter is away.
                tracing::warn!(
                    error = &error as &dyn std::error::Error,
                    "signing in goes on without limits"
                );
                return Ok(());
            }
        };
        if decision.allowed {
            return Ok(());
        }
        let message = "too many tries; wait as long as Retry-After says";
        let error = Error::rate_limited(message, decision.retry_after);
        Err(error.of_limit(quota.limit, quota.period))
    }
}

fn address_key(prefix: &str, address: IpAddr) -> String {
    format!("{prefix}{}", network(address))
}

fn account_key(email: &str) -> String {
    format!("auth:e:{}", mark_of(email))
}

/// Addresses are hashed: keys are short, and no e-mail address stands in the limiter.
fn mark_of(email: &str) -> String {
    let hash = digest::digest(&digest::SHA256, email.as_bytes());
    id::hex(&hash.as_ref()[..16])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_short_and_hold_no_address() {
        let key = account_key(&format!("{}@example.com", "x".repeat(240)));
        assert!(key.len() < 64 && !key.contains('@'), "{key}");
    }
}
