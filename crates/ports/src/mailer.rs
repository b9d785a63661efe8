//! Mail: hands messages to whoever delivers them.

use std::fmt;

use async_trait::async_trait;
use outrigger_kernel::Timestamp;

use crate::probe::Probed;

/// One message. Addresses are `name@example.com` or `A Name <name@example.com>`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mail {
    /// Names the message, the same at every attempt to send it: `[A-Za-z0-9_-]`. The `Message-ID`
    /// follows from it, so that whoever gets a message twice can tell.
    pub id: String,
    /// The message's date.
    pub at: Timestamp,
    /// Who sends it.
    pub from: String,
    /// Where answers go, when not to `from`.
    pub reply_to: Option<String>,
    /// Who gets it; all of them, or nobody when the server refuses one.
    pub to: Vec<String>,
    /// One line.
    pub subject: String,
    /// The text.
    pub text: String,
    /// The same as HTML.
    pub html: Option<String>,
    /// Further headers, besides those that the mailer sets itself.
    pub headers: Vec<(String, String)>,
}

/// A message that was taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sent {
    /// Its `Message-ID`, without the angle brackets.
    pub message_id: String,
    /// What the server said, on one line, such as `250 queued as 4f2a`.
    pub answer: String,
}

/// Why a message was not taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum MailFault {
    /// This message cannot be sent, or its server will not have it: it will not work another time
    /// either.
    Refused(String),
    /// Nobody took it now: no connection, no TLS, no sign-in, no answer in time, or a server that
    /// asks to come back. It may have been taken although its answer was lost.
    Away(String),
}

impl fmt::Display for MailFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Refused(why) | Self::Away(why) => f.write_str(why),
        }
    }
}

impl std::error::Error for MailFault {}

/// Sends mail.
#[async_trait]
pub trait Mailer: Send + Sync + fmt::Debug {
    /// Hands over one message, once; returns when the other side has taken responsibility for it.
    ///
    /// # Errors
    /// [`MailFault`] when it was not taken. Never holds the password.
    async fn send(&self, mail: Mail) -> Result<Sent, MailFault>;

    /// Goes as far as it can without sending anything: connects, secures the connection, signs in.
    ///
    /// # Errors
    /// [`MailFault`] says how far it came.
    async fn probe(&self) -> Result<Probed, MailFault>;
}
