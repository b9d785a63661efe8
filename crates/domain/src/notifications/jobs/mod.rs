//! The jobs of this module.

mod email_send;
mod http_request;

pub use email_send::{Delivered, Recipients, SendEmail};
pub use http_request::SendRequest;
