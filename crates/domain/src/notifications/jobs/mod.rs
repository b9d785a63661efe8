//! The jobs of this module.

mod http_request;

pub use http_request::SendRequest;
