//! `account.mail`: a mail with a one-time link.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::auth::Purpose;
use crate::notifications::jobs::SendEmail;
use crate::tasks::{Job, JobResult, Options, TaskCtx};

/// Mails a one-time link to a user, if there is one with this address. The link is made when the
/// mail is written, and stands nowhere else.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SendAccountMail {
    /// What the link is for.
    pub purpose: Purpose,
    /// The address of the user, in lower case.
    #[schemars(length(max = 254))]
    pub email: String,
}

impl Job for SendAccountMail {
    const KIND: &'static str = "account.mail";
    const DESCRIPTION: &'static str = "mails a user a one-time link";
    type Output = ();

    /// Who has asked for a mail is nobody's business.
    fn options() -> Options {
        Options { sealed: true, ..SendEmail::options() }
    }

    async fn run(self, task: &TaskCtx) -> JobResult<()> {
        let (services, id) = (&task.services, task.task.id.as_str());
        let letter = services.auth.letter(self.purpose, &self.email, id).await?;
        if let Some(letter) = letter {
            services.notifications.write(&letter)?.run(task).await?;
        }
        Ok(())
    }
}
