//! Signs users in with e-mail address and password.

use outrigger_kernel::secret::ExposeSecret;
use outrigger_kernel::{Ctx, Error, ErrorKind, Ids, Result, Secret, limits};
use outrigger_ports::collection::{Collection, Stored};
use outrigger_ports::store::{Batch, Precondition, Write};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::Auth;
use super::access_token::{self, Subject};
use super::outcome::Proof;
use super::password::Verdict;
use super::refresh_token::RefreshToken;
use crate::accounts::{
    PasswordHash, Retry, Session, User, UserView, cut_user_agent, normalize_email,
};
use crate::audit::{Action, Outcome};

/// Most sessions that one login ends because the user has too many; leaves room in the batch for
/// session, user and audit entry.
const EVICTED_MAX: usize = limits::BATCH_MAX - 3;

/// What somebody signs in with.
#[derive(Clone, Debug)]
pub struct Credentials {
    /// As typed.
    pub email: String,
    /// As typed.
    pub password: Secret,
    /// What the client says it is.
    pub user_agent: Option<String>,
}

/// The tokens of a session (RFC 6749, section 5.1, and who they belong to).
#[derive(Clone, Serialize, Deserialize, JsonSchema)]
pub struct TokenAnswer {
    /// A JWT for the header `Authorization: Bearer …`.
    pub access_token: String,
    /// Always `Bearer`.
    pub token_type: String,
    /// Seconds until the access token expires.
    pub expires_in: u64,
    /// Good for one use at `/api/v1/auth/refresh`.
    pub refresh_token: String,
    /// `ses_…`
    pub session_id: String,
    /// Who has signed in.
    pub user: UserView,
}

impl std::fmt::Debug for TokenAnswer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { session_id, user, .. } = self;
        f.debug_struct("TokenAnswer")
            .field("session_id", session_id)
            .field("user", &user.id)
            .finish_non_exhaustive()
    }
}

impl Auth {
    /// Starts a session. An unknown address costs the same time as a wrong password.
    ///
    /// # Errors
    /// `wrong_credentials`; with the right password `account_disabled` and `email_not_verified`;
    /// `rate_limited`, `busy`.
    pub async fn login(&self, ctx: &Ctx, credentials: Credentials) -> Result<TokenAnswer> {
        let result = self.log_in(ctx, credentials).await;
        Proof::Login.count(&result);
        result
    }

    async fn log_in(&self, ctx: &Ctx, credentials: Credentials) -> Result<TokenAnswer> {
        let Credentials { email, password, user_agent } = credentials;
        let known_form = normalize_email(&email).ok();
        let key = known_form.as_deref().unwrap_or("").to_owned();
        self.throttle.account(ctx, &key).await?;
        let user = match &known_form {
            Some(email) => self.accounts.find_by_email(email).await?,
            None => None,
        };
        let hash = user.as_ref().map(|user| user.value.password_hash.clone());
        let verdict = self.compare(password, hash).await?;
        let (Some(user), Verdict::Right | Verdict::RightRehashed(_)) = (&user, &verdict) else {
            let target = user.as_ref().map(|user| &*user.id);
            self.record_refusal(ctx, Action::Login, target).await;
            return Err(wrong_credentials());
        };
        if user.value.disabled {
            self.record_refusal(ctx, Action::Login, Some(&user.id)).await;
            return Err(account_disabled());
        }
        self.throttle.succeeded(ctx, &key).await;
        if self.shared.settings.mails.keeps_out(&user.value) {
            self.record_refusal(ctx, Action::Login, Some(&user.id)).await;
            return Err(email_not_verified());
        }
        let rehashed = match verdict {
            Verdict::RightRehashed(hash) => Some(hash),
            Verdict::Right | Verdict::Wrong => None,
        };
        self.start_session(ctx, user.clone(), rehashed, user_agent.as_deref()).await
    }

    /// Compares a password with a hash, or with the decoy when there is none.
    pub(super) async fn compare(
        &self,
        password: Secret,
        hash: Option<PasswordHash>,
    ) -> Result<Verdict> {
        let hash = hash.unwrap_or_else(|| self.shared.decoy.clone());
        // Nobody has a longer one, so nothing is learned from what this takes.
        let is_too_long = password.expose_secret().len() > limits::PASSWORD_BYTES_MAX;
        let password = if is_too_long { Secret::from(String::new()) } else { password };
        let (hasher, random) = (self.shared.hasher.clone(), self.random.clone());
        self.shared
            .pool
            .run(move |workspace| hasher.verify(&password, &hash, &*random, workspace))
            .await?
    }

    /// Records that somebody was refused; the same work whether or not the user exists.
    pub(super) async fn record_refusal(&self, ctx: &Ctx, action: Action, target: Option<&str>) {
        let entry = self.audit.entry_with(ctx, action, target, Outcome::Refused, json!({}));
        let recorded = match entry {
            Ok(entry) => {
                let store = self.accounts.sessions.documents.store();
                store.commit(Batch::of([entry])).await.map(|_| ()).map_err(Error::from)
            }
            Err(error) => Err(error),
        };
        if let Err(error) = recorded {
            tracing::warn!(
                error = &error as &dyn std::error::Error,
                "a refusal is not in the audit log"
            );
        }
    }

