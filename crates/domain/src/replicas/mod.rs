//! The processes of a deployment that are alive: who they are, how they find their backends, and what
//! they did in the last minutes.
//!
//! Each process writes a document about itself every few seconds, which expires when it writes no more.
//! The process that is asked knows itself without a store, so that it can be looked at while that is away.

mod merge;
mod model;
mod service;

pub use merge::{Overview, OverviewPoint};
pub use model::{Backend, LATENCY_BOUNDS_S, POINT_S, Point, Replica, ReplicaView};
pub use service::{Fleet, Replicas, Shared};

#[cfg(test)]
mod tests;
