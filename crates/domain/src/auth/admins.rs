//! Makes administrators from outside: on the command line, and at the first start.

use outrigger_kernel::{Ctx, Error, ErrorKind, Result, Secret};

use super::Auth;
use crate::accounts::{NewKind, NewUser, UserView};

impl Auth {
    /// Whether there is no administrator, so that a set-up link is needed.
    pub async fn is_empty(&self) -> Result<bool> {
        self.accounts.has_no_admin().await
    }

    /// Makes one more administrator. Only for Outrigger itself (the command line).
    ///
    /// # Errors
    /// `forbidden`, `invalid` with each fault, `email_taken`.
    pub async fn create_admin(&self, ctx: &Ctx, email: &str, password: Secret) -> Result<UserView> {
        self.admin(ctx, email, password, NewKind::Admin).await
    }

    /// Makes the first administrator; `None` when there is one already, also when several
    /// processes do this at once. Only for Outrigger itself.
    ///
    /// # Errors
    /// `forbidden`, `invalid` with each fault, `email_taken`.
    pub async fn create_first_admin(
        &self,
        ctx: &Ctx,
        email: &str,
        password: Secret,
    ) -> Result<Option<UserView>> {
        if !self.is_empty().await? {
            return Ok(None);
        }
        match self.admin(ctx, email, password, NewKind::FirstAdmin).await {
            Ok(user) => Ok(Some(user)),
            Err(error) if error.code() == "administrator_exists" => Ok(None),
            // Another process was quicker with the same address.
            Err(error) if error.code() == "email_taken" && !self.is_empty().await? => Ok(None),
            Err(error) => Err(error),
        }
    }

    async fn admin(
        &self,
        ctx: &Ctx,
        email: &str,
        password: Secret,
        kind: NewKind,
    ) -> Result<UserView> {
        if ctx.actor != outrigger_kernel::Actor::System {
            return Err(Error::new(
                ErrorKind::Forbidden,
                "forbidden",
                "administrators are made on the command line or from users",
            ));
        }
        let new = NewUser { email: email.to_owned(), ..NewUser::default() };
        self.create(ctx, new, password, kind, |_| Ok(Vec::new())).await
    }
}
