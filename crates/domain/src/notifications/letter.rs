//! A message to one user by mail.

use std::collections::BTreeMap;

use outrigger_kernel::Result;

use super::Notifications;
use super::jobs::{Recipients, SendEmail};
use super::messages::{Reader, Saying, Variables};

/// A message to one user, before it is put into words.
#[derive(Clone, Debug)]
pub struct Letter {
    /// The address.
    pub to: String,
    /// Who reads it.
    pub reader: Reader,
    /// The name of the message.
    pub message: String,
    /// The values of its variables.
    pub variables: Variables,
    /// Where its button leads.
    pub link: Option<String>,
    /// Ends mails like this one, with one click.
    pub unsubscribe: Option<String>,
}

impl Notifications {
    /// Puts it into words.
    ///
    /// # Errors
    /// `invalid` when there is no such message, or one of its variables is missing.
    pub(crate) fn write(&self, letter: &Letter) -> Result<SendEmail> {
        let saying = Saying {
            message: &letter.message,
            variables: &letter.variables,
            link: letter.link.as_deref(),
        };
        let unsubscribe = letter.unsubscribe.as_deref();
        let said = self.shared.catalogue.render(&saying, &letter.reader, unsubscribe)?;
        // So that no answering machine answers (RFC 3834).
        let mut headers =
            BTreeMap::from([("Auto-Submitted".to_owned(), "auto-generated".to_owned())]);
        if let Some(link) = unsubscribe {
            headers.insert("List-Unsubscribe".to_owned(), format!("<{link}>"));
            let one_click = "List-Unsubscribe=One-Click".to_owned();
            headers.insert("List-Unsubscribe-Post".to_owned(), one_click);
        }
        Ok(SendEmail {
            to: Recipients::One(letter.to.clone()),
            subject: said.subject,
            text: said.text,
            html: Some(said.html),
            from: None,
            reply_to: None,
            data: None,
            headers,
        })
    }
}
