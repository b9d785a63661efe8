//! The one-time links in account mails: who has one has read the mail.
//!
//! What a link proves is derived from the master secret and a number in the store, as the set-up
//! link is. So the store does not hold it, the task that mails it need not carry it, and whoever
//! may read both has nothing.

use std::time::Duration;

use outrigger_kernel::{Error, Result, Timestamp, id};
use outrigger_ports::collection::{Collection, Entity, Stored};
use outrigger_ports::store::{Batch, Precondition, Write};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Auth;
use crate::accounts::User;

const MARK_BYTES: usize = 32;

/// What a link is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Purpose {
    /// To show that an address is the user's own.
    VerifyEmail,
    /// To choose a new password.
    ResetPassword,
}

impl Purpose {
    /// The word for it; also the name of the message that brings the link.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::VerifyEmail => "verify-email",
            Self::ResetPassword => "reset-password",
        }
    }
}

/// What the store keeps of a link.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct MailLink {
    purpose: Purpose,
    number: String,
    user_id: String,
    /// To which address it was sent.
    email: String,
    /// It works in this epoch of the user: no longer once the password has changed, or all
    /// sessions were ended.
    epoch: u32,
    expires_at: Timestamp,
}

impl Entity for MailLink {
    const COLLECTION: &'static str = "sys.mail_links";
    const NAME: &'static str = "link";

    fn expires_at(&self) -> Option<Timestamp> {
        Some(self.expires_at)
    }
}

/// A link as it is mailed.
pub(super) struct Link {
    pub(super) url: String,
    pub(super) expires_at: Timestamp,
}

/// A link that somebody has followed, and whose it is.
pub(super) struct Followed {
    link: Stored<MailLink>,
    pub(super) user: Stored<User>,
}

impl Followed {
    /// The write that uses the link up.
    pub(super) fn used(&self) -> Write {
        Collection::<MailLink>::delete(&self.link.id, Precondition::Version(self.link.version))
    }
}

impl Auth {
    /// The link for this user under this id: the same, however often it is asked for, until it is
    /// used or expires.
    pub(super) async fn link(
        &self,
        purpose: Purpose,
        user: &Stored<User>,
        id: &str,
    ) -> Result<Link> {
        loop {
            if let Some(stored) = self.mail_links.find(id).await? {
                return Ok(self.written(&stored));
            }
            let link = MailLink {
                purpose,
                number: self.ids.hex(16),
                user_id: user.id.clone(),
                email: user.value.email.clone(),
                epoch: user.value.epoch,
                expires_at: self.clock.now().plus(self.life(purpose)),
            };
            let put = Collection::put(id, &link, Precondition::Absent)?;
            match self.mail_links.store().commit(Batch::of([put])).await.map_err(Error::from) {
                // When another attempt was quicker, its number is the one.
                Err(error) if error.code() != "concurrent_change" => return Err(error),
                _ => {}
            }
        }
    }

    /// Whose the link with this token is, if it works.
    ///
    /// # Errors
    /// `invalid` at `body.token` (`link_invalid`) when it is wrong, used, expired or superseded;
    /// which of them is not said.
    pub(super) async fn follow(&self, purpose: Purpose, token: &str) -> Result<Followed> {
        let (id, mark) = token.split_once('.').ok_or_else(invalid_link)?;
        if !id::is_valid_name(id) {
            return Err(invalid_link());
        }
        let link = self.mail_links.find(id).await?.ok_or_else(invalid_link)?;
        let is_ours = self.shared.vault.is_mark(
            purpose.as_str(),
            &said(&link.id, &link.value.number),
            mark,
            MARK_BYTES,
        );
        if !is_ours || link.value.purpose != purpose {
            return Err(invalid_link());
        }
        let user = self.accounts.find(&link.value.user_id).await?.ok_or_else(invalid_link)?;
        let holds = user.value.email == link.value.email
            && user.value.epoch == link.value.epoch
            && !user.value.disabled;
        if holds { Ok(Followed { link, user }) } else { Err(invalid_link()) }
    }

    fn written(&self, stored: &Stored<MailLink>) -> Link {
        let MailLink { purpose, number, expires_at, .. } = &stored.value;
        let said = said(&stored.id, number);
        let mark = self.shared.vault.mark(purpose.as_str(), &said, MARK_BYTES);
        let mails = &self.shared.settings.mails;
        let page = match purpose {
            Purpose::VerifyEmail => &mails.verify_page,
            Purpose::ResetPassword => &mails.reset_page,
        };
        let token = format!("{}.{mark}", stored.id);
        Link { url: page.replace("{token}", &token), expires_at: *expires_at }
    }

    fn life(&self, purpose: Purpose) -> Duration {
        let mails = &self.shared.settings.mails;
        match purpose {
            Purpose::VerifyEmail => mails.verify_life,
            Purpose::ResetPassword => mails.reset_life,
        }
    }
}

fn said(id: &str, number: &str) -> String {
    format!("{id}.{number}")
}

fn invalid_link() -> Error {
    let message = "this link is wrong, was used, or has expired; ask for a new one";
    Error::invalid(&["body", "token"], "link_invalid", message)
}
