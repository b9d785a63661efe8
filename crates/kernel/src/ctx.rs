//! Who acts, with which rights, for which request, until when.

use std::net::IpAddr;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};
use crate::time::Timestamp;
use crate::trace::TraceParent;

/// A role's name. `admin` may do everything; `user` is what everybody who registers gets; other
/// names may be given to users by an administrator and named in the rules of collections.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Role(Arc<str>);

impl Role {
    /// The role with this name.
    pub fn new(name: &str) -> Self {
        Self(name.into())
    }

    /// Everybody's role.
    pub fn user() -> Self {
        Self::new("user")
    }

    /// The role that may do everything.
    pub fn admin() -> Self {
        Self::new("admin")
    }

    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether this is the administrator's role.
    pub fn is_admin(&self) -> bool {
        self.as_str() == "admin"
    }
}

/// Who acts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Actor {
    /// Nobody has signed in.
    Anonymous,
    /// A user with a live session.
    User {
        /// `usr_…`
        id: Arc<str>,
        /// What the user may do.
        role: Role,
        /// `ses_…`, the session that the access token names.
        session: Arc<str>,
    },
    /// Outrigger itself: the command line, a background loop.
    System,
}

/// The context of one request or task; given to every rule.
#[derive(Clone, Debug)]
pub struct Ctx {
    /// Who acts.
    pub actor: Actor,
    /// Names this request in logs, errors and answers.
    pub request_id: Arc<str>,
    /// The client's address, where there is one.
    pub address: Option<IpAddr>,
    /// When the answer is no longer wanted.
    pub deadline: Option<Timestamp>,
    /// The trace that it belongs to, if the caller named one.
    pub trace: Option<TraceParent>,
}

impl Ctx {
    /// The context of Outrigger's own work.
    pub fn system(request_id: &str) -> Self {
        Self {
            actor: Actor::System,
            request_id: request_id.into(),
            address: None,
            deadline: None,
            trace: None,
        }
    }

    /// The id of the user who acts, if one does.
    pub fn user_id(&self) -> Option<&str> {
        match &self.actor {
            Actor::User { id, .. } => Some(id),
            Actor::Anonymous | Actor::System => None,
        }
    }

    /// The id for logs and the audit log: the user's, `anonymous` or `system`.
    pub fn actor_id(&self) -> &str {
        match &self.actor {
            Actor::User { id, .. } => id,
            Actor::Anonymous => "anonymous",
            Actor::System => "system",
        }
    }

    /// Whether a user with this role acts.
    pub fn has_role(&self, name: &str) -> bool {
        matches!(&self.actor, Actor::User { role, .. } if role.as_str() == name)
    }

    /// Whether an administrator or Outrigger itself acts.
    pub fn is_admin(&self) -> bool {
        match &self.actor {
            Actor::User { role, .. } => role.is_admin(),
            Actor::System => true,
            Actor::Anonymous => false,
        }
    }

    /// The user who acts.
    ///
    /// # Errors
    /// `unauthenticated` when nobody has signed in, or when Outrigger itself acts.
    pub fn require_user(&self) -> Result<&str> {
        self.user_id().ok_or_else(Error::unauthenticated)
    }

    /// Refuses everybody but an administrator.
    ///
    /// # Errors
    /// `unauthenticated` without a user, `forbidden` with the wrong role.
    pub fn require_admin(&self) -> Result<()> {
        if self.is_admin() {
            return Ok(());
        }
        self.require_user()?;
        Err(Error::forbidden("this needs the role admin"))
    }
}
