//! Makes accounts.

use outrigger_kernel::{Ctx, Error, ErrorKind, Result, Secret};

use super::Auth;
use super::password;
use crate::accounts::{NewKind, NewUser, PasswordHash, UserView, email_taken, validate_new_user};

impl Auth {
    /// Makes an account with the role `user`.
    ///
    /// # Errors
    /// `invalid` with each fault, `email_taken`, `registration_closed`, `rate_limited`, `busy`.
    pub async fn register(&self, ctx: &Ctx, new: NewUser, password: Secret) -> Result<UserView> {
        if !self.shared.settings.registration_open {
            return Err(Error::new(
                ErrorKind::Forbidden,
                "registration_closed",
                "only an administrator can make accounts here",
            ));
        }
        self.throttle.address(ctx).await?;
        self.create(ctx, new, password, NewKind::User, Vec::new()).await
    }

    /// Makes an account of this kind, and does `also` in the same batch.
    pub(super) async fn create(
        &self,
        ctx: &Ctx,
        new: NewUser,
        password: Secret,
        kind: NewKind,
        also: Vec<outrigger_ports::store::Write>,
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
