//! Everything that needs the replica set.

mod failover;
mod suite;
mod target;
