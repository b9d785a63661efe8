//! What is said of a schedule, and what is kept.

use outrigger_kernel::Timestamp;
use outrigger_ports::collection::{Entity, entry};
use outrigger_ports::index_value;
use outrigger_ports::store::Entry;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::tasks::TaskInput;

/// The index of schedules by their next tick.
pub(super) const DUE: &str = "due";

/// What becomes of ticks that nobody was there for. Ticks that are up to a minute late always fire.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum CatchUp {
    /// Nothing.
    Skip,
    /// The last one fires, unless a later one does anyway.
    #[default]
    Once,
    /// All fire, at most the last 100.
    All,
}

/// Who has defined a schedule.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ScheduleSource {
    /// An administrator.
    Api,
    /// The settings of the process.
    Config,
}

/// The task that each tick enqueues.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ScheduledTask {
    /// Which kind of work.
    pub kind: String,
    /// What the job is given.
    #[serde(default)]
    pub payload: Value,
    /// Another queue than the kind's own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub queue: Option<String>,
    /// From 0 to 9; greater goes first; 5 unless said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0, max = 9))]
    pub priority: Option<u8>,
    /// While a task of this kind with this key is not finished, ticks enqueue nothing: runs do not
    /// overlap.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 200))]
    pub unique_key: Option<String>,
    /// So often it is tried in all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 100))]
    pub max_attempts: Option<u32>,
    /// One attempt may take so many seconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 86_400))]
    pub timeout_s: Option<u64>,
}

impl ScheduledTask {
    /// The same as one may enqueue it.
    pub(super) fn input(&self) -> TaskInput {
        TaskInput {
            queue: self.queue.clone(),
            priority: self.priority,
            unique_key: self.unique_key.clone(),
            max_attempts: self.max_attempts,
            timeout_s: self.timeout_s,
            ..TaskInput::of(self.kind.clone(), self.payload.clone())
        }
    }
}

/// A schedule as it is asked for.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ScheduleInput {
    /// Minute, hour, day of month, month, day of week; or six fields with the second first.
    #[schemars(length(min = 1, max = 200))]
    pub cron: String,
    /// The time zone of these, a name of the IANA database such as `Europe/Berlin`.
    #[serde(default = "utc")]
    #[schemars(length(min = 1, max = 64))]
    pub time_zone: String,
    /// What each tick enqueues.
    pub task: ScheduledTask,
    /// Whether it ticks.
    #[serde(default = "yes")]
    pub enabled: bool,
    /// What becomes of ticks that nobody was there for.
    #[serde(default)]
    pub catch_up: CatchUp,
}

fn utc() -> String {
    "UTC".to_owned()
}

fn yes() -> bool {
    true
}

/// A schedule as it is kept.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Schedule {
    pub(super) input: ScheduleInput,
    pub(super) source: ScheduleSource,
    /// `None`: it does not tick.
    pub(super) next_run_at: Option<Timestamp>,
    pub(super) last_run_at: Option<Timestamp>,
    pub(super) last_task_id: Option<String>,
    /// Why the last tick enqueued nothing.
    pub(super) last_error: Option<String>,
    pub(super) created_at: Timestamp,
    pub(super) updated_at: Timestamp,
}

impl Entity for Schedule {
    const COLLECTION: &'static str = "sys.schedules";
    const NAME: &'static str = "schedule";

    fn entries(&self) -> Vec<Entry> {
        self.next_run_at.iter().map(|at| entry(DUE, index_value::of_time(*at))).collect()
    }
}

/// A schedule.
#[derive(Clone, Debug, Serialize, JsonSchema)]
#[schemars(rename = "Schedule")]
pub struct ScheduleView {
    /// Its name.
    pub name: String,
    /// Minute, hour, day of month, month, day of week; or six fields with the second first.
    pub cron: String,
    /// The time zone of these.
    pub time_zone: String,
    /// What each tick enqueues.
    pub task: ScheduledTask,
    /// Whether it ticks.
    pub enabled: bool,
    /// What becomes of ticks that nobody was there for.
    pub catch_up: CatchUp,
    /// Who has defined it; what stands in the settings cannot be changed over HTTP.
    pub source: ScheduleSource,
    /// The next tick; null while it does not tick.
    #[schemars(with = "Option<String>", extend("format" = "date-time"))]
    pub next_run_at: Option<Timestamp>,
    /// The next five ticks.
    #[schemars(with = "Vec<String>")]
    pub next_runs: Vec<Timestamp>,
    /// The last tick that enqueued a task.
    #[schemars(with = "Option<String>", extend("format" = "date-time"))]
    pub last_run_at: Option<Timestamp>,
    /// The task of that tick.
    pub last_task_id: Option<String>,
    /// Why the last tick enqueued nothing; null when it did.
    pub last_error: Option<String>,
    /// When it was defined.
    #[schemars(with = "String", extend("format" = "date-time"))]
    pub created_at: Timestamp,
    /// When it was last defined differently.
    #[schemars(with = "String", extend("format" = "date-time"))]
    pub updated_at: Timestamp,
}
