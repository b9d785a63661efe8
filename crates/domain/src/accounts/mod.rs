//! Users and their sessions: what is kept of them, what may be changed, and that a change takes
//! effect at the next request on every replica.

mod admins;
mod departed;
mod model;
mod retry;
mod service;
mod sessions;
mod validate;

pub use model::{AdminPatch, NewUser, PasswordHash, Patch, ProfilePatch, User, UserView};
pub use service::Accounts;
pub use sessions::{Session, SessionView};
pub use validate::normalize_email;

pub(crate) use departed::{Departed, must_exist, of_nobody};
pub(crate) use retry::Retry;
pub(crate) use service::{NewKind, NewPassword, administrator_exists, email_taken};
pub(crate) use sessions::{Live, cache_key, cut_user_agent};
pub(crate) use validate::new_user as validate_new_user;

#[cfg(test)]
mod tests;
