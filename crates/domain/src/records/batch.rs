//! Several writes of a client that happen together or not at all.

use std::sync::Arc;

use outrigger_kernel::{Ctx, Error, ErrorKind, Result, limits};
use outrigger_ports::queue::Task;
use outrigger_ports::store::{Batch, Document, Key, Precondition, Write};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::definition::Compiled;
use super::envelope;
use super::replace::check_id;
use super::rules;
use super::save::Draft;
use super::service::{Records, cache_key, too_contended};
use super::triggers::Change;
use crate::idempotency::{Answer, Keyed};
use crate::tasks::TaskInput;

const TRIES: usize = 8;

/// A batch as a client sends it.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct BatchInput {
    /// The operations; each record at most once.
    #[schemars(length(min = 1, max = 16))]
    pub operations: Vec<BatchOperation>,
    /// Tasks that are enqueued when the operations happen, at most 16 with these; for administrators.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 15))]
    pub tasks: Vec<TaskInput>,
}

/// One operation of a batch.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "op", rename_all = "snake_case", deny_unknown_fields)]
pub enum BatchOperation {
    /// Creates or replaces a record.
    Put {
        /// The collection.
        collection: String,
        /// The record's id; chosen by Outrigger when left out.
        #[serde(default)]
        id: Option<String>,
        /// The data.
        data: Value,
        /// The version that is replaced; 0: the record must not be there.
        #[serde(default)]
        if_version: Option<u64>,
    },
    /// Deletes a record.
    Delete {
        /// The collection.
        collection: String,
        /// The record's id.
        id: String,
        /// The version that is deleted.
        #[serde(default)]
        if_version: Option<u64>,
    },
    /// Changes nothing, but the batch happens only when this holds.
    Check {
        /// The collection.
        collection: String,
        /// The record's id.
        id: String,
        /// The version that must be there; 0: the record must not be there.
        if_version: u64,
    },
}

/// What became of the operations, in their order.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct BatchResult {
    /// One for each operation.
    pub results: Vec<OperationResult>,
    /// The ids of the tasks, `tsk_…`, in their order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tasks: Vec<String>,
}

/// What became of one operation.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct OperationResult {
    /// `put`, `delete` or `check`.
    pub op: String,
    /// The collection.
    pub collection: String,
    /// The record's id.
    pub id: String,
    /// The record's version now; 0 when there is none.
    pub version: u64,
}

/// An operation with what it needs.
struct Step<'a> {
    operation: &'a BatchOperation,
    compiled: Arc<Compiled>,
    id: String,
}

impl BatchOperation {
    fn name(&self) -> &'static str {
        match self {
            Self::Put { .. } => "put",
            Self::Delete { .. } => "delete",
            Self::Check { .. } => "check",
        }
    }

    fn collection(&self) -> &str {
        match self {
            Self::Put { collection, .. }
            | Self::Delete { collection, .. }
            | Self::Check { collection, .. } => collection,
        }
    }

    fn if_version(&self) -> Option<u64> {
        match self {
            Self::Put { if_version, .. } | Self::Delete { if_version, .. } => *if_version,
            Self::Check { if_version, .. } => Some(*if_version),
        }
    }
}

impl Records {
    /// Commits the operations and enqueues the tasks, all or none. With an idempotency key, once.
    ///
    /// # Errors
    /// As the single operations; `precondition_failed` when an `if_version` does not hold. The
    /// place of the fault is below `operations` or `tasks`.
    pub async fn batch(
        &self,
        ctx: &Ctx,
        input: &BatchInput,
        idempotency_key: Option<&str>,
    ) -> Result<BatchResult> {
        if !input.tasks.is_empty() {
            ctx.require_admin()?;
        }
        let tasks = input.tasks.iter().enumerate().map(|(position, task)| {
            let prepared = self.tasks.prepare(ctx, task.clone());
            prepared.map_err(|error| error.relocated(&["body", "tasks", &position.to_string()]))
        });
        let tasks = tasks.collect::<Result<_>>()?;
        self.batch_with(ctx, input, tasks, idempotency_key).await
    }

