//! Links that end mails of a category with one click and without signing in (RFC 8058).

use outrigger_kernel::{Error, ErrorKind, Result};

use super::Notifications;
use super::preferences::{ACCOUNT, is_category};

const MARK: &str = "unsubscribe";
const MARK_BYTES: usize = 32;

impl Notifications {
    /// The link for mails of this category to this user; `None` when they cannot be ended.
    pub(super) fn unsubscribe_link(&self, user: &str, category: &str) -> Option<String> {
        if category == ACCOUNT {
            return None;
        }
        let said = format!("{user}.{category}");
        let mark = self.shared.vault.mark(MARK, &said, MARK_BYTES);
        Some(format!("{}/unsubscribe?token={said}.{mark}", self.shared.public_url))
    }

    /// Whose mails of which category the token ends.
    ///
    /// # Errors
    /// `forbidden` (`link_invalid`) when it is not one that was mailed.
    pub(super) fn unsubscribes<'a>(&self, token: &'a str) -> Result<(&'a str, &'a str)> {
        let parts = token.rsplit_once('.').and_then(|(said, mark)| {
            let (user, category) = said.split_once('.')?;
            let is_ours = self.shared.vault.is_mark(MARK, said, mark, MARK_BYTES);
            (is_ours && is_category(category)).then_some((user, category))
        });
        parts.ok_or_else(|| {
            let message = "this link is not one that was mailed; open it as it stands in the mail";
            Error::new(ErrorKind::Forbidden, "link_invalid", message)
        })
    }
}