    /// Starts a session of a user who has proven who they are. When the user is changed meanwhile,
    /// the password must still be the one that was proven.
    async fn start_session(
        &self,
        ctx: &Ctx,
        mut user: Stored<User>,
        mut rehashed: Option<PasswordHash>,
        user_agent: Option<&str>,
    ) -> Result<TokenAnswer> {
        let proven = user.value.password_hash.clone();
        let id = self.ids.new_id("ses");
        let token = RefreshToken::first(&id, &*self.random);
        let mut retry = Retry::new(&self.random);
        loop {
            let session = self.new_session(ctx, &user, &token, user_agent);
            let answer = self.answer(&id, &session, &token, &user).await?;
            let mut writes = vec![
                Collection::put(&id, &session, Precondition::Absent)?,
                user_write(&user, rehashed.as_ref())?,
                self.audit.entry(ctx, Action::Login, Some(&user.id), json!({"session": id}))?,
            ];
            let evicted = self.evicted(&user.id).await?;
            writes.extend(
                evicted.iter().map(|id| Collection::<Session>::delete(id, Precondition::Any)),
            );
            match self.accounts.sessions.commit_held(&evicted, Batch::of(writes)).await {
                Ok(_) => return Ok(answer),
                Err(error) => retry.again(error).await?,
            }
            user = self.accounts.find(&user.id).await?.ok_or_else(wrong_credentials)?;
            if user.value.password_hash != proven {
                // Either another login has rehashed the same password, or it is a new one.
                let same = rehashed.is_some() && user.value.epoch == session.epoch;
                if !same {
                    return Err(wrong_credentials());
                }
                rehashed = None;
            }
            if user.value.disabled {
                return Err(account_disabled());
            }
        }
    }

    fn new_session(
        &self,
        ctx: &Ctx,
        user: &Stored<User>,
        token: &RefreshToken,
        user_agent: Option<&str>,
    ) -> Session {
        let now = self.clock.now();
        let settings = &self.shared.settings;
        Session {
            user_id: user.id.clone(),
            epoch: user.value.epoch,
            created_at: now,
            last_refreshed_at: now,
            expires_at: now.plus(settings.session_life),
            ends_at: now.plus(settings.session_life_max),
            user_agent: user_agent.map(cut_user_agent),
            address: ctx.address,
            family_hash: token.family_hash(),
            refresh_hash: token.secret_hash(),
        }
    }

    /// The oldest sessions that must end so that one more can start.
    async fn evicted(&self, user_id: &str) -> Result<Vec<String>> {
        let all = self.accounts.sessions.all_of_user(user_id).await?;
        let over = (all.len() + 1).saturating_sub(limits::SESSIONS_PER_USER_MAX);
        Ok(all.into_iter().take(over.min(EVICTED_MAX)).map(|session| session.id).collect())
    }

    /// The tokens of this session, for its user.
    pub(super) async fn answer(
        &self,
        id: &str,
        session: &Session,
        token: &RefreshToken,
        user: &Stored<User>,
    ) -> Result<TokenAnswer> {
        let settings = &self.shared.settings;
        let key = self.shared.ring.signing(self.tools()).await?;
        let now = self.clock.now();
        // The token never outlives the session, so a cached answer about the session is enough.
        let session_end = session.expires_at.min(session.ends_at);
        let expires = now.plus(settings.access_token_life).min(session_end);
        let subject = Subject { user: &user.id, session: id, role: user.value.role.as_str() };
        let ids: &Ids = &self.ids;
        Ok(TokenAnswer {
            access_token: access_token::sign(subject, now, expires, &key, settings, ids)?,
            token_type: "Bearer".to_owned(),
            expires_in: expires.since(now).as_secs(),
            refresh_token: token.text(),
            session_id: id.to_owned(),
            user: UserView::of(&user.id, &user.value),
        })
    }
}

/// The session starts only if the user is still as they were when the password was compared.
fn user_write(user: &Stored<User>, rehashed: Option<&PasswordHash>) -> Result<Write> {
    let precondition = Precondition::Version(user.version);
    match rehashed {
        None => Ok(Write::Check { key: Collection::<User>::key(&user.id), precondition }),
        Some(hash) => {
            let changed = User { password_hash: hash.clone(), ..user.value.clone() };
            Collection::put(&user.id, &changed, precondition)
        }
    }
}

/// The address or the password is wrong; which one is not said.
pub(super) fn wrong_credentials() -> Error {
    Error::new(
        ErrorKind::Unauthenticated,
        "wrong_credentials",
        "the e-mail address or the password is wrong",
    )
}

/// The password is right, but the user must not sign in.
fn account_disabled() -> Error {
    Error::new(ErrorKind::Forbidden, "account_disabled", "this account is disabled")
}

/// The password is right, but the address is not known to be the user's own.
fn email_not_verified() -> Error {
    Error::new(
        ErrorKind::Forbidden,
        "email_not_verified",
        "the e-mail address is not verified yet: follow the link in the mail that was sent to it",
    )
}
