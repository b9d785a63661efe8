//! Decides what is recorded, and gives ids.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use super::{Recording, Spans};
use crate::random::Random;
use crate::time::Clock;
use crate::trace::TraceParent;

/// What is recorded.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Sampling {
    /// So much of what begins here, from 0 to 1.
    pub ratio: f64,
    /// Whether callers decide about their own requests, by the flag of their `traceparent`.
    pub follow_callers: bool,
}

/// Where something that begins stands.
#[derive(Clone, Debug)]
pub struct Position {
    /// Its trace: what it causes becomes a part of it.
    pub trace: TraceParent,
    /// Set when it is recorded.
    pub recording: Option<Arc<Recording>>,
}

/// Decides what is recorded; one per thread, so that no core waits for another's numbers.
#[derive(Debug)]
pub struct Tracer {
    spans: Arc<dyn Spans>,
    clock: Arc<dyn Clock>,
    sampling: Sampling,
    /// Where its two sequences of numbers begin.
    seeds: [u64; 2],
    next: AtomicU64,
}

impl Tracer {
    /// Records into `spans`.
    pub fn new(
        spans: Arc<dyn Spans>,
        sampling: Sampling,
        clock: Arc<dyn Clock>,
        random: &dyn Random,
    ) -> Self {
        let seed = || {
            let mut bytes = [0_u8; 8];
            random.fill(&mut bytes);
            u64::from_be_bytes(bytes)
        };
        let seeds = [seed(), seed()];
        Self { spans, clock, sampling, seeds, next: AtomicU64::new(0) }
    }

    /// A request begins. Without trust in callers one that names a trace stays in it, but whether it
    /// is recorded is decided here, by chance that the caller has no influence on.
    pub fn request(&self, caller: Option<TraceParent>) -> Position {
        let chance = self.number();
        let is_recorded = match caller {
            Some(caller) if self.sampling.follow_callers => caller.is_sampled(),
            _ => self.hits(chance),
        };
        self.position(caller, chance, is_recorded)
    }

    /// A task begins: it is recorded if what has enqueued it was. One that nothing has enqueued, such
    /// as a schedule's, is decided about here.
    pub fn task(&self, enqueued_by: Option<TraceParent>) -> Position {
        let chance = self.number();
        let is_recorded = match enqueued_by {
            Some(enqueued_by) => enqueued_by.is_sampled(),
            None => self.hits(chance),
        };
        self.position(enqueued_by, chance, is_recorded)
    }

    fn position(&self, parent: Option<TraceParent>, chance: u64, is_recorded: bool) -> Position {
        if let (Some(parent), false) = (parent, is_recorded) {
            return Position { trace: parent.unsampled(), recording: None };
        }
        let (trace_id, parent) = match parent.map(|parent| parent.ids()) {
            Some((trace_id, span_id)) => (trace_id, Some(span_id)),
            None => (self.trace_id(chance), None),
        };
        let id = self.number().max(1).to_be_bytes();
        let recording = is_recorded.then(|| {
            let now = self.clock.now();
            Arc::new(Recording::begin(self.spans.clone(), (trace_id, id), parent, now))
        });
        Position { trace: TraceParent::of(trace_id, id, is_recorded), recording }
    }

    /// A new trace: its second half is what decided about it.
    fn trace_id(&self, chance: u64) -> [u8; 16] {
        let mut id = [0_u8; 16];
        id[..8].copy_from_slice(&self.number().max(1).to_be_bytes());
        id[8..].copy_from_slice(&chance.to_be_bytes());
        id
    }

    #[expect(clippy::cast_precision_loss, reason = "53 bits fit")]
    fn hits(&self, chance: u64) -> bool {
        const ONE: f64 = (1_u64 << 53) as f64;
        (chance >> 11) as f64 / ONE < self.sampling.ratio
    }

    /// The next of 2^64 numbers that look random. They are no secrets.
    fn number(&self) -> u64 {
        let place = self.next.fetch_add(1, Ordering::Relaxed);
        mix(self.seeds[0].wrapping_add(place)) ^ mix(self.seeds[1].wrapping_sub(place))
    }
}

/// Spreads neighbouring numbers over all: the finalizer of SplitMix64.
pub(super) fn mix(number: u64) -> u64 {
    let mut z = number.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

#[cfg(test)]
mod tests;
