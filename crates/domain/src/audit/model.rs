//! What an entry of the audit log says.

use std::net::IpAddr;
use std::time::Duration;

use aws_lc_rs::digest::{SHA256, digest};
use outrigger_kernel::{Error, Result, Timestamp, id};
use outrigger_ports::collection::{self, Entity};
use outrigger_ports::{index_value, store};
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
    /// A user was changed by an administrator, who may be that user.
    #[serde(rename = "accounts.user_changed")]
    UserChanged,
    /// A user was deleted, by an administrator or by themselves.
    #[serde(rename = "accounts.user_deleted")]
    UserDeleted,
    /// Files were deleted because their owner, the target, had been; the details name them.
    #[serde(rename = "files.deleted_with_owner")]
    FilesDeleted,
    /// A collection was defined or its definition was changed.
    #[serde(rename = "records.collection_changed")]
    CollectionChanged,
    /// An administrator enqueued an import or export of records, or ran a schedule's task now.
    #[serde(rename = "tasks.enqueued")]
    TaskEnqueued,
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
    /// An administrator had a user told something.
    #[serde(rename = "notifications.sent")]
    NotificationSent,
    /// An administrator uploaded a file.
    #[serde(rename = "files.created")]
    FileCreated,
    /// An administrator deleted a file.
    #[serde(rename = "files.deleted")]
    FileDeleted,
    /// A schedule was made or changed.
    #[serde(rename = "tasks.schedule_changed")]
    ScheduleChanged,
    /// A schedule was deleted.
    #[serde(rename = "tasks.schedule_deleted")]
    ScheduleDeleted,
    /// A collection was deleted with all of its records.
    #[serde(rename = "records.collection_deleted")]
    CollectionDeleted,
    /// An administrator created or changed a record, `COLLECTION/ID`.
    #[serde(rename = "records.record_changed")]
    RecordChanged,
    /// An administrator deleted a record.
    #[serde(rename = "records.record_deleted")]
    RecordDeleted,
    /// An administrator changed several records at once; the details name them.
    #[serde(rename = "records.batch")]
    RecordsChanged,
    /// Something that this version of the program knows nothing of.
    #[serde(rename = "other", other)]
    Other,
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
    /// Of what was changed or deleted, as it was kept: the SHA-256 of its JSON, in hexadecimal.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub before: Option<String>,
    /// The same of what is kept now.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<String>,
    /// Its place in the chain, a moment after it was written.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub link: Option<Link>,
}

/// The place of an entry in the chain: who has only the database cannot change an entry of it or take one
/// out without breaking it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Link {
    /// From 1, without gaps.
    pub number: u64,
    /// The hash of the entry before this one; empty at the first.
    pub previous: String,
    /// When that one happened: until when it must be there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>", extend("format" = "date-time"))]
    pub previous_time: Option<Timestamp>,
    /// HMAC-SHA256 of both, the entry's id and its JSON without this link, in hexadecimal, under a key
    /// that is derived from `auth.secret`.
    pub hash: String,
}

impl Link {
    /// What the chain's index has of it.
    pub(super) fn entry(&self) -> store::Entry {
        let mut number = Vec::new();
        index_value::integer(&mut number, self.number.into());
        collection::entry(CHAIN, number)
    }
}

/// What was changed, as hashes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Change {
    before: Option<String>,
    after: Option<String>,
}

impl Change {
    /// From one state to another, in the form in which they are kept; `None`: it was or is not there.
    ///
    /// # Errors
    /// When one has no JSON form.
    pub fn of<T: Serialize>(before: Option<&T>, after: Option<&T>) -> Result<Self> {
        let json = |state| serde_json::to_vec(state).map_err(Error::internal);
        let (before, after) = (before.map(json).transpose()?, after.map(json).transpose()?);
        Ok(Self::of_bytes(before.as_deref(), after.as_deref()))
    }

    /// The same of what is JSON text already.
    pub fn of_bytes(before: Option<&[u8]>, after: Option<&[u8]>) -> Self {
        let hash = |body| id::hex(digest(&SHA256, body).as_ref());
        Self { before: before.map(hash), after: after.map(hash) }
    }

    /// Writes it into the entry.
    pub(super) fn tell(self, entry: &mut Entry) {
        (entry.before, entry.after) = (self.before, self.after);
    }
}

/// Entries that are not in the chain yet, by their time.
pub(super) const OPEN: &str = "open";
/// Entries of the chain, by their number.
pub(super) const CHAIN: &str = "chain";

impl Entity for Entry {
    const COLLECTION: &'static str = "sys.audit";
    const NAME: &'static str = "audit entry";

    fn entries(&self) -> Vec<store::Entry> {
        vec![match &self.link {
            Some(link) => link.entry(),
            None => collection::entry(OPEN, index_value::of_time(self.time)),
        }]
    }

    fn expires_at(&self) -> Option<Timestamp> {
        Some(self.time.plus(KEPT_FOR))
    }
}
