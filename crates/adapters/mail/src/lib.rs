//! Mail over SMTP, with TLS that is required and verified, or over Amazon SES; and, for development, into
//! a folder.

mod folder;
mod message;
mod server;
#[cfg(feature = "ses")]
mod ses;
mod smtp;

pub use folder::FolderMailer;
pub use message::check_address;
#[cfg(feature = "ses")]
pub use ses::SesMailer;
pub use smtp::{SmtpMailer, SmtpOptions};
