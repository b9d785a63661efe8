//! Asking for account mails, and what follows when their links are followed.

use outrigger_kernel::{Ctx, Error, ErrorKind, Result, Secret};
use outrigger_ports::collection::Collection;
use outrigger_ports::store::{Batch, Precondition};
use serde_json::json;

use super::Auth;
use super::jobs::SendAccountMail;
use super::mail_link::Purpose;
use super::register::about;
use super::settings::VerifyEmail;
use crate::accounts::{NewPassword, Retry, User, normalize_email};
use crate::audit::Action;
use crate::notifications::Letter;
use crate::notifications::messages::Variables;
use crate::tasks::{New, Staged};

impl Auth {
    /// Mails a link with which a new password can be chosen, if there is such a user. Whether there
    /// is one is found out when the mail is written: here the same is done for every address.
    ///
    /// # Errors
    /// `invalid` when it is no address, `rate_limited`.
    pub async fn forgot_password(&self, ctx: &Ctx, email: &str) -> Result<()> {
        self.request_mail(ctx, Purpose::ResetPassword, email).await
    }

    /// Mails a link that verifies the address, if there is such a user and it is not verified yet;
    /// as [`Auth::forgot_password`].
    ///
    /// # Errors
    /// `invalid` when it is no address, `rate_limited`.
    pub async fn resend_verification(&self, ctx: &Ctx, email: &str) -> Result<()> {
        self.request_mail(ctx, Purpose::VerifyEmail, email).await
    }

    async fn request_mail(&self, ctx: &Ctx, purpose: Purpose, email: &str) -> Result<()> {
        let email = normalize_email(email)?;
        self.throttle.mail(ctx, &email).await?;
        let mut staged = self.stage_mail(ctx, purpose, email)?;
        let mut writes = std::mem::take(&mut staged.writes);
        let action = match purpose {
            Purpose::VerifyEmail => Action::VerificationRequested,
            Purpose::ResetPassword => Action::PasswordResetRequested,
        };
        writes.push(self.audit.entry(ctx, action, None, json!({"task": staged.ids()}))?);
        self.mail_links.store().commit(Batch::of(writes)).await?;
        self.tasks.committed(staged).await;
        Ok(())
    }

    fn stage_mail(&self, ctx: &Ctx, purpose: Purpose, email: String) -> Result<Staged> {
        let task = self.tasks.task_of(ctx, &New::now(SendAccountMail { purpose, email }))?;
        self.tasks.stage(vec![task])
    }

    /// The mail to somebody who registers, if there is to be one.
    pub(super) fn stage_verification(&self, ctx: &Ctx, email: &str) -> Result<Option<Staged>> {
        // What is wrong with an address is said with all other faults.
        match (self.shared.settings.mails.verify, normalize_email(email)) {
            (VerifyEmail::Off, _) | (_, Err(_)) => Ok(None),
            (_, Ok(email)) => self.stage_mail(ctx, Purpose::VerifyEmail, email).map(Some),
        }
    }

    /// What is to be mailed, with a link that follows from `id`; `None` when there is nobody to
    /// mail it to.
    pub(super) async fn letter(
        &self,
        purpose: Purpose,
        email: &str,
        id: &str,
    ) -> Result<Option<Letter>> {
        let Some(user) = self.accounts.find_by_email(email).await? else { return Ok(None) };
        let has_it = purpose == Purpose::VerifyEmail && user.value.email_verified;
        if user.value.disabled || has_it {
            return Ok(None);
        }
        let link = self.link(purpose, &user, id).await?;
        Ok(Some(Letter {
            reader: user.value.reader(),
            to: user.value.email,
            message: purpose.as_str().to_owned(),
            variables: Variables::from([("until".to_owned(), link.expires_at.into())]),
            link: Some(link.url),
            unsubscribe: None,
        }))
    }

    /// Takes the address of whoever followed the link as their own. The link works once.
    ///
    /// # Errors
    /// `invalid` at `body.token` (`link_invalid`), `rate_limited`.
    pub async fn verify_email(&self, ctx: &Ctx, token: &str) -> Result<()> {
        self.throttle.address(ctx).await?;
        let mut retry = Retry::new(&self.random);
        loop {
            let followed = self.follow(Purpose::VerifyEmail, token).await;
            let followed = self.told_of(ctx, Action::EmailVerified, followed).await?;
            let user = &followed.user;
            let now = self.clock.now();
            let verified = User { email_verified: true, updated_at: now, ..user.value.clone() };
            let writes = [
                Collection::put(&user.id, &verified, Precondition::Version(user.version))?,
                followed.used(),
                self.audit.entry(ctx, Action::EmailVerified, Some(&user.id), json!({}))?,
            ];
            match self.mail_links.store().commit(Batch::of(writes)).await.map_err(Error::from) {
                Ok(_) => return Ok(()),
                Err(error) => retry.again(error).await?,
            }
        }
    }

    /// Puts a new password for whoever followed the link, ends all of their sessions, and takes
    /// the address as their own. The link works once.
    ///
    /// # Errors
    /// `invalid` at `body.token` (`link_invalid`) or `body.new_password`, `rate_limited`, `busy`.
    pub async fn reset_password(&self, ctx: &Ctx, token: &str, new: Secret) -> Result<()> {
        self.throttle.address(ctx).await?;
        let followed = self.follow(Purpose::ResetPassword, token).await;
        let user = self.told_of(ctx, Action::PasswordReset, followed).await?.user.value;
        let hash = self.new_hash(new, about(&user.email, user.name.as_deref()), "new_password");
        let hash = hash.await?;
        let mut retry = Retry::new(&self.random);
        loop {
            let followed = self.follow(Purpose::ResetPassword, token).await?;
            let how = NewPassword::Reset(followed.used());
            match self.put_password(ctx, followed.user, hash.clone(), how).await {
                Ok(()) => break,
                Err(error) => retry.again(error).await?,
            }
        }
        self.throttle.succeeded(ctx, &user.email).await;
        Ok(())
    }

    /// A link that is no good stands in the audit log.
    async fn told_of<T>(&self, ctx: &Ctx, action: Action, followed: Result<T>) -> Result<T> {
        if followed.as_ref().is_err_and(|error| error.kind() == ErrorKind::Invalid) {
            self.record_refusal(ctx, action, None).await;
        }
        followed
    }
}
