//! Lists and ends sessions.

use outrigger_kernel::{Actor, Ctx, Error, Page, PageRequest, Result};
use outrigger_ports::collection::Collection;
use outrigger_ports::store::{Batch, Precondition};
use serde_json::json;

use super::Auth;
use crate::accounts::{Session, SessionView};
use crate::audit::Action;
use crate::cursor::List;

impl Auth {
    /// Ends the session that asks: its next request is refused on every replica.
    ///
    /// # Errors
    /// `unauthenticated`.
    pub async fn logout(&self, ctx: &Ctx) -> Result<()> {
        let session = current(ctx).ok_or_else(Error::unauthenticated)?;
        self.end(ctx, Action::Logout, session, Precondition::Any).await
    }

    /// The live sessions of the user who asks, the oldest first.
    ///
    /// # Errors
    /// `unauthenticated`.
    pub async fn sessions(&self, ctx: &Ctx, page: &PageRequest) -> Result<Page<SessionView>> {
        let user = self.accounts.find(ctx.require_user()?).await?;
        let user = user.ok_or_else(Error::unauthenticated)?;
        let list = List::of(&format!("sessions of {}", user.id));
        let after = list.after(page)?;
        let sessions = &self.accounts.sessions;
        let (items, next) = sessions.page(&user, current(ctx), after, page.limit).await?;
        Ok(Page { items, next_cursor: list.next(next) })
    }

    /// Ends one session of the user who asks.
    ///
    /// # Errors
    /// `unauthenticated`; `not_found` when there is none, or it is somebody else's.
    pub async fn revoke_session(&self, ctx: &Ctx, id: &str) -> Result<()> {
        let user = ctx.require_user()?;
        let not_found = || Error::not_found("session");
        if !outrigger_kernel::id::is_valid_name(id) {
            return Err(not_found());
        }
        let found = self.accounts.sessions.documents.find(id).await?;
        found.filter(|session| session.value.user_id == user).ok_or_else(not_found)?;
        self.end(ctx, Action::SessionRevoked, id, Precondition::Any).await
    }

    /// Ends all sessions of the user who asks, also the one that asks.
    ///
    /// # Errors
    /// `unauthenticated`.
    pub async fn revoke_sessions(&self, ctx: &Ctx) -> Result<()> {
        let user = ctx.require_user()?;
        self.accounts.end_sessions(ctx, user).await
    }

    /// Ends all sessions of a user. For administrators.
    ///
    /// # Errors
    /// `unauthenticated`, `forbidden`, `not_found`.
    pub async fn revoke_sessions_of(&self, ctx: &Ctx, user_id: &str) -> Result<()> {
        ctx.require_admin()?;
        self.accounts.end_sessions(ctx, user_id).await
    }

    async fn end(
        &self,
        ctx: &Ctx,
        action: Action,
        session: &str,
        precondition: Precondition,
    ) -> Result<()> {
        let batch = Batch::of([
            Collection::<Session>::delete(session, precondition),
            self.audit.entry(ctx, action, Some(session), json!({}))?,
        ]);
        self.accounts.sessions.commit_held(&[session.to_owned()], batch).await?;
        Ok(())
    }
}

fn current(ctx: &Ctx) -> Option<&str> {
    match &ctx.actor {
        Actor::User { session, .. } => Some(session),
        Actor::Anonymous | Actor::System => None,
    }
}
