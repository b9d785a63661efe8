//! What one process has of one key's quota. All times are microseconds since the Unix epoch.

use std::time::Duration;

use crate::limiter::Decision;

/// How long what was taken may be spent, in microseconds.
const KEPT_FOR: i64 = 1_000_000;
/// Largest slice.
const SLICE_MAX: u32 = 64;
/// A slice is at most this part of what remains.
const SLICE_PART: u32 = 64;

/// See the module.
#[derive(Debug, Default)]
pub(super) struct Share {
    /// What is left of the slice, to be spent before `until`.
    tokens: u32,
    until: i64,
    /// How much was in the slice, beside what its request cost.
    extra: u32,
    /// How much the next slice should have.
    demand: u32,
    /// What the inner limiter said last.
    remaining: u32,
    reset_at: i64,
    /// Requests of this cost or more are refused until then.
    refused_until: i64,
    refused_cost: u32,
    /// Somebody is asking for a slice.
    is_asking: bool,
}

/// What can be said without the inner limiter.
#[derive(Debug)]
pub(super) enum Local {
    /// Everything.
    Decided(Decision),
    /// Nothing; it shall be asked for the request's cost and this much more.
    Ask {
        /// How much more.
        extra: u32,
        /// Others shall ask for no slice until this one is answered.
        leads: bool,
    },
}

impl Share {
    /// Nothing yet; the first request is on its way.
    pub(super) fn asking() -> Self {
        Self { demand: 1, is_asking: true, ..Self::default() }
    }

    /// Decides, or says what to ask for.
    pub(super) fn decide(&mut self, now: i64, cost: u32) -> Local {
        if self.until > now && self.tokens >= cost {
            self.tokens -= cost;
            return Local::Decided(Decision {
                allowed: true,
                remaining: self.remaining.saturating_add(self.tokens),
                reset_after: span(self.reset_at - now),
                retry_after: Duration::ZERO,
            });
        }
        if self.refused_until > now && cost >= self.refused_cost {
            let retry_after = span(self.refused_until - now);
            return Local::Decided(Decision {
                allowed: false,
                remaining: self.remaining,
                reset_after: span(self.reset_at - now).max(retry_after),
                retry_after,
            });
        }
        if self.is_asking {
            return Local::Ask { extra: 0, leads: false };
        }
        self.is_asking = true;
        if self.until > now {
            // All was spent in time.
            self.demand = self.demand.saturating_mul(2).min(SLICE_MAX);
        } else {
            let spent = self.extra - self.tokens.min(self.extra);
            self.demand = spent.max(1);
            self.tokens = 0;
        }
        let slice = self.demand.min((self.remaining / SLICE_PART).clamp(1, SLICE_MAX));
        Local::Ask { extra: slice - 1, leads: true }
    }

    /// Takes the inner limiter's answer for a request and `extra` more, asked for at `asked_at`;
    /// gives the answer to the request.
    pub(super) fn settle(
        &mut self,
        asked_at: i64,
        now: i64,
        cost: u32,
        extra: u32,
        decision: Decision,
    ) -> Decision {
        self.remaining = decision.remaining;
        self.reset_at = now.saturating_add(micros(decision.reset_after));
        if !decision.allowed {
            self.refused_until = now.saturating_add(micros(decision.retry_after));
            self.refused_cost = cost;
            return decision;
        }
        self.refused_until = 0;
        if self.until <= now {
            self.tokens = 0;
        }
        if self.tokens == 0 {
            self.until = asked_at + KEPT_FOR;
        }
        // With older ones left over, the new ones end when those do.
        self.tokens = self.tokens.saturating_add(extra);
        self.extra = self.tokens;
        Decision { remaining: decision.remaining.saturating_add(self.tokens), ..decision }
    }

    /// Nobody is asking any more.
    pub(super) fn asked(&mut self) {
        self.is_asking = false;
    }

    /// Whether nothing is lost when this is forgotten.
    pub(super) fn is_idle(&self, now: i64) -> bool {
        !self.is_asking && self.until <= now && self.refused_until <= now
    }
}

fn micros(span: Duration) -> i64 {
    i64::try_from(span.as_micros()).unwrap_or(i64::MAX)
}

fn span(micros: i64) -> Duration {
    Duration::from_micros(u64::try_from(micros).unwrap_or(0))
}
