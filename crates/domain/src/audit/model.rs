//! What an entry of the audit log says.

use std::net::IpAddr;
use std::time::Duration;

use outrigger_kernel::Timestamp;
use outrigger_ports::collection::Entity;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// How long an entry is kept.
pub(crate) const KEPT_FOR: Duration = Duration::from_secs(90 * 86_400);

/// What was done.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
pub enum Action {
    /// Somebody made an account.
    #[serde(rename = "auth.register")]
    Register,
    /// Somebody signed in, or failed to.
    #[serde(rename = "auth.login")]
    Login,
    /// A refresh token was used a second time, and its session was revoked.
    #[serde(rename = "auth.refresh_reused")]
    RefreshReused,
    /// A user ended the session they were using.
    #[serde(rename = "auth.logout")]
    Logout,
    /// A session was ended from elsewhere.
    #[serde(rename = "auth.session_revoked")]
    SessionRevoked,
    /// A user changed their password.
    #[serde(rename = "auth.password_changed")]
    PasswordChanged,
    /// Somebody asked for a mail with a link to a new password.
    #[serde(rename = "auth.password_reset_requested")]
    PasswordResetRequested,
    /// Who followed such a link has a new password.
    #[serde(rename = "auth.password_reset")]
    PasswordReset,
    /// Somebody asked for a mail with a link that verifies their address.
    #[serde(rename = "auth.verification_requested")]
    VerificationRequested,
    /// Who followed such a link has shown that the address is theirs.
    #[serde(rename = "auth.email_verified")]
    EmailVerified,
    /// The keys that sign access tokens were rotated.
    #[serde(rename = "auth.keys_rotated")]
    KeysRotated,
    /// An administrator was made on the command line, at the first start or by the set-up link.
    #[serde(rename = "accounts.admin_created")]
    AdminCreated,
    /// A user was changed by an administrator.
    #[serde(rename = "accounts.user_changed")]
    UserChanged,
    /// A user was deleted, by an administrator or by themselves.
    #[serde(rename = "accounts.user_deleted")]
    UserDeleted,
    /// A collection was defined or its definition was changed.
    #[serde(rename = "records.collection_changed")]
    CollectionChanged,
    /// A task was cancelled.
    #[serde(rename = "tasks.cancelled")]
    TaskCancelled,
    /// A finished task was begun again.
    #[serde(rename = "tasks.replayed")]
    TaskReplayed,
    /// Nothing is claimed from a queue any more.
    #[serde(rename = "tasks.queue_paused")]
    QueuePaused,
    /// Tasks are claimed from a queue again.
    #[serde(rename = "tasks.queue_resumed")]
    QueueResumed,
    /// A user ended mails of a category by the link in one.
    #[serde(rename = "notifications.unsubscribed")]
    Unsubscribed,
    /// A schedule was made or changed.
    #[serde(rename = "tasks.schedule_changed")]
    ScheduleChanged,
    /// A schedule was deleted.
    #[serde(rename = "tasks.schedule_deleted")]
    ScheduleDeleted,
    /// A collection was deleted with all of its records.
    #[serde(rename = "records.collection_deleted")]
    CollectionDeleted,
}

/// How it ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// It was done.
    Succeeded,
    /// It was refused.
    Refused,
}

/// One entry of the audit log.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Entry {
    /// When it happened, RFC 3339.
    #[schemars(with = "String", extend("format" = "date-time"))]
    pub time: Timestamp,
    /// What was done.
    pub action: Action,
    /// Who did it: a user's id, `anonymous` or `system`.
    pub actor: String,
    /// From which address, where there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>")]
    pub address: Option<IpAddr>,
    /// To what: the id of the user, session or key, or the name of the collection.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub target: Option<String>,
    /// How it ended.
    pub outcome: Outcome,
    /// The request that asked for it.
    pub request_id: String,
    /// What else is worth knowing; never a secret.
    #[serde(default, skip_serializing_if = "serde_json::Map::is_empty")]
    pub details: serde_json::Map<String, serde_json::Value>,
}

impl Entity for Entry {
    const COLLECTION: &'static str = "sys.audit";
    const NAME: &'static str = "audit entry";

    fn expires_at(&self) -> Option<Timestamp> {
        Some(self.time.plus(KEPT_FOR))
    }
}
