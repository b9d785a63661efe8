//! What a user wants to be told, and how.

use std::collections::BTreeMap;

use outrigger_kernel::{Ctx, Error, FieldError, Result};
use outrigger_ports::collection::{Collection, Entity};
use outrigger_ports::store::{Batch, Precondition, Write};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::{Channel, Notifications};
use crate::audit::Action;

/// The category of what concerns the account itself. It always comes, by mail.
pub const ACCOUNT: &str = "account";

/// Which channels of one category a user wants.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Channels {
    /// By mail.
    pub email: bool,
    /// In the inbox.
    pub inbox: bool,
    /// To the webhook, if there is one.
    pub webhook: bool,
}

impl Default for Channels {
    fn default() -> Self {
        Self { email: true, inbox: true, webhook: true }
    }
}

/// What a user wants to be told, and how. What is not said is wanted.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Preferences {
    /// By category: `[a-z][a-z0-9_-]{0,31}`, up to 50 of them.
    #[schemars(extend("maxProperties" = 50))]
    pub categories: BTreeMap<String, Channels>,
    /// A server of the user's that is told too, on the public internet.
    #[schemars(length(max = 2048), regex(pattern = r"^https?://[^\s]+$"))]
    pub webhook_url: Option<String>,
}

impl Entity for Preferences {
    const COLLECTION: &'static str = "sys.notification_preferences";
    const NAME: &'static str = "preferences";
}

impl Preferences {
    /// On which channels this category is wanted.
    pub(super) fn channels(&self, category: &str) -> Vec<Channel> {
        let mut wanted = self.categories.get(category).copied().unwrap_or_default();
        wanted.email |= category == ACCOUNT;
        let all = [
            (wanted.email, Channel::Email),
            (wanted.inbox, Channel::Inbox),
            (wanted.webhook && self.webhook_url.is_some(), Channel::Webhook),
        ];
        all.into_iter().filter_map(|(is_wanted, channel)| is_wanted.then_some(channel)).collect()
    }

    fn check(&self) -> Result<()> {
        let fault = |name: &str, code: &'static str, message: &str| FieldError {
            loc: ["body", "categories", name].map(ToOwned::to_owned).into(),
            code: code.into(),
            message: message.to_owned(),
        };
        let mut faults = Vec::new();
        for (name, channels) in &self.categories {
            if !is_category(name) {
                faults.push(fault(name, "invalid_name", NAME_RULE));
            }
            if name == ACCOUNT && !channels.email {
                faults.push(fault(name, "transactional", "mails about the account always come"));
            }
        }
        if faults.is_empty() { Ok(()) } else { Err(Error::invalid_fields(faults)) }
    }
}

/// What a category may be called.
pub(super) const NAME_RULE: &str =
    "a category is 1 to 32 of a-z, 0-9, _ and -, and starts with a letter";

/// Whether a category may be called so.
pub(super) fn is_category(name: &str) -> bool {
    (1..=32).contains(&name.len())
        && name.starts_with(|c: char| c.is_ascii_lowercase())
        && name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b"_-".contains(&b))
}

impl Notifications {
    /// What the user who asks wants.
    ///
    /// # Errors
    /// `unauthenticated`.
    pub async fn preferences(&self, ctx: &Ctx) -> Result<Preferences> {
        self.preferences_of(ctx.require_user()?).await
    }

    /// Replaces what the user who asks wants.
    ///
    /// # Errors
    /// `invalid` with each fault, `unauthenticated`.
    pub async fn set_preferences(&self, ctx: &Ctx, new: Preferences) -> Result<Preferences> {
        let user = ctx.require_user()?;
        new.check()?;
        let put = Collection::put(user, &new, Precondition::Any)?;
        self.preferences.store().commit(Batch::of([put])).await?;
        Ok(new)
    }

    /// Ends mails of the category that this link is for.
    ///
    /// # Errors
    /// `forbidden` (`link_invalid`) when the link is not one that was mailed.
    pub async fn unsubscribe(&self, ctx: &Ctx, token: &str) -> Result<()> {
        let (user, category) = self.unsubscribes(token)?;
        let mut tries = 0;
        loop {
            let found = self.preferences.find(user).await?;
            let at = found.as_ref().map(|stored| Precondition::Version(stored.version));
            let mut wanted = found.map(|stored| stored.value).unwrap_or_default();
            wanted.categories.entry(category.to_owned()).or_default().email = false;
            let details = json!({"category": category});
            let batch = Batch::of([
                Collection::put(user, &wanted, at.unwrap_or(Precondition::Absent))?,
                self.audit.entry(ctx, Action::Unsubscribed, Some(user), details)?,
            ]);
            match self.preferences.store().commit(batch).await.map_err(Error::from) {
                Ok(_) => return Ok(()),
                Err(error) if error.code() == "concurrent_change" && tries < 8 => tries += 1,
                Err(error) => return Err(error),
            }
        }
    }

    /// Whether the user wants this category on this channel.
    pub(super) async fn wants(&self, user: &str, category: &str, on: Channel) -> Result<bool> {
        Ok(self.preferences_of(user).await?.channels(category).contains(&on))
    }

    pub(super) async fn preferences_of(&self, user: &str) -> Result<Preferences> {
        Ok(self.preferences.find(user).await?.map(|stored| stored.value).unwrap_or_default())
    }
}

/// The write that forgets what a user wants, for the batch that deletes the user.
pub(crate) fn forget(user: &str) -> Write {
    Collection::<Preferences>::delete(user, Precondition::Any)
}
