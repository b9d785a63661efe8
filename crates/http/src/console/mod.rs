//! The console at `/console`: a page of the binary that uses the API as every client does, but whose
//! session is held in cookies that no script can read (`cookie.rs`).

pub(crate) mod assets;
mod cookie;
pub(crate) mod session;
pub(crate) mod sign_in;

pub(crate) use cookie::access_token;
