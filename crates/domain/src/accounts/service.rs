//! Reads and changes users.

use std::sync::Arc;

use outrigger_kernel::{Clock, Ctx, Error, Ids, Page, PageRequest, Random, Result, Role};
use outrigger_ports::collection::{Collection, Stored};
use outrigger_ports::index_value;
use outrigger_ports::store::{Batch, Order, Precondition, StoreError, Write};
use serde_json::json;

use super::admins::{AdminList, Admins};
use super::departed::Departed;
use super::model::{AdminPatch, NewUser, PasswordHash, ProfilePatch, User, UserView};
use super::retry::Retry;
use super::sessions::{Session, Sessions};
use super::validate;
use crate::audit::{Action, Audit, Change, is_by_administrator};
use crate::cursor::List;
use crate::notifications;
use crate::notifications::messages::Reader;
use crate::ports::Ports;

/// Users and their sessions.
#[derive(Clone, Debug)]
pub struct Accounts {
    users: Collection<User>,
    admins: Collection<Admins>,
    pub(crate) sessions: Sessions,
    audit: Audit,
    clock: Arc<dyn Clock>,
    random: Arc<dyn Random>,
    ids: Ids,
}

impl Accounts {
    /// The users in this store.
    pub fn new(ports: &Ports, audit: Audit) -> Self {
        Self {
            users: ports.collection(),
            admins: ports.collection(),
            sessions: Sessions::new(ports),
            audit,
            clock: ports.clock.clone(),
            random: ports.random.clone(),
            ids: ports.ids(),
        }
    }

    /// The user who asks.
    ///
    /// # Errors
    /// `unauthenticated`.
    pub async fn me(&self, ctx: &Ctx) -> Result<UserView> {
        let user = self.find(ctx.require_user()?).await?.ok_or_else(Error::unauthenticated)?;
        Ok(UserView::of(&user.id, &user.value))
    }

    /// A user. For administrators.
    ///
    /// # Errors
    /// `unauthenticated`, `forbidden`, `not_found`.
    pub async fn get(&self, ctx: &Ctx, id: &str) -> Result<UserView> {
        ctx.require_admin()?;
        let user = self.existing(id).await?;
        Ok(UserView::of(&user.id, &user.value))
    }

    /// A page of all users by id, which is the order in which they came. For administrators.
    ///
    /// # Errors
    /// `unauthenticated`, `forbidden`.
    pub async fn list(&self, ctx: &Ctx, page: &PageRequest) -> Result<Page<UserView>> {
        ctx.require_admin()?;
        let after = List::of("users").after(page)?;
        let (found, next) =
            self.users.list(Order::Id, index_value::all(), false, after, page.limit).await?;
        Ok(Page {
            items: found.iter().map(|user| UserView::of(&user.id, &user.value)).collect(),
            next_cursor: List::of("users").next(next),
        })
    }

    /// Changes what users may change of themselves.
    ///
    /// # Errors
    /// `invalid` with each fault, `unauthenticated`.
    pub async fn update_me(&self, ctx: &Ctx, patch: ProfilePatch) -> Result<UserView> {
        let id = ctx.require_user()?;
        if is_by_administrator(ctx) {
            let ProfilePatch { name, locale, time_zone, currency } = patch;
            let (role, disabled) = (None, None);
            let patch = AdminPatch { name, locale, time_zone, currency, role, disabled };
            return self.update(ctx, id, patch).await;
        }
        let patch = validate::profile(patch)?;
        let now = self.clock.now();
        let user = self
            .users
            .update(id, |user| {
                apply_profile(user, patch.clone());
                user.updated_at = now;
                Ok(())
            })
            .await?;
        Ok(UserView::of(&user.id, &user.value))
    }

    /// Changes a user. For administrators. A new role takes effect at the user's next request;
    /// disabling ends all sessions of the user.
    ///
    /// # Errors
    /// `invalid` with each fault, `unauthenticated`, `forbidden`, `not_found`;
    /// `last_administrator` when nobody would be left who may do everything.
    pub async fn update(&self, ctx: &Ctx, id: &str, patch: AdminPatch) -> Result<UserView> {
        ctx.require_admin()?;
        let AdminPatch { name, locale, time_zone, currency, role, disabled } = patch;
        let profile = ProfilePatch { name, locale, time_zone, currency };
        let profile = validate::profile(profile)?;
        role.as_deref().map(validate::role).transpose()?;
        let mut retry = Retry::new(&self.random);
        loop {
            let mut user = self.existing(id).await?;
            let before = user.value.clone();
            apply_profile(&mut user.value, profile.clone());
            if let Some(role) = &role {
                user.value.role = Role::new(role);
            }
            user.value.disabled = disabled.unwrap_or(before.disabled);
            if user.value.disabled && !before.disabled {
                user.value.epoch += 1;
            }
            user.value.updated_at = self.clock.now();
            match self.replace(ctx, &before, &user).await {
                Ok(()) => return Ok(UserView::of(&user.id, &user.value)),
                Err(error) => retry.again(error).await?,
            }
        }
    }

