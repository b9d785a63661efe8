//! Schedules: cron expressions that enqueue tasks.
//!
//! Each schedule is a document that knows its next tick. Whoever fires a tick writes its task and the
//! tick after it in one batch, on the condition that nobody has changed the schedule: so every tick
//! fires once with any number of schedulers, also when one is killed in the middle. The lease
//! (`lease.rs`) is for peace only: one scheduler looks, the others wait.
//!
//! - `timing`: when a schedule ticks, in its time zone.
//! - `model`: what is said of a schedule and what is kept.
//! - `service`, `configured`: defining schedules, over HTTP and in the settings.
//! - `catch_up`, `firing`: which ticks fire, and how.

mod catch_up;
mod configured;
mod firing;
mod lease;
mod model;
mod service;
mod timing;

pub use firing::Looked;
pub use lease::{Lead, Turn};
pub use model::{CatchUp, ScheduleInput, ScheduleSource, ScheduleView, ScheduledTask};
pub use service::Schedules;

#[cfg(test)]
mod tests;
