//! Enqueuing for a client who gives a unique key and an idempotency key.
//!
//! Only the queue knows whether a unique key is taken, and it may be elsewhere than the store, which
//! knows idempotency keys: no batch holds both. So the task's id is kept first. Whoever repeats the
//! request, because it got no answer, enqueues the task with the same id, which is once.

use outrigger_kernel::{Ctx, Error, ErrorKind, Result};
use outrigger_ports::store::{Batch, StoreError};

use super::enqueue::shown;
use super::input::TaskInput;
use super::service::Tasks;
use crate::idempotency::{Answer, Idempotency, Keyed};

impl Tasks {
    /// Enqueues the task; gives its id and what is answered.
    ///
    /// # Errors
    /// `invalid`, `conflict` (`not_unique`).
    pub(super) async fn enqueue_unique(
        &self,
        ctx: &Ctx,
        schedule: Option<&str>,
        input: TaskInput,
        keyed: &Keyed,
    ) -> Result<(String, String)> {
        self.check(&input)?;
        let id = match self.idempotency.begun(keyed).await? {
            Some(id) => id,
            None => match self.begin(keyed).await? {
                Some(id) => id,
                None => return self.answered_meanwhile(keyed).await,
            },
        };
        let task = self.with_id(ctx, input, id.clone())?;
        let (text, entry) = (shown(&task)?, self.enqueued(ctx, &task, schedule)?);
        match self.push(task).await {
            Ok(()) => {}
            Err(error) if error.kind() == ErrorKind::Conflict => {
                self.store.commit(Batch::of([Idempotency::abandon(keyed)])).await?;
                return Err(error);
            }
            Err(error) => return Err(error),
        }
        let answer = Answer { etag: None, location: Some(id.clone()), body: text.clone() };
        let complete = self.idempotency.complete(keyed, answer)?;
        self.store.commit(Batch::of(std::iter::once(complete).chain(entry))).await?;
        Ok((id, text))
    }

    /// Keeps a new id; or gives the one that the same request has chosen at the same time, or `None`
    /// when that was answered already.
    async fn begin(&self, keyed: &Keyed) -> Result<Option<String>> {
        let id = self.ids.new_id("tsk");
        match self.store.commit(Batch::of([self.idempotency.begin(keyed, &id)?])).await {
            Ok(_) => Ok(Some(id)),
            Err(StoreError::Precondition { .. }) => self.idempotency.begun(keyed).await,
            Err(error) => Err(error.into()),
        }
    }

    async fn answered_meanwhile(&self, keyed: &Keyed) -> Result<(String, String)> {
        let answer = self.first_answer(keyed).await?;
        answer.ok_or_else(|| Error::conflict("concurrent_change", "try again"))
    }
}

#[cfg(test)]
mod tests {
    use outrigger_ports::queue::TaskFilter;

    use super::*;
    use crate::audit::{Audit, testing::World};
    use crate::tasks::testing;

    #[tokio::test]
    async fn a_request_that_was_cut_off_goes_on_with_its_task() {
        let world = World::new();
        let tasks = testing::tasks(&world.ports, Audit::new(&world.ports));
        let ctx = Ctx::system("test");
        let input = TaskInput {
            unique_key: Some("k".to_owned()),
            delay_s: Some(60),
            ..TaskInput::of("noop", serde_json::json!({}))
        };
        let body = serde_json::to_vec(&input).unwrap();
        let keyed = Keyed::new(&ctx, "enqueue", "a-key", &body).unwrap();
        let id = tasks.begin(&keyed).await.unwrap().unwrap();
        assert_eq!(tasks.begin(&keyed).await.unwrap().as_ref(), Some(&id));
        tasks.push(tasks.with_id(&ctx, input.clone(), id.clone()).unwrap()).await.unwrap();
        // The process ends here; the client, who has no answer, asks again.
        let again = || tasks.enqueue(&ctx, input.clone(), Some("a-key"));
        let answer = again().await.unwrap();
        assert_eq!(answer.0, id);
        assert_eq!(again().await.unwrap(), answer);
        let all = TaskFilter { limit: 10, ..TaskFilter::default() };
        assert_eq!(tasks.board.list(&all).await.unwrap().tasks.len(), 1);
    }
}
