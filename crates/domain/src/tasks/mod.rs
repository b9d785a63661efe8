//! Background work: tasks that clients can follow, and the jobs that run them.
//!
//! Who wants something done enqueues a **task** of a known kind ([`Tasks::enqueue`]); when it belongs
//! to a change, the task is in the same batch as the change ([`Tasks::stage`]). A worker of this
//! binary runs the [`Job`] of that kind; workers in other languages take leases over HTTP
//! (`leases.rs`).

mod backoff;
mod enqueue;
mod enqueue_unique;
mod input;
mod job;
pub mod jobs;
mod kind;
#[cfg(test)]
mod lease_tests;
mod leases;
mod replay;
pub mod schedules;
mod seal;
mod service;
#[cfg(test)]
pub(crate) mod testing;
mod view;

pub use backoff::retry_at;
pub use enqueue::Staged;
pub use input::{New, TaskInput};
pub use job::{Abort, AnyJob, Job, JobError, JobResult, Progress, Running, TaskCtx, any};
pub use kind::{Kind, KindView, Kinds, Options};
pub use leases::{
    CompleteInput, FailInput, HeartbeatInput, HeartbeatView, LeaseInput, LeaseView, LeasedView,
    require_worker,
};
pub use replay::{ReplayInput, Replayed};
pub use seal::Sealer;
pub use service::{QueueView, TaskQuery, Tasks};
pub use view::{AttemptView, TaskPage, TaskView};
