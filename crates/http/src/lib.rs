//! The HTTP API of Outrigger.
//!
//! A request goes `layers.rs` -> `routes.rs` -> `access.rs` (who may call, and the [`Ctx`]) ->
//! `<resource>/<verb>.rs` -> a service of the domain. Errors become HTTP once, in `problem.rs`.
//! This crate cannot reach a store: it knows the domain and nothing below it.
//!
//! [`Ctx`]: outrigger_kernel::Ctx

pub mod access;
mod analytics;
mod audit;
mod auth;
mod batch;
pub mod body;
mod collections;
mod console;
mod docs;
mod files;
mod forwarded;
mod headers;
pub mod health;
pub mod inspector;
pub mod layers;
mod measure;
mod moved_schema;
mod notifications;
pub mod openapi;
pub mod operation;
pub mod page;
pub mod patience;
pub mod problem;
mod queues;
mod records;
mod replicas;
pub mod request_info;
pub mod routes;
mod schedules;
pub mod settings;
mod spans;
pub mod stall;
pub mod state;
mod system;
mod tasks;
pub mod transfers;
mod users;
mod watched_body;
mod well_known;

pub use operation::{Doc, Operation};
pub use problem::{HttpResult, Problem};
pub use settings::Settings;
pub use state::{App, AppState};