    /// The same with tasks that code chooses ([`Tasks::task_of`]) whatever the caller may enqueue;
    /// those of the input are left out.
    ///
    /// # Errors
    /// As [`Records::batch`].
    ///
    /// [`Tasks::task_of`]: crate::tasks::Tasks::task_of
    pub async fn batch_with(
        &self,
        ctx: &Ctx,
        input: &BatchInput,
        tasks: Vec<Task>,
        idempotency_key: Option<&str>,
    ) -> Result<BatchResult> {
        let body = serde_json::to_vec(input).map_err(Error::internal)?;
        let keyed = idempotency_key.map(|key| Keyed::new(ctx, "batch", key, &body)).transpose()?;
        if let Some(first) = self.first_result(keyed.as_ref()).await? {
            return Ok(first);
        }
        let steps = self.steps(input, tasks.len()).await?;
        let ids: Vec<String> = tasks.iter().map(|task| task.id.clone()).collect();
        let keys: Vec<Key> =
            steps.iter().map(|s| Key::new(&s.compiled.store_collection, &s.id)).collect();
        for _ in 0..TRIES {
            let current = self.store.get_many(&keys).await?;
            let mut batch = Batch::default();
            let mut held = Vec::new();
            let mut tasks = tasks.clone();
            for (position, (step, document)) in steps.iter().zip(&current).enumerate() {
                let written = self.write_of(ctx, step, document.as_ref());
                let (write, triggered) = written.map_err(|e| at(e, position))?;
                tasks.extend(triggered);
                let changes = !matches!(write, Write::Check { .. });
                if changes && document.is_some() {
                    held.push(cache_key(&step.compiled, &step.id));
                }
                batch.writes.push(write);
            }
            let result =
                BatchResult { results: foreseen(&steps, &batch, &current), tasks: ids.clone() };
            let audited = self.audited_batch(ctx, &batch, &current, &result.results)?;
            batch.writes.extend(audited);
            check_count(steps.len(), tasks.len())?;
            let mut staged = self.tasks.stage(tasks)?;
            batch.writes.append(&mut staged.writes);
            if let Some(keyed) = &keyed {
                batch.writes.push(self.keep_result(keyed, &result)?);
            }
            if self.commit_cached(&held, batch).await?.is_some() {
                self.tasks.committed(staged).await;
                return Ok(result);
            }
            if let Some(first) = self.first_result(keyed.as_ref()).await? {
                return Ok(first);
            }
        }
        Err(too_contended())
    }

