//! On a real replica set, whose URL stands in `OUTRIGGER_TEST_MONGODB_URL`: the suite of the port, and
//! failovers of the primary under load. Each test has a database of its own.

mod failover;
mod suite;
mod target;
