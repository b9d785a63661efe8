//! Messages as a user would see them, without sending any.

use outrigger_kernel::{Ctx, Result, Timestamp};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Notifications;
use super::messages::{Language, Reader, Saying, Variables};

/// Where buttons of examples lead.
const LINK: &str = "https://example.com/";

/// The messages that users are sent.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct Templates {
    /// Their names.
    pub messages: Vec<String>,
    /// The languages that each is in, as subtags of BCP 47.
    pub languages: Vec<String>,
}

/// Which message is to be seen, and by whom.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PreviewInput {
    /// Its name.
    #[schemars(length(max = 64))]
    pub message: String,
    /// BCP 47, such as `id`; English when it is not there.
    #[serde(default)]
    #[schemars(length(max = 35))]
    pub locale: Option<String>,
    /// IANA, such as `Asia/Jakarta`; UTC when it is not there.
    #[serde(default)]
    #[schemars(length(max = 64))]
    pub time_zone: Option<String>,
    /// What to call the reader.
    #[serde(default)]
    #[schemars(length(max = 200))]
    pub name: Option<String>,
    /// The values of its variables; those that are not there have examples.
    #[serde(default)]
    pub variables: Variables,
}

/// A message in the words of one language.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct Preview {
    /// The subtag of the language.
    pub language: String,
    /// The subject.
    pub subject: String,
    /// The text part.
    pub text: String,
    /// The HTML part.
    pub html: String,
}

impl Notifications {
    /// The messages that can be seen. For administrators.
    ///
    /// # Errors
    /// `unauthenticated`, `forbidden`.
    pub fn templates(&self, ctx: &Ctx) -> Result<Templates> {
        ctx.require_admin()?;
        Ok(Templates {
            messages: Language::English.messages().map(ToOwned::to_owned).collect(),
            languages: Language::ALL.iter().map(|language| language.tag().to_owned()).collect(),
        })
    }

    /// A message as this reader would see it. For administrators.
    ///
    /// # Errors
    /// `unauthenticated`, `forbidden`; `invalid` when there is no such message, or one of its variables
    /// cannot be written.
    pub fn preview(&self, ctx: &Ctx, input: PreviewInput) -> Result<Preview> {
        ctx.require_admin()?;
        let PreviewInput { message, locale, time_zone, name, variables } = input;
        let mut all = examples(self.clock.now());
        all.extend(variables);
        let saying = Saying { message: &message, variables: &all, link: Some(LINK) };
        let reader = Reader { name, locale, time_zone, currency: None };
        let rendered = self.shared.catalogue.render(&saying, &reader, None)?;
        Ok(Preview {
            language: rendered.language.tag().to_owned(),
            subject: rendered.subject,
            text: rendered.text,
            html: rendered.html,
        })
    }
}

/// A value of each variable that a message of our own has.
fn examples(now: Timestamp) -> Variables {
    let texts = [("title", "Your order is on its way"), ("text", "It left the harbour today.")];
    let times = [("until", now.into()), ("time", now.into())];
    texts.map(|(name, text)| (name, text.into())).into_iter().chain(times).map(named).collect()
}

fn named<V>((name, value): (&str, V)) -> (String, V) {
    (name.to_owned(), value)
}

#[cfg(test)]
mod tests {
    use super::super::messages::Language;
    use super::*;

    #[test]
    fn every_message_of_our_own_can_be_seen_without_variables() {
        let names: Vec<&str> = Language::English.messages().collect();
        assert_eq!(names, ["verify-email", "reset-password", "password-changed", "notice"]);
        let catalogue = super::super::messages::Catalogue::new("Shop").unwrap();
        let all = examples(Timestamp::from_secs(1_800_000_000));
        for message in names {
            let saying = Saying { message, variables: &all, link: Some(LINK) };
            assert!(catalogue.render(&saying, &Reader::default(), None).is_ok(), "{message}");
        }
    }
}
