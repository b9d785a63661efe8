//! The jobs of this module.

mod send_account_mail;

pub use send_account_mail::SendAccountMail;
