//! Changes passwords.

use outrigger_kernel::{Actor, Ctx, Error, Result, Secret};
use outrigger_ports::collection::Stored;

use super::Auth;
use super::password::Verdict;
use super::register::about;
use crate::accounts::{NewPassword, PasswordHash, Retry, User};
use crate::audit::Action;
use crate::notifications::jobs::SendNotification;
use crate::notifications::messages::Variables;
use crate::notifications::{ACCOUNT, NewNotification};
use crate::tasks::New;

impl Auth {
    /// Puts a new password for the user who asks. All other sessions of the user end; the one
    /// that asks lives on.
    ///
    /// # Errors
    /// `invalid` at `body.current_password` or `body.new_password`, `unauthenticated`,
    /// `rate_limited`, `busy`.
    pub async fn change_password(&self, ctx: &Ctx, current: Secret, new: Secret) -> Result<()> {
        let Actor::User { id, session, .. } = &ctx.actor else {
            return Err(Error::unauthenticated());
        };
        let user = self.accounts.find(id).await?.ok_or_else(Error::unauthenticated)?;
        let email = &user.value.email;
        self.throttle.account(ctx, email).await?;
        let proven = user.value.password_hash.clone();
        if self.compare(current, Some(proven.clone())).await? == Verdict::Wrong {
            self.record_refusal(ctx, Action::PasswordChanged, Some(id)).await;
            return Err(wrong_password());
        }
        self.throttle.succeeded(ctx, email).await;
        let about = about(email, user.value.name.as_deref());
        let hash = self.new_hash(new, about, "new_password").await?;
        let mut retry = Retry::new(&self.random);
        loop {
            let user = self.accounts.find(id).await?.ok_or_else(Error::unauthenticated)?;
            if user.value.password_hash != proven {
                return Err(wrong_password());
            }
            let session = self.accounts.sessions.documents.find(session).await?;
            let session = session.filter(|session| session.value.epoch == user.value.epoch);
            let session = session.ok_or_else(Error::unauthenticated)?;
            let how = NewPassword::Changed(session);
            match self.put_password(ctx, user, hash.clone(), how).await {
                Ok(()) => return Ok(()),
                Err(error) => retry.again(error).await?,
            }
        }
    }

    /// Puts the password, and tells the user by mail: whoever did it.
    pub(super) async fn put_password(
        &self,
        ctx: &Ctx,
        user: Stored<User>,
        hash: PasswordHash,
        how: NewPassword,
    ) -> Result<()> {
        let time = ("time".to_owned(), self.clock.now().into());
        let notification = NewNotification {
            user_id: user.id.clone(),
            category: ACCOUNT.to_owned(),
            message: "password-changed".to_owned(),
            variables: Variables::from([time]),
            link: None,
        };
        let task = self.tasks.task_of(ctx, &New::now(SendNotification { notification }))?;
        let mut staged = self.tasks.stage(vec![task])?;
        let writes = std::mem::take(&mut staged.writes);
        self.accounts.set_password(ctx, user, hash, how, writes).await?;
        self.tasks.committed(staged).await;
        Ok(())
    }
}

fn wrong_password() -> Error {
    Error::invalid(&["body", "current_password"], "wrong_password", "this is not the password")
}
