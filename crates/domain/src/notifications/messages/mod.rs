//! What is told to users, in their language: messages in Fluent, with a text and an HTML part.
//!
//! Translators write words only. Both parts are made from the same words here, so they cannot say
//! different things, and whatever a variable holds is escaped.

mod catalogue;
mod formats;
mod language;
mod parts;
mod variable;

#[cfg(test)]
mod tests;

pub(crate) use catalogue::Catalogue;
pub use language::Language;
pub use variable::{Variable, Variables};

/// Who gets a message, as far as its words depend on it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Reader {
    /// What to call the person.
    pub name: Option<String>,
    /// BCP 47, such as `zh-Hant-TW`.
    pub locale: Option<String>,
    /// IANA, such as `Asia/Jakarta`.
    pub time_zone: Option<String>,
    /// ISO 4217, such as `IDR`.
    pub currency: Option<String>,
}

/// What is said: a message, and what its words are about.
#[derive(Clone, Copy, Debug)]
pub struct Saying<'a> {
    /// The name of the message, such as `reset-password`.
    pub message: &'a str,
    /// The values of its variables.
    pub variables: &'a Variables,
    /// Where its button leads.
    pub link: Option<&'a str>,
}

/// What a message says, without what surrounds it in a mail.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Words {
    /// One line.
    pub title: String,
    /// One or more paragraphs.
    pub text: String,
}

/// A message in the words of one language.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rendered {
    /// In which language.
    pub language: Language,
    /// One line.
    pub subject: String,
    /// The text part.
    pub text: String,
    /// The HTML part.
    pub html: String,
}
