//! The jobs of this module.

mod email_send;
mod http_request;
mod send_notification;

pub use email_send::{Delivered, Recipients, SendEmail};
pub use http_request::{Method, SendRequest};
pub use send_notification::SendNotification;
