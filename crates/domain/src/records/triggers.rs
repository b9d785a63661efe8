//! Tasks that follow from changes of records: each is in the same batch as the change.

use outrigger_kernel::{Ctx, Error, ErrorKind, Result, Timestamp, limits};
use outrigger_ports::queue::Task;
use outrigger_ports::store::Document;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::definition::Compiled;
use super::envelope::{self, Head};
use super::model::CollectionInput;
use super::save::Draft;
use super::service::Records;
use crate::notifications::jobs::SendRequest;
use crate::tasks::{Job, TaskInput};

/// What happened to a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Change {
    /// It was not there before.
    Create,
    /// It was replaced or patched.
    Update,
    /// It is there no more.
    Delete,
}

/// A task that is enqueued when a record of the collection changes, in the same batch as the change.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Trigger {
    /// At which changes.
    #[schemars(length(min = 1, max = 3))]
    pub on: Vec<Change>,
    /// The kind of the task.
    pub kind: String,
    /// What the job is given, besides the event: `{event, collection, id, version, created_at,
    /// updated_at, created_by, record}`, `record` being the data. A webhook (`http.request`) has the
    /// event as its `body`, every other kind as `data`.
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    pub payload: Map<String, Value>,
    /// Another queue than the kind's own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub queue: Option<String>,
    /// From 0 to 9; greater goes first; 5 unless said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0, max = 9))]
    pub priority: Option<u8>,
    /// Not before so many seconds after the change.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0, max = 31_536_000))]
    pub delay_s: Option<u64>,
    /// So often it is tried in all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 100))]
    pub max_attempts: Option<u32>,
    /// One attempt may take so many seconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 86_400))]
    pub timeout_s: Option<u64>,
}

/// What the job is told of the change.
#[derive(Debug, Serialize)]
struct Event<'a> {
    #[serde(rename = "event")]
    change: Change,
    collection: &'a str,
    id: &'a str,
    version: u64,
    created_at: Timestamp,
    updated_at: Timestamp,
    created_by: Option<&'a str>,
    /// Null when it is left out.
    record: Option<&'a Value>,
    /// Whether the record is left out, because the payload would be too large with it.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    is_cut: bool,
}

impl Trigger {
    /// The field of the payload that is the event.
    fn place(&self) -> &'static str {
        if self.kind == SendRequest::KIND { "body" } else { "data" }
    }

    /// The task for this event.
    fn task(&self, event: &Event<'_>) -> Result<TaskInput> {
        let mut payload = self.payload.clone();
        let value = serde_json::to_value(event).map_err(Error::internal)?;
        payload.insert(self.place().to_owned(), value);
        Ok(TaskInput {
            queue: self.queue.clone(),
            priority: self.priority,
            delay_s: self.delay_s,
            max_attempts: self.max_attempts,
            timeout_s: self.timeout_s,
            ..TaskInput::of(&self.kind, Value::Object(payload))
        })
    }
}

impl Records {
    /// Checks the triggers of a definition, with an event as it may be.
    ///
    /// # Errors
    /// `invalid` below `body.triggers`: an unknown kind (with those that are known), a payload that
    /// the kind does not allow, too many.
    pub(crate) fn check_triggers(&self, input: &CollectionInput) -> Result<()> {
        if input.triggers.len() > limits::TRIGGERS_MAX {
            let most = format!("at most {} triggers", limits::TRIGGERS_MAX);
            return Err(Error::invalid(&["body", "triggers"], "too_many", most));
        }
        for (position, trigger) in input.triggers.iter().enumerate() {
            let place = position.to_string();
            self.check_trigger(trigger)
                .map_err(|error| error.relocated(&["body", "triggers", &place]))?;
        }
        Ok(())
    }

    fn check_trigger(&self, trigger: &Trigger) -> Result<()> {
        if trigger.on.is_empty() {
            let message = "names at least one of create, update, delete";
            return Err(Error::invalid(&["body", "on"], "length", message));
        }
        let own = trigger.place();
        if trigger.payload.contains_key(own) {
            let message = format!("{own} is the event: leave it out");
            return Err(Error::invalid(&["body", "payload", own], "reserved", message));
        }
        let event = Event {
            change: trigger.on[0],
            collection: "things",
            id: "rec_1",
            version: 1,
            created_at: self.clock.now(),
            updated_at: self.clock.now(),
            created_by: None,
            record: Some(&json!({})),
            is_cut: false,
        };
        self.tasks.check(&trigger.task(&event)?).or_else(|error| {
            // What records hold is not known yet.
            let in_record = ["body", "payload", own, "record"].map(str::to_owned);
            let known = error.fields().iter().filter(|fault| !fault.loc.starts_with(&in_record));
            let faults: Vec<_> = known.cloned().collect();
            match error.kind() {
                ErrorKind::Invalid if faults.is_empty() => Ok(()),
                ErrorKind::Invalid => Err(Error::invalid_fields(faults)),
                _ => Err(error),
            }
        })
    }

    /// The tasks that this change of a record causes; the record as it is now, or was last.
    ///
    /// # Errors
    /// `internal`.
    pub(crate) fn triggered(
        &self,
        ctx: &Ctx,
        compiled: &Compiled,
        change: Change,
        version: u64,
        record: &Draft<'_>,
    ) -> Result<Vec<Task>> {
        let triggers = compiled.definition.input.triggers.iter();
        let mut tasks = Vec::new();
        for trigger in triggers.filter(|trigger| trigger.on.contains(&change)) {
            let event = |data| Event {
                change,
                collection: &compiled.name,
                id: record.id,
                version,
                created_at: record.created_at,
                updated_at: record.updated_at,
                created_by: record.created_by,
                record: data,
                is_cut: data.is_none(),
            };
            let whole = self.tasks.prepare_checked(ctx, trigger.task(&event(Some(record.data)))?);
            let task = match whole {
                Err(error) if error.kind() == ErrorKind::Invalid => {
                    self.tasks.prepare_checked(ctx, trigger.task(&event(None))?)
                }
                whole => whole,
            };
            // The change is somebody's; what follows from it is for administrators to see and to stop.
            tasks.push(Task { created_by: None, ..task? });
        }
        Ok(tasks)
    }

    /// The tasks that it causes that this record is deleted.
    ///
    /// # Errors
    /// As [`Records::triggered`].
    pub(crate) fn triggered_by_delete(
        &self,
        ctx: &Ctx,
        compiled: &Compiled,
        document: &Document,
        head: &Head,
    ) -> Result<Vec<Task>> {
        let triggers = &compiled.definition.input.triggers;
        if !triggers.iter().any(|trigger| trigger.on.contains(&Change::Delete)) {
            return Ok(Vec::new());
        }
        let last = Draft {
            id: &document.key.id,
            created_at: head.created_at,
            updated_at: head.updated_at,
            created_by: head.created_by.as_deref(),
            data: &envelope::data(document)?,
        };
        self.triggered(ctx, compiled, Change::Delete, head.version, &last)
    }
}
