//! Tells others what happened: users by mail, inbox and webhook, as they want; servers by signed
//! webhooks.

mod channel;
mod inbox;
pub mod jobs;
mod letter;
pub mod messages;
mod notify;
mod preferences;
mod preview;
mod service;
mod signing;
mod template;
mod unsubscribe;

pub use channel::Channel;
pub use inbox::{ItemPatch, ItemView};
pub use letter::Letter;
pub use notify::{NewNotification, Receipt};
pub use preferences::{ACCOUNT, Channels, Preferences};
pub use preview::{Preview, PreviewInput, Templates};
pub use service::{Notifications, Settings, Shared};
pub use signing::Keys;

pub(crate) use preferences::forget;

#[cfg(test)]
mod tests;
