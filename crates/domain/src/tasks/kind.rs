//! The kinds of tasks that this deployment knows.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use outrigger_kernel::{Error, Result, limits};
use outrigger_ports::queue::KindLimits;
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value;

use crate::schema::Schema;

/// How tasks of a kind are treated, unless who enqueues one says otherwise.
#[derive(Clone, Debug)]
pub struct Options {
    /// The queue.
    pub queue: &'static str,
    /// So often it is tried in all, `1..=TASK_ATTEMPTS_MAX`.
    pub max_attempts: u32,
    /// One attempt may take this long.
    pub timeout: Duration,
    /// The pause before the second attempt; each further one is twice as long, with jitter.
    pub backoff: Duration,
    /// The longest pause.
    pub backoff_max: Duration,
    /// How long a finished task can be looked up.
    pub retention: Duration,
    /// So many may run at once, on all workers together.
    pub concurrency: Option<u32>,
    /// So many may start in each period, on all workers together.
    pub rate: Option<(u32, Duration)>,
    /// Whether payloads are kept encrypted also where the settings do not ask for it; clients do not
    /// see them then.
    pub sealed: bool,
    /// Whether the audit log tells of administrators who enqueue one. Of other tasks the task itself
    /// says who did, as long as it is kept; an entry would be one more commit for each.
    pub audited: bool,
}

impl Default for Options {
    /// 5 attempts of a minute each, 1 s to an hour apart; kept for a day.
    fn default() -> Self {
        Self {
            queue: "default",
            max_attempts: 5,
            timeout: Duration::from_secs(60),
            backoff: Duration::from_secs(1),
            backoff_max: Duration::from_secs(3_600),
            retention: Duration::from_secs(86_400),
            concurrency: None,
            rate: None,
            sealed: false,
            audited: false,
        }
    }
}

/// A kind of tasks.
#[derive(Debug)]
pub struct Kind {
    /// Its name, such as `email.send`.
    pub name: String,
    /// What it does, in one sentence.
    pub description: String,
    /// The JSON Schema of its payload.
    pub payload: Value,
    /// How its tasks are treated.
    pub options: Options,
    /// Whether workers elsewhere run it.
    pub is_external: bool,
    schema: Schema,
}

/// A kind as clients see it.
#[derive(Clone, Debug, Serialize, JsonSchema)]
#[schemars(rename = "TaskKind")]
pub struct KindView {
    /// Its name.
    pub kind: String,
    /// What it does.
    pub description: String,
    /// The queue of its tasks, unless another one is said.
    pub queue: String,
    /// The JSON Schema of its payload.
    pub payload: Value,
}

impl Kind {
    /// A kind of this name, whose payload has this schema.
    ///
    /// # Errors
    /// `invalid` when the name, the schema or an option cannot be used.
    pub fn new(name: &str, description: &str, payload: Value, options: Options) -> Result<Self> {
        check_name(name, &["kind"])?;
        check_name(options.queue, &["queue"])?;
        if !(1..=limits::TASK_ATTEMPTS_MAX).contains(&options.max_attempts) {
            let message = format!("{name}: attempts are 1 to {}", limits::TASK_ATTEMPTS_MAX);
            return Err(Error::invalid(&["max_attempts"], "range", message));
        }
        let schema = Schema::compile(&payload)?;
        Ok(Self {
            name: name.to_owned(),
            description: description.to_owned(),
            payload,
            options,
            is_external: false,
            schema,
        })
    }

    /// A kind that workers elsewhere run; its payload may be anything.
    ///
    /// # Errors
    /// `invalid` when the name cannot be used.
    pub fn external(name: &str) -> Result<Self> {
        let any = Value::Bool(true);
        let description = "run by workers that take leases over HTTP";
        let kind = Self::new(name, description, any, Options::default())?;
        Ok(Self { is_external: true, ..kind })
    }

    /// Checks a payload.
    ///
    /// # Errors
    /// `invalid` with the places, relative to the payload.
    pub fn check(&self, payload: &Value) -> Result<()> {
        self.schema.check(payload)
    }

    /// What a worker says of it when it claims.
    pub fn limits(&self) -> KindLimits {
        KindLimits {
            kind: self.name.clone(),
            concurrency: self.options.concurrency,
            rate: self.options.rate,
        }
    }

    /// As clients see it.
    pub fn view(&self) -> KindView {
        KindView {
            kind: self.name.clone(),
            description: self.description.clone(),
            queue: self.options.queue.to_owned(),
            payload: self.payload.clone(),
        }
    }
}

/// All kinds, by name; shared by the threads of a process.
#[derive(Clone, Debug, Default)]
pub struct Kinds(BTreeMap<String, Arc<Kind>>);

impl Kinds {
    /// These kinds.
    ///
    /// # Errors
    /// `invalid` when two have the same name.
    pub fn new(kinds: impl IntoIterator<Item = Kind>) -> Result<Self> {
        let mut all = BTreeMap::new();
        for kind in kinds {
            let name = kind.name.clone();
            if all.insert(name.clone(), Arc::new(kind)).is_some() {
                let message = format!("the kind {name} is there twice");
                return Err(Error::invalid(&["kind"], "duplicate", message));
            }
        }
        Ok(Self(all))
    }

    /// The kind of this name, if it is known.
    pub fn find(&self, name: &str) -> Option<&Arc<Kind>> {
        self.0.get(name)
    }

    /// The kind of this name.
    ///
    /// # Errors
    /// `invalid` at `loc`, naming the kinds that are known.
    pub fn get(&self, name: &str, loc: &[&str]) -> Result<&Arc<Kind>> {
        self.find(name).ok_or_else(|| {
            let known: Vec<&str> = self.0.keys().map(String::as_str).collect();
            let message = format!("no such kind of task; known are {}", known.join(", "));
            Error::invalid(loc, "unknown_kind", message)
        })
    }

    /// All of them by name.
    pub fn all(&self) -> impl Iterator<Item = &Arc<Kind>> {
        self.0.values()
    }
}

/// Lets a name of a queue or kind pass: `[a-z0-9_.-]`, 1 to 64 bytes.
///
/// # Errors
/// `invalid` at `loc`.
pub(super) fn check_name(name: &str, loc: &[&str]) -> Result<()> {
    let letter = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b"_.-".contains(&b);
    let most = limits::TASK_NAME_BYTES_MAX;
    let begins_well = !name.starts_with(['_', '.', '-']);
    if (1..=most).contains(&name.len()) && begins_well && name.bytes().all(letter) {
        return Ok(());
    }
    let rule = format!("a name is 1 to {most} of a-z 0-9 _ . - and begins with a letter or digit");
    Err(Error::invalid(loc, "invalid_name", rule))
}
