//! Makes accounts.

use outrigger_kernel::secret::ExposeSecret;
use outrigger_kernel::{Ctx, Error, ErrorKind, Result, Secret};
use outrigger_ports::store::Write;

use super::Auth;
use super::password;
use crate::accounts::{NewKind, NewUser, PasswordHash, UserView, email_taken, validate_new_user};
use crate::idempotency::{Answer, Keyed};

impl Auth {
    /// Makes an account with the role `user`. With an idempotency key, once.
    ///
    /// # Errors
    /// `invalid` with each fault, `email_taken`, `registration_closed`, `rate_limited`, `busy`.
    pub async fn register(
        &self,
        ctx: &Ctx,
        new: NewUser,
        password: Secret,
        idempotency_key: Option<&str>,
    ) -> Result<UserView> {
        if !self.shared.settings.registration_open {
            return Err(Error::new(
                ErrorKind::Forbidden,
                "registration_closed",
                "only an administrator can make accounts here",
            ));
        }
        self.throttle.address(ctx).await?;
        let keyed = idempotency_key.map(|key| self.keyed(ctx, &new, &password, key)).transpose()?;
        if let Some(first) = self.first_answer(keyed.as_ref()).await? {
            return Ok(first);
        }
        let mail = self.stage_verification(ctx, &new.email)?;
        let also = |view: &UserView| {
            let mut writes = mail.as_ref().map_or_else(Vec::new, |mail| mail.writes.clone());
            if let Some(keyed) = &keyed {
                let body = serde_json::to_string(view).map_err(Error::internal)?;
                let answer = Answer { etag: None, location: None, body };
                writes.push(self.idempotency.keep(keyed, answer)?);
            }
            Ok(writes)
        };
        let user = match self.create(ctx, new, password, NewKind::User, also).await {
            Ok(user) => user,
            // Perhaps the same request was quicker, with this address and this key.
            Err(error) => return self.first_answer(keyed.as_ref()).await?.ok_or(error),
        };
        if let Some(mail) = mail {
            self.tasks.committed(mail).await;
        }
        Ok(user)
    }

    /// The request under its key. What is kept of it must not help to guess the password, so it
    /// is marked with a key that the store does not hold.
    fn keyed(&self, ctx: &Ctx, new: &NewUser, password: &Secret, key: &str) -> Result<Keyed> {
        let said = serde_json::to_string(&(new, password.expose_secret()));
        let mark = self.shared.vault.mark("register", &said.map_err(Error::internal)?, 32);
        Keyed::new(ctx, "register", key, mark.as_bytes())
    }

    async fn first_answer(&self, keyed: Option<&Keyed>) -> Result<Option<UserView>> {
        let Some(keyed) = keyed else { return Ok(None) };
        let Some(answer) = self.idempotency.replay(keyed).await? else { return Ok(None) };
        serde_json::from_str(&answer.body).map(Some).map_err(Error::internal)
    }

    /// Makes an account of this kind, and does in the same batch what `also` says.
    pub(super) async fn create(
        &self,
        ctx: &Ctx,
        new: NewUser,
        password: Secret,
        kind: NewKind,
        also: impl Fn(&UserView) -> Result<Vec<Write>> + Send,
    ) -> Result<UserView> {
        let new = validate_new_user(new)?;
        if self.accounts.find_by_email(&new.email).await?.is_some() {
            return Err(email_taken());
        }
        let about = about(&new.email, new.name.as_deref());
        let hash = self.new_hash(password, about, "password").await?;
        self.accounts.create(ctx, new, hash, kind, also).await
    }

    /// The hash of a new password that is good enough; `field` is its name in the body.
    pub(super) async fn new_hash(
        &self,
        password: Secret,
        about: Vec<String>,
        field: &'static str,
    ) -> Result<PasswordHash> {
        let (hasher, random) = (self.shared.hasher.clone(), self.random.clone());
        self.shared
            .pool
            .run(move |workspace| {
                password::check(&password, &about, field)?;
                hasher.hash(&password, &*random, workspace)
            })
            .await?
    }
}

/// What an attacker knows of a user, in whole and in parts.
pub(super) fn about(email: &str, name: Option<&str>) -> Vec<String> {
    let parts = email.split(['@', '.', '+', '-', '_']).filter(|part| part.len() > 2);
    let names = name.into_iter().flat_map(|name| std::iter::once(name).chain(name.split(' ')));
    std::iter::once(email)
        .chain(parts)
        .chain(names)
        .take(16)
        .map(|text| text.chars().take(64).collect())
        .collect()
}
