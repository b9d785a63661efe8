//! A job: the Rust code that runs tasks of one kind, in one file of its own.
//!
//! ```text
//! #[derive(Serialize, Deserialize, JsonSchema)]
//! struct SendInvoice { order: String }
//!
//! impl Job for SendInvoice {
//!     const KIND: &'static str = "invoice.send";
//!     const DESCRIPTION: &'static str = "sends the invoice of an order";
//!     type Output = ();
//!     async fn run(self, task: &TaskCtx) -> JobResult<()> { … }
//! }
//! ```

use std::fmt;
use std::future::Future;
use std::marker::PhantomData;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use outrigger_kernel::{Ctx, Error, ErrorKind, Result, limits};
use outrigger_ports::queue::{Failure, Task};
use schemars::JsonSchema;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::value::RawValue;

use super::kind::{Kind, Options};
use crate::services::Services;

/// Runs tasks of one kind; the type is their payload.
pub trait Job: Serialize + DeserializeOwned + JsonSchema + Send + Sync + 'static {
    /// The kind, such as `invoice.send`: `[a-z0-9_.-]`, 1 to 64 bytes.
    const KIND: &'static str;
    /// What it does, in one sentence; for the API document.
    const DESCRIPTION: &'static str;
    /// What it returns; kept as the task's result.
    type Output: Serialize + Send;

    /// Queue, attempts, times and limits.
    fn options() -> Options {
        Options::default()
    }

    /// While a task of this kind with the same key is not finished, no other is enqueued.
    fn unique_key(&self) -> Option<String> {
        None
    }

    /// Does the work. It may run more than once: what it does must bear that.
    ///
    /// # Errors
    /// A [`JobError`] says whether another attempt may mend it.
    fn run(self, task: &TaskCtx) -> impl Future<Output = JobResult<Self::Output>> + Send;
}

/// What a job returns.
pub type JobResult<T> = Result<T, JobError>;

/// Why a job failed.
#[derive(Clone, Debug)]
pub struct JobError {
    /// For whoever looks at the task. Never a secret.
    pub failure: Failure,
    /// Whether another attempt may mend it.
    pub retry: bool,
    /// The next attempt is made no earlier than so long from now, whatever the pause between two
    /// attempts would be.
    pub not_before: Option<Duration>,
}

impl JobError {
    /// It may work another time.
    pub fn retry(code: &str, message: impl Into<String>) -> Self {
        Self { failure: failure(code, message.into()), retry: true, not_before: None }
    }

    /// It would never work.
    pub fn fatal(code: &str, message: impl Into<String>) -> Self {
        Self { failure: failure(code, message.into()), retry: false, not_before: None }
    }

    /// With the shortest pause before another attempt, as when the other side asks for one.
    #[must_use]
    pub fn not_before(mut self, pause: Option<Duration>) -> Self {
        self.not_before = pause;
        self
    }
}

impl From<Error> for JobError {
    /// A fault in what was asked will be there at the next attempt too; all else may pass.
    fn from(error: Error) -> Self {
        let fatal = matches!(
            error.kind(),
            ErrorKind::BadRequest
                | ErrorKind::Invalid
                | ErrorKind::Forbidden
                | ErrorKind::NotFound
                | ErrorKind::TooLarge
                | ErrorKind::UnsupportedMediaType
        );
        let places: Vec<String> = error
            .fields()
            .iter()
            .map(|field| format!("{}: {}", field.loc.join("."), field.message))
            .collect();
        let message = match places.is_empty() {
            true => error.to_string(),
            false => format!("{error} ({})", places.join("; ")),
        };
        Self {
            failure: failure(error.code(), message),
            retry: !fatal,
            not_before: error.retry_after(),
        }
    }
}

/// A failure whose message fits.
pub(super) fn failure(code: &str, mut message: String) -> Failure {
    let mut end = limits::TASK_ERROR_BYTES_MAX.min(message.len());
    while !message.is_char_boundary(end) {
        end -= 1;
    }
    message.truncate(end);
    Failure { code: code.to_owned(), message }
}

/// Whether a job shall stop; shared by the job and its worker.
#[derive(Clone, Debug)]
pub struct Abort(tokio::sync::watch::Receiver<bool>);

impl Abort {
    /// Stops when the sender says `true`, or is gone.
    pub fn new(receiver: tokio::sync::watch::Receiver<bool>) -> Self {
        Self(receiver)
    }

    /// Whether it shall stop now.
    pub fn is_requested(&self) -> bool {
        *self.0.borrow()
    }

