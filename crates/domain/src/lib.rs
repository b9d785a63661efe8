//! The rules of Outrigger: what may be done, by whom, and what follows from it.
//!
//! No HTTP, no SQL, no environment and no clock of its own: everything from outside comes through
//! a port. A module may use those before it in this list, never one after it:
//! audit, replicas, tasks, notifications, accounts, auth, files, records. Beside them is analytics,
//! which uses audit only.

pub mod accounts;
pub mod admission;
pub mod analytics;
pub mod audit;
pub mod auth;
mod cursor;
pub mod files;
pub mod idempotency;
pub mod json;
pub mod notifications;
pub mod ports;
pub mod records;
pub mod replicas;
pub mod rule;
pub mod schema;
pub mod services;
pub mod tasks;
mod vault;
mod zone;

pub use ports::Ports;
pub use services::Services;
