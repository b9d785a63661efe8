//! Mail over SMTP, with TLS that is required and verified; and, for development, into a folder.

mod folder;
mod message;
mod server;
mod smtp;

pub use folder::FolderMailer;
pub use message::check_address;
pub use smtp::{SmtpMailer, SmtpOptions};