    /// Returns when it shall stop.
    pub async fn requested(&mut self) {
        let _sender_gone = self.0.wait_for(|stop| *stop).await;
    }
}

/// What a job last said of its progress; shared by the job and its worker.
#[derive(Clone, Debug, Default)]
pub struct Progress(Arc<Mutex<Said>>);

#[derive(Debug, Default)]
struct Said {
    /// What the queue does not know yet.
    news: Option<Box<RawValue>>,
    /// How often something was said, and what of it the queue knows.
    count: u64,
    told: u64,
}

impl Progress {
    fn lock(&self) -> MutexGuard<'_, Said> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Says it; others see it within a second.
    ///
    /// # Errors
    /// `too_large` above [`limits::TASK_RESULT_BYTES_MAX`] bytes of JSON.
    pub fn say(&self, progress: &impl Serialize) -> Result<()> {
        let text = serde_json::value::to_raw_value(progress).map_err(Error::internal)?;
        if text.get().len() > limits::TASK_RESULT_BYTES_MAX {
            return Err(Error::new(ErrorKind::TooLarge, "too_large", "the progress is too large"));
        }
        let mut said = self.lock();
        said.news = Some(text);
        said.count += 1;
        Ok(())
    }

    /// What the queue does not know yet, and its number, from 1.
    pub fn news(&self) -> Option<(u64, Box<RawValue>)> {
        let said = self.lock();
        said.news.clone().map(|news| (said.count, news))
    }

    /// The queue knows what was said up to this number.
    pub fn is_told(&self, number: u64) {
        let mut said = self.lock();
        said.told = said.told.max(number);
        if said.told == said.count {
            said.news = None;
        }
    }

    /// Whether the queue knows what was said up to this number.
    pub fn knows(&self, number: u64) -> bool {
        self.lock().told >= number
    }
}

/// What a job knows of its task.
#[derive(Debug)]
pub struct TaskCtx {
    /// Acts as Outrigger itself, in the trace of the request that enqueued the task; its request id
    /// is the task's id.
    pub ctx: Ctx,
    /// All that requests can do.
    pub services: Services,
    /// The task.
    pub task: Task,
    /// Which attempt this is, from 1.
    pub attempt: u32,
    /// Tells how far it is.
    pub progress: Progress,
    /// Says whether to stop: somebody cancelled the task, its lease was lost, or the worker ends.
    pub abort: Abort,
}

/// A running job.
pub type Running<'a> =
    Pin<Box<dyn Future<Output = Result<Option<Box<RawValue>>, JobError>> + Send + 'a>>;

/// A job whose type is forgotten, for the registry.
pub trait AnyJob: Send + Sync + fmt::Debug {
    /// Its kind.
    ///
    /// # Errors
    /// `invalid` when its name or schema cannot be used.
    fn kind(&self) -> Result<Kind>;

    /// The name of its kind.
    fn name(&self) -> &'static str;

    /// Runs it with the payload of the task.
    fn run<'a>(&'a self, task: &'a TaskCtx) -> Running<'a>;
}

/// The job `J` for the registry.
pub fn any<J: Job>() -> Arc<dyn AnyJob> {
    Arc::new(Of::<J>(PhantomData))
}

struct Of<J>(PhantomData<fn() -> J>);

impl<J: Job> fmt::Debug for Of<J> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Job").field(&J::KIND).finish()
    }
}

impl<J: Job> AnyJob for Of<J> {
    fn kind(&self) -> Result<Kind> {
        let schema = schemars::schema_for!(J).to_value();
        Kind::new(J::KIND, J::DESCRIPTION, schema, J::options())
    }

    fn name(&self) -> &'static str {
        J::KIND
    }

    fn run<'a>(&'a self, task: &'a TaskCtx) -> Running<'a> {
        Box::pin(async move {
            let payload = task.services.tasks.sealer.open(&task.task)?;
            let payload: J = serde_json::from_str(payload.get())
                .map_err(|error| JobError::fatal("payload", error.to_string()))?;
            let output = payload.run(task).await?;
            let text = serde_json::value::to_raw_value(&output)
                .map_err(|error| JobError::fatal("result", error.to_string()))?;
            if text.get().len() > limits::TASK_RESULT_BYTES_MAX {
                let most = limits::TASK_RESULT_BYTES_MAX;
                let message = format!("the result is larger than {most} bytes");
                return Err(JobError::fatal("result_too_large", message));
            }
            Ok((text.get() != "null").then_some(text))
        })
    }
}
