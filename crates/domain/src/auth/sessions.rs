//! Lists and ends sessions.

use outrigger_kernel::{Actor, Ctx, Error, Page, PageRequest, Result};
use outrigger_ports::collection::{Collection, Stored};
use outrigger_ports::store::{Batch, Precondition};
use serde_json::json;

use super::Auth;
use crate::accounts::{Session, SessionView, User};
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
        self.page_of(ctx, &user.ok_or_else(Error::unauthenticated)?, page).await
    }

    /// Ends one session of the user who asks.
    ///
    /// # Errors
    /// `unauthenticated`; `not_found` when there is none, or it is somebody else's.
    pub async fn revoke_session(&self, ctx: &Ctx, id: &str) -> Result<()> {
        let user = ctx.require_user()?;
        self.own_session(user, id).await?;
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

    /// The live sessions of a user, the oldest first. For administrators.
    ///
    /// # Errors
    /// `unauthenticated`, `forbidden`, `not_found`.
    pub async fn sessions_of(
        &self,
        ctx: &Ctx,
        user_id: &str,
        page: &PageRequest,
    ) -> Result<Page<SessionView>> {
        ctx.require_admin()?;
        let user = self.accounts.find(user_id).await?.ok_or_else(|| Error::not_found("user"))?;
        self.page_of(ctx, &user, page).await
    }

    /// Ends one session of a user. For administrators.
    ///
    /// # Errors
    /// `unauthenticated`, `forbidden`; `not_found` when the user has no such session.
    pub async fn revoke_session_of(&self, ctx: &Ctx, user_id: &str, id: &str) -> Result<()> {
        ctx.require_admin()?;
        self.own_session(user_id, id).await?;
        self.end(ctx, Action::SessionRevoked, id, Precondition::Any).await
    }

    /// Ends all sessions of a user. For administrators.
    ///
    /// # Errors
    /// `unauthenticated`, `forbidden`, `not_found`.
    pub async fn revoke_sessions_of(&self, ctx: &Ctx, user_id: &str) -> Result<()> {
        ctx.require_admin()?;
        self.accounts.end_sessions(ctx, user_id).await
    }

    async fn page_of(
        &self,
        ctx: &Ctx,
        user: &Stored<User>,
        page: &PageRequest,
    ) -> Result<Page<SessionView>> {
        let list = List::of(&format!("sessions of {}", user.id));
        let after = list.after(page)?;
        let sessions = &self.accounts.sessions;
        let (items, next) = sessions.page(user, current(ctx), after, page.limit).await?;
        Ok(Page { items, next_cursor: list.next(next) })
    }

    /// Refuses the id of a session that is not this user's. Any text may be asked for.
    async fn own_session(&self, user_id: &str, id: &str) -> Result<()> {
        let not_found = || Error::not_found("session");
        if !outrigger_kernel::id::is_valid_name(id) {
            return Err(not_found());
        }
        let found = self.accounts.sessions.documents.find(id).await?;
        found.filter(|session| session.value.user_id == user_id).map(drop).ok_or_else(not_found)
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
