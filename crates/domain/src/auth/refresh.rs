//! Renews the tokens of a session, and ends the session when a refresh token comes twice.

use outrigger_kernel::{Ctx, Error, ErrorKind, Result};
use outrigger_ports::collection::{Collection, Stored};
use outrigger_ports::store::{Batch, Precondition};
use serde_json::json;

use super::Auth;
use super::login::TokenAnswer;
use super::outcome::Proof;
use super::refresh_token::{RefreshToken, Standing};
use crate::accounts::{Retry, Session};
use crate::audit::{Action, Outcome};

impl Auth {
    /// New tokens for the session that this refresh token belongs to. Each token is good for one
    /// use; a second use ends the session, because one of the two who have it is a thief.
    ///
    /// # Errors
    /// `invalid_refresh_token`, `refresh_token_reused`, `rate_limited`.
    pub async fn refresh(&self, ctx: &Ctx, refresh_token: &str) -> Result<TokenAnswer> {
        let result = self.renew(ctx, refresh_token).await;
        Proof::Refresh.count(&result);
        result
    }

    async fn renew(&self, ctx: &Ctx, refresh_token: &str) -> Result<TokenAnswer> {
        let Some(token) = RefreshToken::parse(refresh_token) else {
            self.throttle.address(ctx).await?;
            return Err(invalid());
        };
        self.throttle.session(ctx, &token.session).await?;
        let sessions = &self.accounts.sessions;
        let mut retry = Retry::new(&self.random);
        loop {
            let found = sessions.documents.find(&token.session).await?;
            let mut session = found.ok_or_else(invalid)?;
            match token.standing(&session.value) {
                Standing::Current => {}
                Standing::Foreign => return Err(invalid()),
                Standing::Reused => return Err(self.end_reused(ctx, &session).await?),
            }
            let user = self.accounts.find(&session.value.user_id).await?.ok_or_else(invalid)?;
            if user.value.disabled || user.value.epoch != session.value.epoch {
                return Err(invalid());
            }
            let next = token.next(&*self.random);
            let now = self.clock.now();
            session.value.refresh_hash = next.secret_hash();
            session.value.last_refreshed_at = now;
            session.value.expires_at = now.plus(self.shared.settings.session_life);
            session.value.address = ctx.address;
            let answer = self.answer(&session.id, &session.value, &next, &user).await?;
            let precondition = Precondition::Version(session.version);
            let put = Collection::put(&session.id, &session.value, precondition)?;
            // What is cached of the session (user and role) is not changed by this.
            match sessions.commit_held(&[], Batch::of([put])).await {
                Ok(_) => return Ok(answer),
                Err(error) => retry.again(error).await?,
            }
        }
    }

    /// Ends the session whose token came twice, and says so.
    async fn end_reused(&self, ctx: &Ctx, session: &Stored<Session>) -> Result<Error> {
        let details = json!({"user": session.value.user_id});
        let entry = self.audit.entry_with(
            ctx,
            Action::RefreshReused,
            Some(&session.id),
            Outcome::Refused,
            details,
        )?;
        let delete = Collection::<Session>::delete(&session.id, Precondition::Any);
        let batch = Batch::of([delete, entry]);
        let ids = std::slice::from_ref(&session.id);
        self.accounts.sessions.commit_held(ids, batch).await?;
        tracing::warn!(
            session.id = session.id,
            user.id = session.value.user_id,
            "a refresh token was used twice; its session is revoked"
        );
        Ok(Error::new(
            ErrorKind::Unauthenticated,
            "refresh_token_reused",
            "this refresh token was used before; its session is revoked, sign in again",
        ))
    }
}

fn invalid() -> Error {
    Error::new(
        ErrorKind::Unauthenticated,
        "invalid_refresh_token",
        "this refresh token is not valid; sign in again",
    )
}
