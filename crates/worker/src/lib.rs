//! Runs tasks.
//!
//! `registry.rs` lists every job; `runner` claims tasks, runs their jobs, keeps their leases alive
//! and says how they ended; `scheduler` fires the ticks of schedules; `health.rs` tells whether a
//! worker consumes. Like `http`, this crate knows the domain and ports, and no adapter.

mod health;
mod registry;
mod runner;
mod scheduler;

pub use health::Health;
pub use registry::{Registry, built_in};
pub use runner::{Options, Parts, Stop, Worker, tend};
pub use scheduler::Scheduler;
