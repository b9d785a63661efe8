//! What limiters decided, counted in
//! `outrigger_limiter_decisions_total{outcome="allowed|refused", by="primary|local|slice"}`.

use metrics::Counter;

use crate::limiter::Decision;

/// The counters of one who decides.
#[derive(Debug)]
pub(super) struct Outcomes {
    allowed: Counter,
    refused: Counter,
}

impl Outcomes {
    pub(super) fn of(by: &'static str) -> Self {
        let counter = |outcome: &'static str| metrics::counter!("outrigger_limiter_decisions_total", "outcome" => outcome, "by" => by);
        Self { allowed: counter("allowed"), refused: counter("refused") }
    }

    pub(super) fn count(&self, decision: &Decision) {
        if decision.allowed { self.allowed.increment(1) } else { self.refused.increment(1) }
    }
}
