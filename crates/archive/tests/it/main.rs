//! Archives of real stores, brought to other real stores.

#![allow(clippy::unwrap_used, reason = "in a test, what is not there fails the test")]

mod claims;
mod faults;
mod moves;
mod places;
mod support;
mod under_load;