    /// Commits a changed user with all that follows from the change.
    async fn replace(&self, ctx: &Ctx, before: &User, user: &Stored<User>) -> Result<()> {
        let after = &user.value;
        let details = json!({
            "role": after.role.as_str(),
            "role_before": before.role.as_str(),
            "disabled": after.disabled,
            "disabled_before": before.disabled,
        });
        let change = Change::of(Some(before), Some(after))?;
        let mut writes = vec![
            Collection::put(&user.id, after, Precondition::Version(user.version))?,
            self.audit.change(ctx, Action::UserChanged, &user.id, change, details)?,
        ];
        if before.is_active_admin() != after.is_active_admin() {
            writes.extend(self.set_admin(&user.id, after.is_active_admin()).await?);
        }
        let batch = Batch::of(writes);
        if before.role != after.role || before.disabled != after.disabled {
            self.sessions.commit_for(&user.id, batch).await?;
            self.sessions.sweep(&user.id, Some(after.epoch)).await;
        } else {
            self.sessions.commit_held(&[], batch).await?;
        }
        Ok(())
    }

    /// Deletes a user and ends their sessions. For administrators.
    ///
    /// # Errors
    /// `unauthenticated`, `forbidden`, `not_found`, `last_administrator`.
    pub async fn delete(&self, ctx: &Ctx, id: &str) -> Result<()> {
        ctx.require_admin()?;
        self.remove(ctx, id).await
    }

    /// Deletes the user who asks, and ends their sessions.
    ///
    /// # Errors
    /// `unauthenticated`, `last_administrator`.
    pub async fn delete_me(&self, ctx: &Ctx) -> Result<()> {
        self.remove(ctx, ctx.require_user()?).await
    }

    async fn remove(&self, ctx: &Ctx, id: &str) -> Result<()> {
        let mut retry = Retry::new(&self.random);
        loop {
            let user = self.existing(id).await?;
            let change = Change::of(Some(&user.value), None)?;
            let mut writes = vec![
                Collection::<User>::delete(id, Precondition::Version(user.version)),
                self.audit.change(ctx, Action::UserDeleted, id, change, json!({}))?,
                notifications::forget(id),
                Departed::note(id, self.clock.now())?,
            ];
            if user.value.is_active_admin() {
                writes.extend(self.set_admin(id, false).await?);
            }
            match self.sessions.commit_for(id, Batch::of(writes)).await {
                Ok(_) => break,
                Err(error) => retry.again(error).await?,
            }
        }
        self.sessions.sweep(id, None).await;
        Ok(())
    }

    async fn set_admin(&self, id: &str, is_active_admin: bool) -> Result<Option<Write>> {
        AdminList::read(&self.admins).await?.set(id, is_active_admin)
    }

    /// Whether there is no active administrator.
    pub(crate) async fn has_no_admin(&self) -> Result<bool> {
        Ok(AdminList::read(&self.admins).await?.is_empty())
    }

    /// Creates a user, and does in the same batch what `also` says.
    ///
    /// # Errors
    /// `email_taken`; `administrator_exists` for a first one when there is one;
    /// `concurrent_change` when what `also` says does not hold.
    pub(crate) async fn create(
        &self,
        ctx: &Ctx,
        new: NewUser,
        password_hash: PasswordHash,
        kind: NewKind,
        also: impl Fn(&UserView) -> Result<Vec<Write>> + Send,
    ) -> Result<UserView> {
        let now = self.clock.now();
        let is_admin = !matches!(kind, NewKind::User);
        let user = User {
            email: new.email,
            name: new.name,
            locale: new.locale,
            time_zone: new.time_zone,
            currency: new.currency,
            role: if is_admin { Role::admin() } else { Role::user() },
            disabled: false,
            email_verified: false,
            password_hash,
            epoch: 0,
            created_at: now,
            updated_at: now,
        };
        let id = self.ids.new_id("usr");
        let action = if is_admin { Action::AdminCreated } else { Action::Register };
        let view = UserView::of(&id, &user);
        let mut retry = Retry::new(&self.random);
        loop {
            let mut writes = vec![Collection::put(&id, &user, Precondition::Absent)?];
            writes.extend(also(&view)?);
            let change = Change::of(None, Some(&user))?;
            writes.push(self.audit.change(ctx, action, &id, change, json!({}))?);
            if is_admin {
                let admins = AdminList::read(&self.admins).await?;
                if matches!(kind, NewKind::FirstAdmin) && !admins.is_empty() {
                    return Err(administrator_exists());
                }
                writes.extend(admins.set(&id, true)?);
            }
            match self.users.store().commit(Batch::of(writes)).await {
                Ok(_) => return Ok(view),
                Err(StoreError::Unique { .. }) => return Err(email_taken()),
                // Other administrators may have changed meanwhile; nothing of a user can have.
                Err(error) if is_admin => retry.again(error.into()).await?,
                Err(error) => return Err(error.into()),
            }
        }
    }

