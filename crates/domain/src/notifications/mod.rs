//! Tells others what happened: signed webhooks, mail.

pub mod jobs;
mod service;
mod signing;
mod template;

pub use service::{Notifications, Settings, Shared};
pub use signing::Keys;
