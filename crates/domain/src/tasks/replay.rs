//! Lets many tasks begin again, page by page.

use outrigger_kernel::{Ctx, Error, Result, limits};
use outrigger_ports::queue::{Status, TaskFilter};
use outrigger_ports::store::Position;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::service::Tasks;
use crate::audit::Action;
use crate::cursor::List;

/// What can be replayed.
const STATUSES: [Status; 3] = [Status::Dead, Status::Failed, Status::Cancelled];

/// Which tasks are to begin again.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "RetryTasks")]
pub struct ReplayInput {
    /// dead (unless said), failed or cancelled.
    #[serde(default)]
    pub status: Option<String>,
    /// Only of this kind.
    #[serde(default)]
    pub kind: Option<String>,
    /// Only of this queue.
    #[serde(default)]
    pub queue: Option<String>,
    /// At most so many in this call.
    #[serde(default = "limit")]
    #[schemars(range(min = 1, max = 100))]
    pub limit: usize,
    /// Where the call before has ended.
    #[serde(default)]
    pub cursor: Option<String>,
}

fn limit() -> usize {
    limits::PAGE_MAX
}

impl Default for ReplayInput {
    fn default() -> Self {
        Self { status: None, kind: None, queue: None, limit: limit(), cursor: None }
    }
}

/// How many tasks begin again.
#[derive(Clone, Debug, Serialize, JsonSchema)]
#[schemars(rename = "RetriedTasks")]
pub struct Replayed {
    /// So many; a task whose unique key another one has meanwhile is left as it is.
    pub retried: usize,
    /// There may be more: ask again with this. Null when there are none.
    pub next_cursor: Option<String>,
}

impl Tasks {
    /// Lets dead, failed or cancelled tasks begin again, the newest first. For administrators.
    ///
    /// # Errors
    /// `forbidden`, `invalid` naming the field.
    pub async fn replay_many(&self, ctx: &Ctx, input: &ReplayInput) -> Result<Replayed> {
        ctx.require_admin()?;
        let status = status(input.status.as_deref())?;
        let list = List::of(&format!("retry {:?}", (status, &input.kind, &input.queue)));
        let after = input.cursor.as_deref().map(|cursor| list.read(cursor)).transpose();
        let after = after.map_err(|_| {
            let message = "the cursor is not one that this operation gave for these tasks";
            Error::invalid(&["body", "cursor"], "invalid_cursor", message)
        })?;
        let limit = input.limit.clamp(1, limits::PAGE_MAX);
        let filter = TaskFilter {
            status: Some(status),
            kind: input.kind.clone(),
            queue: input.queue.clone(),
            after: after.map(|position| position.id),
            limit,
        };
        let found = self.board.list(&filter).await?;
        let mut retried = 0;
        for id in found.tasks.iter().map(|record| record.task.id.as_str()) {
            let replayed = self.board.replay(id).await?;
            if replayed.is_some_and(|record| !record.status.is_final()) {
                retried += 1;
                self.note(ctx, Action::TaskReplayed, id).await?;
            }
        }
        let next = found.next.map(|id| Position { value: Vec::new(), id });
        Ok(Replayed { retried, next_cursor: list.next(next) })
    }
}

fn status(word: Option<&str>) -> Result<Status> {
    let Some(word) = word else { return Ok(Status::Dead) };
    STATUSES.into_iter().find(|status| status.as_str() == word).ok_or_else(|| {
        let words = STATUSES.map(Status::as_str).join(", ");
        Error::invalid(&["body", "status"], "enum", format!("one of {words}"))
    })
}
