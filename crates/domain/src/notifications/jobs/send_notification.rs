//! `notification.mail`: tells a user something by mail.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::SendEmail;
use crate::notifications::{Channel, Letter, NewNotification};
use crate::tasks::{Job, JobResult, Options, TaskCtx};

/// Tells a user something by mail, in their language, if they still want to be told.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(transparent)]
pub struct SendNotification {
    /// What, and whom.
    pub notification: NewNotification,
}

impl Job for SendNotification {
    const KIND: &'static str = "notification.mail";
    const DESCRIPTION: &'static str = "tells a user something by mail";
    type Output = ();

    fn options() -> Options {
        SendEmail::options()
    }

    async fn run(self, task: &TaskCtx) -> JobResult<()> {
        let NewNotification { user_id, category, message, variables, link } = self.notification;
        let (accounts, notifications) = (&task.services.accounts, &task.services.notifications);
        let Some((to, reader)) = accounts.reader(&user_id).await? else { return Ok(()) };
        if !notifications.wants(&user_id, &category, Channel::Email).await? {
            return Ok(());
        }
        let unsubscribe = notifications.unsubscribe_link(&user_id, &category);
        let letter = Letter { to, reader, message, variables, link, unsubscribe };
        notifications.write(&letter)?.run(task).await?;
        Ok(())
    }
}
