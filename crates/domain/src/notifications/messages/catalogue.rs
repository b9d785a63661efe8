//! The messages of all languages, read once per process.

use std::borrow::Cow;
use std::fmt;

use fluent_bundle::concurrent::FluentBundle;
use fluent_bundle::{FluentArgs, FluentError, FluentResource, FluentValue};
use outrigger_kernel::{Error, Result};

use super::language::Language;
use super::parts::Parts;
use super::{Reader, Rendered, Saying, Variable, Words, formats};

type Bundle = FluentBundle<FluentResource>;

/// The messages.
pub(crate) struct Catalogue {
    product: String,
    bundles: Vec<(Language, Bundle)>,
}

impl fmt::Debug for Catalogue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Catalogue").field("product", &self.product).finish_non_exhaustive()
    }
}

impl Catalogue {
    /// Reads the messages. `product` is what they call this deployment.
    ///
    /// # Errors
    /// `internal` when a file of messages is malformed.
    pub(crate) fn new(product: &str) -> Result<Self> {
        let bundles = Language::ALL.into_iter().map(|language| Ok((language, read(language)?)));
        Ok(Self { product: product.to_owned(), bundles: bundles.collect::<Result<_>>()? })
    }

    /// Says it to this reader.
    ///
    /// # Errors
    /// `invalid` when there is no such message, or one of its variables is missing.
    pub(crate) fn render(
        &self,
        saying: &Saying<'_>,
        reader: &Reader,
        unsubscribe: Option<&str>,
    ) -> Result<Rendered> {
        let language = Language::of(reader.locale.as_deref());
        let args = self.args(saying, reader)?;
        let words = Speech { bundle: self.bundle(language)?, args: &args };
        let greeting = if reader.name.is_some() { "greeting" } else { "greeting-nameless" };
        let parts = Parts {
            language: language.tag(),
            subject: words.required(saying.message, "subject")?,
            greeting: words.value(greeting)?,
            text: words.required(saying.message, "text")?,
            button: words.attribute(saying.message, "action")?.zip(saying.link),
            note: words.attribute(saying.message, "note")?,
            unsubscribe: match unsubscribe {
                Some(link) => Some((words.value("unsubscribe")?, link)),
                None => None,
            },
            closing: words.value("closing")?,
        };
        Ok(Rendered {
            language,
            text: parts.text(),
            html: parts.html(),
            subject: one_line(&parts.subject),
        })
    }

    /// Only its title and text.
    ///
    /// # Errors
    /// As [`Self::render`].
    pub(crate) fn words(&self, saying: &Saying<'_>, reader: &Reader) -> Result<Words> {
        let language = Language::of(reader.locale.as_deref());
        let args = self.args(saying, reader)?;
        let speech = Speech { bundle: self.bundle(language)?, args: &args };
        Ok(Words {
            title: one_line(&speech.required(saying.message, "subject")?),
            text: speech.required(saying.message, "text")?,
        })
    }

    fn bundle(&self, language: Language) -> Result<&Bundle> {
        let found = self.bundles.iter().find(|(known, _)| *known == language);
        found.map(|(_, bundle)| bundle).ok_or_else(|| Error::internal("a language has no messages"))
    }

    fn args(&self, saying: &Saying<'_>, reader: &Reader) -> Result<FluentArgs<'static>> {
        let mut args = FluentArgs::new();
        for (name, value) in saying.variables {
            args.set(name.clone(), said(value, reader)?);
        }
        args.set("product", self.product.clone());
        if let Some(name) = &reader.name {
            args.set("name", name.clone());
        }
        Ok(args)
    }
}

fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// A variable as this reader gets it.
fn said(value: &Variable, reader: &Reader) -> Result<FluentValue<'static>> {
    Ok(match value {
        Variable::Text(text) => FluentValue::from(text.clone()),
        Variable::Number(number) => FluentValue::from(*number),
        Variable::Time(instant) => FluentValue::from(formats::time(instant.time, reader)?),
        Variable::Amount(of) => {
            FluentValue::from(formats::amount(&of.amount, &of.currency, reader)?)
        }
    })
}

/// The words of one language, about these things.
struct Speech<'a> {
    bundle: &'a Bundle,
    args: &'a FluentArgs<'static>,
}

impl Speech<'_> {
    fn value(&self, message: &str) -> Result<String> {
        let found = self.bundle.get_message(message).and_then(|message| message.value());
        let mut faults = Vec::new();
        let pattern = found.ok_or_else(|| no_message(message))?;
        whole(message, self.bundle.format_pattern(pattern, Some(self.args), &mut faults), &faults)
    }

    fn required(&self, message: &str, attribute: &str) -> Result<String> {
        self.attribute(message, attribute)?.ok_or_else(|| no_message(message))
    }

    fn attribute(&self, message: &str, attribute: &str) -> Result<Option<String>> {
        let found = self.bundle.get_message(message).ok_or_else(|| no_message(message))?;
        let Some(attribute) = found.get_attribute(attribute) else { return Ok(None) };
        let mut faults = Vec::new();
        let text = self.bundle.format_pattern(attribute.value(), Some(self.args), &mut faults);
        whole(message, text, &faults).map(Some)
    }
}

/// The words, unless something was missing in them.
fn whole(message: &str, text: Cow<'_, str>, faults: &[FluentError]) -> Result<String> {
    match faults.first() {
        None => Ok(text.into_owned()),
        Some(fault) => {
            let why = format!("the message {message} cannot be written: {fault}");
            Err(Error::invalid(&["body", "variables"], "variable", why))
        }
    }
}

fn no_message(name: &str) -> Error {
    Error::invalid(&["body", "message"], "unknown_message", format!("there is no message {name}"))
}

fn read(language: Language) -> Result<Bundle> {
    let fault = |what: String| Error::internal(format!("{}.ftl: {what}", language.tag()));
    let tag = language.tag().parse().map_err(|_| fault("no such language".to_owned()))?;
    let resource = FluentResource::try_new(language.source().to_owned());
    let resource = resource.map_err(|(_, errors)| fault(format!("{errors:?}")))?;
    let mut bundle = FluentBundle::new_concurrent(vec![tag]);
    // The marks around variables are for right-to-left scripts; here they would stand in subjects.
    bundle.set_use_isolating(false);
    bundle.add_resource(resource).map_err(|errors| fault(format!("{errors:?}")))?;
    Ok(bundle)
}
