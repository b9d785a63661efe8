//! `GET /api/v1/tasks/{id}/events`: the task each time it changes, as server-sent events.

use std::convert::Infallible;
use std::time::Duration;

use axum::extract::{Path, State};
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use futures_util::stream;
use outrigger_domain::tasks::TaskView;
use outrigger_kernel::{Ctx, Error};
use tokio::time::Instant;

use crate::access::SignedIn;
use crate::operation::{Access, Doc};
use crate::problem::HttpResult;
use crate::state::App;

/// The pause between two looks at a task.
const LOOK: Duration = Duration::from_millis(250);
/// An answer ends after this time; browsers then ask again by themselves.
const LONGEST: Duration = Duration::from_secs(600);

pub(crate) fn doc() -> Doc {
    Doc::new("tasks.events", "Follow a task")
        .describe(
            "Server-sent events: `task` with the task as JSON at once and after each change. Ends \
             when the task is finished.",
        )
        .access(Access::User)
        .answers_as(200, "text/event-stream", "the task each time it changes")
}

/// What is known of a task that somebody follows.
struct Follow {
    app: App,
    ctx: Ctx,
    id: String,
    /// To be sent next.
    next: Option<TaskView>,
    /// What was sent last.
    sent: String,
    until: Instant,
}

impl Follow {
    /// The next event; `None` when there will be no other.
    async fn event(mut self) -> Option<(Result<Event, Infallible>, Self)> {
        loop {
            if let Some(task) = self.next.take() {
                let text = serde_json::to_string(&task).ok()?;
                if task.status.is_final() {
                    self.until = Instant::now();
                }
                if text != self.sent {
                    self.sent.clone_from(&text);
                    return Some((Ok(Event::default().event("task").data(text)), self));
                }
            }
            if Instant::now() >= self.until || self.app.health.is_draining() {
                return None;
            }
            tokio::time::sleep(LOOK).await;
            // A queue that is away for a moment is no reason to end.
            self.next = match self.app.services.tasks.get(&self.ctx, &self.id).await {
                Ok(task) => Some(task),
                Err(error) if is_gone(&error) => return None,
                Err(_) => None,
            };
        }
    }
}

fn is_gone(error: &Error) -> bool {
    error.kind() == outrigger_kernel::ErrorKind::NotFound
}

pub(crate) async fn handle(
    SignedIn(ctx): SignedIn,
    State(app): State<App>,
    Path(id): Path<String>,
) -> HttpResult<Response> {
    let task = app.services.tasks.get(&ctx, &id).await?;
    let until = Instant::now() + LONGEST;
    let follow = Follow { app, ctx, id, next: Some(task), sent: String::new(), until };
    let events = stream::unfold(follow, Follow::event);
    Ok(Sse::new(events).keep_alive(KeepAlive::default()).into_response())
}
