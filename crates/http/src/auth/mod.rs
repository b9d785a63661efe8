//! Registering, signing in and out, sessions.

pub(crate) mod change_password;
pub(crate) mod forgot_password;
mod form;
pub(crate) mod link_pages;
pub(crate) mod login;
pub(crate) mod logout;
pub(crate) mod page;
pub(crate) mod refresh;
pub(crate) mod register;
pub(crate) mod resend_verification;
pub(crate) mod reset_password;
pub(crate) mod sessions;
pub(crate) mod setup;
pub(crate) mod token;
pub(crate) mod verify_email;

use http::HeaderMap;
use http::header::USER_AGENT;

/// What the client says it is.
pub(crate) fn user_agent(headers: &HeaderMap) -> Option<String> {
    headers.get(USER_AGENT)?.to_str().ok().map(ToOwned::to_owned)
}
