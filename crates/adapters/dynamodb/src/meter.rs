//! Counts what calls cost, in DynamoDB's units, and how often something was tried again.

use std::sync::atomic::{AtomicU64, Ordering};

use aws_sdk_dynamodb::types::ConsumedCapacity;
use metrics::Counter;

use crate::error::Reason;

/// A call of the port.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Call {
    Get,
    GetMany,
    Query,
    Commit,
    Scan,
    Purge,
    Probe,
}

const CALLS: [&str; 7] = ["get", "get_many", "query", "commit", "scan", "purge_expired", "probe"];
const REASONS: [&str; 3] = ["throttled", "conflict", "connection"];
/// Units come in halves, and a counter is whole.
const PER_UNIT: u64 = 2;

/// A counter of units.
#[derive(Debug)]
struct Units {
    halves: AtomicU64,
    counter: Counter,
}

impl Units {
    fn new(operation: &'static str, kind: &'static str) -> Self {
        let counter = metrics::counter!(
            "outrigger_dynamodb_units_total", "operation" => operation, "kind" => kind
        );
        Self { halves: AtomicU64::new(0), counter }
    }

    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        clippy::cast_precision_loss,
        reason = "units are few"
    )]
    fn add(&self, units: f64) {
        let halves = (units * PER_UNIT as f64).max(0.0) as u64;
        let before = self.halves.fetch_add(halves, Ordering::Relaxed);
        let after = before + halves;
        self.counter.increment(after / PER_UNIT - before / PER_UNIT);
    }
}

/// The counters of a handle.
#[derive(Debug)]
pub(crate) struct Meter {
    read: [Units; CALLS.len()],
    write: [Units; CALLS.len()],
    retries: [Counter; REASONS.len()],
}

impl Meter {
    pub(crate) fn new() -> Self {
        Self {
            read: CALLS.map(|call| Units::new(call, "read")),
            write: CALLS.map(|call| Units::new(call, "write")),
            retries: REASONS
                .map(|why| metrics::counter!("outrigger_dynamodb_retries_total", "reason" => why)),
        }
    }

    /// Notes what a request has cost that only reads.
    pub(crate) fn read(&self, call: Call, capacity: &[ConsumedCapacity]) {
        self.read[call as usize].add(units(capacity));
    }

    /// Notes what a request has cost that writes. One that was done before, and is sent again with its
    /// token, is answered with what it has read.
    pub(crate) fn wrote(&self, call: Call, capacity: &[ConsumedCapacity]) {
        let read = capacity.iter().filter_map(ConsumedCapacity::read_capacity_units).sum();
        self.read[call as usize].add(read);
        self.write[call as usize].add(units(capacity) - read);
    }

    /// Notes that something is tried again.
    pub(crate) fn retried(&self, reason: Reason) {
        self.retries[reason as usize].increment(1);
    }
}

fn units(capacity: &[ConsumedCapacity]) -> f64 {
    capacity.iter().filter_map(ConsumedCapacity::capacity_units).sum()
}
