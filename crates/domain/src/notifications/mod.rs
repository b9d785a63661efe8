//! Tells others what happened: signed webhooks, mail.

pub mod jobs;
mod letter;
pub mod messages;
mod service;
mod signing;
mod template;

pub use letter::Letter;
pub use service::{Notifications, Settings, Shared};
pub use signing::Keys;
