//! Ways to reach a user.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A way to reach a user.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum Channel {
    /// Mail.
    Email,
    /// The list of what they were told, for an app to show.
    Inbox,
    /// A signed request to a server of theirs.
    Webhook,
}
