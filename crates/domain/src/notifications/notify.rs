//! One call to tell a user something, on the channels that they want.

use std::collections::BTreeMap;

use outrigger_kernel::{Ctx, Error, Result};
use outrigger_ports::collection::Collection;
use outrigger_ports::queue::Task;
use outrigger_ports::store::{Batch, Precondition, StoreError};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::inbox::Item;
use super::jobs::{Method, SendNotification, SendRequest};
use super::messages::{Reader, Saying, Variables};
use super::preferences::{NAME_RULE, Preferences, is_category};
use super::{Channel, Notifications};
use crate::audit::{Action, Change};
use crate::idempotency::{Answer, Keyed};
use crate::tasks::{New, Staged};

/// Something to tell a user.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "NewNotification")]
pub struct NewNotification {
    /// Whom: `usr_…`
    #[schemars(length(min = 1, max = 64))]
    pub user_id: String,
    /// Of which kind it is; users choose channels by it. What is of `account` is always mailed.
    #[schemars(length(min = 1, max = 32))]
    pub category: String,
    /// The name of the message; `notice` says `title` and `text`.
    #[serde(default = "notice")]
    #[schemars(length(min = 1, max = 64))]
    pub message: String,
    /// What stands in the message.
    #[serde(default)]
    #[schemars(extend("maxProperties" = 32))]
    pub variables: Variables,
    /// Where its button leads.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 2048), regex(pattern = r"^https?://[^\s]+$"))]
    pub link: Option<String>,
}

fn notice() -> String {
    "notice".to_owned()
}

/// How a user is told.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "NotificationReceipt")]
pub struct Receipt {
    /// `ntf_…`
    pub id: String,
    /// On these channels; none when the user does not want to be told.
    pub channels: Vec<Channel>,
}

impl Notifications {
    /// Tells a user something, on the channels that they want for its category. With an idempotency
    /// key, once. For administrators, and for Outrigger itself.
    ///
    /// # Errors
    /// `forbidden`; `invalid` when there is no such message, or one of its variables is missing.
    pub async fn notify(
        &self,
        ctx: &Ctx,
        new: NewNotification,
        idempotency_key: Option<&str>,
    ) -> Result<Receipt> {
        ctx.require_admin()?;
        let body = serde_json::to_vec(&new).map_err(Error::internal)?;
        let keyed = idempotency_key.map(|key| Keyed::new(ctx, "notify", key, &body)).transpose()?;
        if let Some(first) = self.first_receipt(keyed.as_ref()).await? {
            return Ok(first);
        }
        let (user, of) = (new.user_id.clone(), (new.category.clone(), new.message.clone()));
        let (receipt, mut staged) = self.stage(ctx, new).await?;
        let details = json!({"notification": receipt.id, "category": of.0, "message": of.1});
        let change = Change::of_bytes(None, Some(&body));
        let entry =
            self.audit.by_administrator(ctx, Action::NotificationSent, &user, change, details)?;
        staged.writes.extend(entry);
        if let Some(keyed) = &keyed {
            let body = serde_json::to_string(&receipt).map_err(Error::internal)?;
            let answer = Answer { etag: None, location: None, body };
            staged.writes.push(self.idempotency.keep(keyed, answer)?);
        }
        let batch = Batch::of(std::mem::take(&mut staged.writes));
        match self.inbox.store().commit(batch).await {
            Ok(_) => {
                self.tasks.committed(staged).await;
            }
            // All ids are new, so it was the key: the same request came twice at the same time.
            Err(StoreError::Precondition { .. }) if keyed.is_some() => {
                let first = self.first_receipt(keyed.as_ref()).await?;
                return first.ok_or_else(|| Error::conflict("concurrent_change", "try again"));
            }
            Err(error) => return Err(error.into()),
        }
        Ok(receipt)
    }

    /// The same for a batch that causes it: all or nothing.
    ///
    /// # Errors
    /// As [`Notifications::notify`].
    pub async fn stage(&self, ctx: &Ctx, new: NewNotification) -> Result<(Receipt, Staged)> {
        self.check(&new)?;
        let wanted = self.preferences_of(&new.user_id).await?;
        let channels = wanted.channels(&new.category);
        let id = self.ids.new_id("ntf");
        let tasks = self.tasks_of(ctx, &id, &new, &wanted, &channels)?;
        let mut staged = self.tasks.stage(tasks)?;
        if channels.contains(&Channel::Inbox) {
            let item = Item {
                user_id: new.user_id,
                category: new.category,
                message: new.message,
                variables: new.variables,
                link: new.link,
                created_at: self.clock.now(),
                read_at: None,
            };
            staged.writes.push(Collection::put(&id, &item, Precondition::Absent)?);
        }
        Ok((Receipt { id, channels }, staged))
    }

    fn tasks_of(
        &self,
        ctx: &Ctx,
        id: &str,
        new: &NewNotification,
        wanted: &Preferences,
        channels: &[Channel],
    ) -> Result<Vec<Task>> {
        let mut tasks = Vec::new();
        if channels.contains(&Channel::Email) {
            let job = SendNotification { notification: new.clone() };
            tasks.push(self.tasks.task_of(ctx, &New::now(job))?);
        }
        if let Some(url) =
            wanted.webhook_url.clone().filter(|_| channels.contains(&Channel::Webhook))
        {
            let body = json!({
                "type": "notification",
                "id": id,
                "user_id": new.user_id,
                "category": new.category,
                "message": new.message,
                "variables": new.variables,
                "link": new.link,
            });
            let request = SendRequest {
                url,
                method: Method::Post,
                headers: BTreeMap::new(),
                body: Some(body),
                timeout_s: 15,
                secret_ref: None,
            };
            tasks.push(self.tasks.task_of(ctx, &New::now(request))?);
        }
        Ok(tasks)
    }

    /// Says it once, so that what is missing is found now and not by the worker.
    fn check(&self, new: &NewNotification) -> Result<()> {
        if !is_category(&new.category) {
            return Err(Error::invalid(&["body", "category"], "invalid_name", NAME_RULE));
        }
        let saying =
            Saying { message: &new.message, variables: &new.variables, link: new.link.as_deref() };
        self.shared.catalogue.words(&saying, &Reader::default()).map(|_| ())
    }

    async fn first_receipt(&self, keyed: Option<&Keyed>) -> Result<Option<Receipt>> {
        let Some(keyed) = keyed else { return Ok(None) };
        let Some(answer) = self.idempotency.replay(keyed).await? else { return Ok(None) };
        serde_json::from_str(&answer.body).map(Some).map_err(Error::internal)
    }
}
