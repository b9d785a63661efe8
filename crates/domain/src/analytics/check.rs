//! Events as clients send them, and what they may look like.

use std::collections::BTreeMap;
use std::time::Duration;

use outrigger_kernel::{Error, FieldError, Result, Timestamp, limits};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::counts::QUARTER_S;
use super::model::Waiting;

/// So far a client's clock may be ahead.
const AHEAD: Duration = Duration::from_secs(300);
/// So far the clocks of two processes may be apart: an id is remembered longer by this.
const APART: Duration = Duration::from_secs(600);
/// Most faults that one answer lists.
const FAULTS_MAX: usize = 50;
/// Ids, names and names of properties.
const WORD: &str = "^[A-Za-z0-9_.:-]{1,64}$";
const WORD_MESSAGE: &str = "1 to 64 letters, digits, _ . : or -";

/// Events of one request.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct NewEvents {
    /// 1 to 500 of them.
    #[schemars(length(min = 1, max = 500))]
    pub events: Vec<NewEvent>,
}

/// Something that happened.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct NewEvent {
    /// Chosen by the client, such as a UUID: of events with one id the first one counts.
    #[schemars(regex(pattern = WORD))]
    pub id: String,
    /// What happened, such as `order.placed`.
    #[schemars(regex(pattern = WORD))]
    pub name: String,
    /// When it happened, RFC 3339; now unless said. Whoever sends it again says it, or sends it soon.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>", extend("format" = "date-time"))]
    pub time: Option<Timestamp>,
    /// What events can be grouped by, such as `{"plan": "pro"}`: at most 8.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    #[schemars(extend("maxProperties" = 8))]
    pub properties: BTreeMap<String, PropertyValue>,
}

/// The value of a property; numbers and booleans are grouped as their text.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum PropertyValue {
    /// true or false.
    Flag(bool),
    /// A number.
    Number(serde_json::Number),
    /// A text of at most 100 bytes.
    Text(#[schemars(length(max = 100))] String),
}

/// An event that may be taken.
#[derive(Clone, Debug)]
pub(super) struct Event {
    pub(super) id: String,
    /// Its id is remembered until then.
    pub(super) known_until: Timestamp,
    pub(super) waiting: Waiting,
}

/// The events, or all that is wrong with them; they may be as late as this.
///
/// # Errors
/// `invalid` below `body.events`.
pub(super) fn events(new: NewEvents, now: Timestamp, late: Duration) -> Result<Vec<Event>> {
    let mut faults = Faults(Vec::new());
    let count = new.events.len();
    if !(1..=limits::EVENTS_MAX).contains(&count) {
        faults.add(&[], "length", format!("1 to {} events", limits::EVENTS_MAX));
        return Err(Error::invalid_fields(faults.0));
    }
    let mut events = Vec::with_capacity(count);
    for (place, new) in new.events.into_iter().enumerate() {
        let place = place.to_string();
        let time = new.time.unwrap_or(now);
        faults.word(&[&place, "id"], &new.id);
        faults.word(&[&place, "name"], &new.name);
        faults.time(&[&place, "time"], time, now, late);
        let properties = faults.properties(&place, new.properties);
        let quarter = time.as_secs().div_euclid(QUARTER_S);
        events.push(Event {
            id: new.id,
            known_until: time.max(now).plus(late).plus(APART),
            waiting: Waiting { name: new.name, quarter, properties },
        });
        if faults.0.len() >= FAULTS_MAX {
            break;
        }
    }
    if faults.0.is_empty() { Ok(events) } else { Err(Error::invalid_fields(faults.0)) }
}

/// Whether events may have this name, and properties too.
pub(super) fn is_word(text: &str) -> bool {
    let fits = (1..=limits::ID_BYTES_MAX).contains(&text.len());
    fits && text.bytes().all(|b| b.is_ascii_alphanumeric() || b"_.:-".contains(&b))
}

struct Faults(Vec<FieldError>);

impl Faults {
    fn add(&mut self, place: &[&str], code: &'static str, message: impl Into<String>) {
        let loc = ["body", "events"].iter().chain(place).map(ToString::to_string).collect();
        self.0.push(FieldError { loc, code: code.into(), message: message.into() });
    }

    fn word(&mut self, place: &[&str], text: &str) {
        if !is_word(text) {
            self.add(place, "pattern", WORD_MESSAGE);
        }
    }

    fn time(&mut self, place: &[&str], time: Timestamp, now: Timestamp, late: Duration) {
        if now.since(time) > late {
            let hours = late.as_secs() / 3_600;
            self.add(
                place,
                "too_old",
                format!(
                    "events are taken up to {hours} hours after they happened; leave this one out"
                ),
            );
        } else if time.since(now) > AHEAD {
            let minutes = AHEAD.as_secs() / 60;
            self.add(
                place,
                "in_future",
                format!("this is more than {minutes} minutes ahead of the server's clock"),
            );
        }
    }

    fn properties(
        &mut self,
        event: &str,
        properties: BTreeMap<String, PropertyValue>,
    ) -> BTreeMap<String, String> {
        let most = limits::EVENT_PROPERTIES_MAX;
        if properties.len() > most {
            self.add(&[event, "properties"], "maxProperties", format!("at most {most} properties"));
        }
        let texts = properties.into_iter().map(|(name, value)| {
            let value = match value {
                PropertyValue::Flag(flag) => flag.to_string(),
                PropertyValue::Number(number) => number.to_string(),
                PropertyValue::Text(text) => text,
            };
            self.word(&[event, "properties", &name], &name);
            if value.len() > limits::EVENT_VALUE_BYTES_MAX {
                let message = format!("at most {} bytes", limits::EVENT_VALUE_BYTES_MAX);
                self.add(&[event, "properties", &name], "maxLength", message);
            }
            (name, value)
        });
        texts.collect()
    }
}
