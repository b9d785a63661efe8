//! Outrigger: a production backend in one binary, and the library to build one's own on it.
//!
//! ```no_run
//! use outrigger::{Access, Doc, HttpResult, Json, Outrigger, SignedIn, get};
//!
//! async fn hello(SignedIn(ctx): SignedIn) -> HttpResult<Json<String>> {
//!     Ok(Json(format!("hello, {}", ctx.require_user()?)))
//! }
//!
//! fn main() -> std::process::ExitCode {
//!     let doc = Doc::new("hello.say", "Say hello").access(Access::User).answers::<String>(200, "words");
//!     Outrigger::new().routes([get("/api/v1/hello", hello, doc)]).run()
//! }
//! ```
//!
//! Own routes get the same sign-in, limits, metrics, errors and API document as the built-in ones.

mod auth_settings;
mod blobs;
mod bootstrap;
mod cli;
mod compose;
pub mod config;
mod counts;
mod database;
mod embedded_metrics;
mod exposition;
mod head_timer;
mod identity;
mod inspecting;
mod internal;
mod lifecycle;
mod lingering;
mod log_line;
mod metric_list;
mod operator;
mod probes;
mod process_metrics;
mod purge;
mod queue_levels;
mod readings;
mod secret_file;
mod server;
mod signals;
mod telemetry;
mod traces;
mod upkeep;
mod vitals;
mod work;

use std::process::ExitCode;
use std::sync::Arc;

pub use axum::Json;
pub use axum::extract::{Path, Query, State};
use outrigger_domain::tasks::AnyJob;
pub use outrigger_domain::tasks::{Job, JobError, JobResult, TaskCtx};
pub use outrigger_domain::{records, tasks};
pub use outrigger_http::access::{Administrator, Anyone, SignedIn};
pub use outrigger_http::body::Body;
pub use outrigger_http::operation::{Access, delete, get, patch, post, put};
pub use outrigger_http::page::{PageBody, Paging};
pub use outrigger_http::{App, Doc, HttpResult, Operation, Problem};
pub use outrigger_kernel::{Actor, Ctx, Error, ErrorKind, Result};
pub use schemars::{self, JsonSchema};

/// A backend: the built-in one, and what its user adds.
#[derive(Debug, Default)]
pub struct Outrigger {
    additions: Additions,
}

/// What the user of the library adds.
#[derive(Clone, Debug, Default)]
pub(crate) struct Additions {
    pub(crate) operations: Vec<Operation>,
    pub(crate) jobs: Vec<Arc<dyn AnyJob>>,
}

impl Outrigger {
    /// The built-in backend.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds operations.
    #[must_use]
    pub fn routes(mut self, operations: impl IntoIterator<Item = Operation>) -> Self {
        self.additions.operations.extend(operations);
        self
    }

    /// Adds a job: its tasks can be enqueued, and workers of this binary run them.
    #[must_use]
    pub fn job<J: Job>(mut self) -> Self {
        self.additions.jobs.push(tasks::any::<J>());
        self
    }

    /// Does what the command line says; the same commands as the `outrigger` binary.
    pub fn run(self) -> ExitCode {
        cli::run(std::env::args_os(), &self.additions)
    }
}