    /// The user with this id, if there is one. Any text may be asked for.
    pub(crate) async fn find(&self, id: &str) -> Result<Option<Stored<User>>> {
        if !outrigger_kernel::id::is_valid_name(id) {
            return Ok(None);
        }
        self.users.find(id).await
    }

    /// The address of the user, and who reads what is sent there; `None` when there is no such user,
    /// or nothing is to be sent.
    pub(crate) async fn reader(&self, id: &str) -> Result<Option<(String, Reader)>> {
        let found = self.find(id).await?.filter(|user| !user.value.disabled);
        Ok(found.map(|user| (user.value.email.clone(), user.value.reader())))
    }

    async fn existing(&self, id: &str) -> Result<Stored<User>> {
        self.find(id).await?.ok_or_else(|| Error::not_found("user"))
    }

    /// The user with this normalised address, if there is one.
    pub(crate) async fn find_by_email(&self, email: &str) -> Result<Option<Stored<User>>> {
        self.users.find_unique("email", index_value::of_str(email)).await
    }

    /// Ends all sessions of the user with one write.
    ///
    /// # Errors
    /// `not_found`.
    pub(crate) async fn end_sessions(&self, ctx: &Ctx, id: &str) -> Result<()> {
        let mut retry = Retry::new(&self.random);
        loop {
            let mut user = self.existing(id).await?;
            user.value.epoch += 1;
            let batch = Batch::of([
                Collection::put(id, &user.value, Precondition::Version(user.version))?,
                self.audit.entry(ctx, Action::SessionRevoked, Some(id), json!({"all": true}))?,
            ]);
            match self.sessions.commit_for(id, batch).await {
                Ok(_) => {
                    self.sessions.sweep(id, Some(user.value.epoch)).await;
                    return Ok(());
                }
                Err(error) => retry.again(error).await?,
            }
        }
    }

    /// Puts a new password, which ends all sessions but the one that asked. `user` is as it was
    /// read.
    ///
    /// # Errors
    /// `concurrent_change` when the user was changed meanwhile, or what `how` needs.
    pub(crate) async fn set_password(
        &self,
        ctx: &Ctx,
        mut user: Stored<User>,
        password_hash: PasswordHash,
        how: NewPassword,
        also: Vec<Write>,
    ) -> Result<()> {
        user.value.password_hash = password_hash;
        user.value.epoch += 1;
        user.value.updated_at = self.clock.now();
        let epoch = user.value.epoch;
        let (action, proof) = match how {
            NewPassword::Changed(mut session) => {
                session.value.epoch = epoch;
                let precondition = Precondition::Version(session.version);
                let kept = Collection::put(&session.id, &session.value, precondition)?;
                (Action::PasswordChanged, kept)
            }
            NewPassword::Reset(used) => {
                user.value.email_verified = true;
                (Action::PasswordReset, used)
            }
        };
        let writes = [
            Collection::put(&user.id, &user.value, Precondition::Version(user.version))?,
            self.audit.entry(ctx, action, Some(&user.id), json!({}))?,
            proof,
        ];
        let batch = Batch::of(writes.into_iter().chain(also));
        self.sessions.commit_for(&user.id, batch).await?;
        self.sessions.sweep(&user.id, Some(epoch)).await;
        Ok(())
    }
}

/// How somebody comes to a new password.
#[derive(Debug)]
pub(crate) enum NewPassword {
    /// In this session, which lives on.
    Changed(Stored<Session>),
    /// By a link that was mailed to them, which this write uses up: so the address is theirs.
    Reset(Write),
}

/// What kind of user is made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum NewKind {
    /// Somebody who registers.
    User,
    /// An administrator.
    Admin,
    /// An administrator, only if there is none.
    FirstAdmin,
}

fn apply_profile(user: &mut User, patch: ProfilePatch) {
    patch.name.apply(&mut user.name);
    patch.locale.apply(&mut user.locale);
    patch.time_zone.apply(&mut user.time_zone);
    patch.currency.apply(&mut user.currency);
}

/// Somebody has this address.
pub(crate) fn email_taken() -> Error {
    Error::conflict("email_taken", "there is an account with this e-mail address already")
}

/// Somebody is administrator already.
pub(crate) fn administrator_exists() -> Error {
    Error::conflict("administrator_exists", "there is an administrator already")
}