    async fn steps<'a>(&self, input: &'a BatchInput, tasks: usize) -> Result<Vec<Step<'a>>> {
        let count = input.operations.len();
        check_count(count, tasks)?;
        let mut steps: Vec<Step<'a>> = Vec::with_capacity(count);
        for (position, operation) in input.operations.iter().enumerate() {
            let compiled =
                self.definitions.get(operation.collection()).await.map_err(|e| at(e, position))?;
            let id = match operation {
                BatchOperation::Put { id: None, .. } => self.ids.new_id("rec"),
                BatchOperation::Put { id: Some(id), .. }
                | BatchOperation::Delete { id, .. }
                | BatchOperation::Check { id, .. } => id.clone(),
            };
            check_id(&id).map_err(|error| at(error, position))?;
            if steps.iter().any(|s| s.id == id && s.compiled.name == compiled.name) {
                let place = position.to_string();
                return Err(Error::invalid(
                    &["body", "operations", &place, "id"],
                    "duplicate",
                    "a batch names each record once",
                ));
            }
            steps.push(Step { operation, compiled, id });
        }
        Ok(steps)
    }

    /// The write of one operation, after its rules and its expectation; and the tasks that it causes.
    fn write_of(
        &self,
        ctx: &Ctx,
        step: &Step<'_>,
        current: Option<&Document>,
    ) -> Result<(Write, Vec<Task>)> {
        let head = current.map(envelope::head).transpose()?;
        let owner = head.as_ref().and_then(|head| head.created_by.as_deref());
        let rules = &step.compiled.definition.input.rules;
        let key = Key::new(&step.compiled.store_collection, &step.id);
        let precondition =
            head.as_ref().map_or(Precondition::Absent, |h| Precondition::Version(h.version));
        match (step.operation, &head) {
            (BatchOperation::Put { .. }, Some(_)) => rules::check(&rules.update, ctx, owner)?,
            (BatchOperation::Put { .. }, None) => rules::check(&rules.create, ctx, ctx.user_id())?,
            (BatchOperation::Delete { .. }, Some(_)) => rules::check(&rules.delete, ctx, owner)?,
            (BatchOperation::Check { .. }, Some(_)) => rules::check(&rules.read, ctx, owner)?,
            (BatchOperation::Delete { .. }, None) => {
                rules::check(&rules.delete, ctx, ctx.user_id())?;
            }
            (BatchOperation::Check { .. }, None) => rules::check(&rules.read, ctx, ctx.user_id())?,
        }
        let version = head.as_ref().map_or(0, |head| head.version);
        if let Some(expected) = step.operation.if_version()
            && expected != version
        {
            let message =
                format!("the record has version {version}, not {expected} (0: there is none)");
            return Err(Error::new(ErrorKind::PreconditionFailed, "if_version_failed", message));
        }
        match step.operation {
            BatchOperation::Put { data, .. } => {
                let draft = Draft::next(&step.id, head.as_ref(), ctx, self.clock.now(), data);
                let write = draft.write(&step.compiled, precondition);
                let (write, _) = write.map_err(|error| error.relocated(&["body", "data"]))?;
                let change = if head.is_some() { Change::Update } else { Change::Create };
                Ok((write, self.triggered(ctx, &step.compiled, change, version + 1, &draft)?))
            }
            BatchOperation::Delete { .. } => {
                let (Some(document), Some(head)) = (current, &head) else {
                    return Err(Error::not_found("record"));
                };
                let tasks = self.triggered_by_delete(ctx, &step.compiled, document, head)?;
                Ok((Write::Delete { key, precondition }, tasks))
            }
            BatchOperation::Check { .. } => Ok((Write::Check { key, precondition }, Vec::new())),
        }
    }

    fn keep_result(&self, keyed: &Keyed, result: &BatchResult) -> Result<Write> {
        let body = serde_json::to_string(result).map_err(Error::internal)?;
        self.idempotency.keep(keyed, Answer { etag: None, location: None, body })
    }

    async fn first_result(&self, keyed: Option<&Keyed>) -> Result<Option<BatchResult>> {
        let Some(keyed) = keyed else { return Ok(None) };
        let answer = self.idempotency.replay(keyed).await?;
        answer.map(|a| serde_json::from_str(&a.body).map_err(Error::internal)).transpose()
    }
}

/// Lets only as many operations and tasks pass as fit into a batch.
fn check_count(operations: usize, tasks: usize) -> Result<()> {
    let most = limits::BATCH_OPERATIONS_MAX;
    if operations > 0 && operations + tasks <= most {
        return Ok(());
    }
    let message = format!(
        "a batch has 1 to {most} operations, its tasks and those of triggers counted with them; \
         these are {operations} operations and {tasks} tasks"
    );
    Err(Error::invalid(&["body", "operations"], "length", message))
}

/// The result when the batch commits: preconditions fix every version.
fn foreseen(
    steps: &[Step<'_>],
    batch: &Batch,
    current: &[Option<Document>],
) -> Vec<OperationResult> {
    let version_of = |write: &Write, current: Option<&Document>| {
        let before = current.map_or(0, |document| document.version);
        write.version_after(before)
    };
    steps
        .iter()
        .zip(batch.writes.iter().zip(current))
        .map(|(step, (write, current))| OperationResult {
            op: step.operation.name().to_owned(),
            collection: step.compiled.name.to_string(),
            id: step.id.clone(),
            version: version_of(write, current.as_ref()),
        })
        .collect()
}

/// Says which operation an error is about.
fn at(error: Error, position: usize) -> Error {
    match error.kind() {
        ErrorKind::Invalid => error.relocated(&["body", "operations", &position.to_string()]),
        ErrorKind::Internal => error,
        _ => error.prefixed(&format!("operation {position}")),
    }
}
