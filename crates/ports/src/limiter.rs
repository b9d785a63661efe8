//! The limiter port, and the arithmetic that every adapter shares.
//!
//! The limit is a sliding one (GCRA, the generic cell rate algorithm of ITU-T I.371): each key has
//! one number, the *theoretical arrival time* (`tat`). A request costs `period / limit` of time;
//! it is allowed while `tat` is not further ahead of now than the whole period.

use async_trait::async_trait;
use std::time::Duration;

use crate::probe::Probed;

/// How much of something is allowed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Quota {
    /// So many in one period, `1..=1_000_000`; all of them may come at once.
    pub limit: u32,
    /// The period, from 1 ms to 1 day.
    pub period: Duration,
    /// Longer waits for who goes on after being refused.
    pub escalation: Option<Escalation>,
}

/// Growing delays: the n-th refusal in a row closes the key for `base * 2^(n-1)`, at most `cap`.
/// What comes while it is closed is refused without making it longer. All is forgotten after
/// `forget_after` without a refusal, and by [`Limiter::forgive`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Escalation {
    /// The first delay.
    pub base: Duration,
    /// The longest delay.
    pub cap: Duration,
    /// When refusals no longer count.
    pub forget_after: Duration,
}

/// What the limiter says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Decision {
    /// Whether it may happen.
    pub allowed: bool,
    /// How many more may happen at once from now on.
    pub remaining: u32,
    /// When all of the limit is free again.
    pub reset_after: Duration,
    /// When the same request would be allowed; zero when it is.
    pub retry_after: Duration,
}

/// What is kept of one key. All times are microseconds since the Unix epoch.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct State {
    /// The theoretical arrival time.
    pub tat: i64,
    /// Refusals in a row.
    pub strikes: u32,
    /// Closed until then.
    pub closed_until: i64,
    /// When the last refusal was counted.
    pub struck_at: i64,
}

/// Decides for `cost` at once, and says what is to be kept. This is the specification: adapters
/// call it, or are tested to agree with it to the microsecond.
pub fn decide(state: State, now_us: i64, quota: &Quota, cost: u32) -> (Decision, State) {
    let period = micros(quota.period).max(1);
    let step = (period / i64::from(quota.limit.max(1))).max(1);
    let window = step * i64::from(quota.limit);
    let mut next = state;
    if let Some(escalation) = quota.escalation
        && now_us - state.struck_at >= micros(escalation.forget_after)
        && now_us >= state.closed_until
    {
        next.strikes = 0;
    }
    let tat = state.tat.max(now_us);
    let after = tat + step * i64::from(cost);
    let wait = (after - now_us - window).max(0);
    let closed_for = (state.closed_until - now_us).max(0);
    let left = |tat: i64| u32::try_from(((now_us + window - tat) / step).max(0)).unwrap_or(0);
    if wait == 0 && closed_for == 0 {
        next.tat = after;
        let decision = Decision {
            allowed: true,
            remaining: left(after),
            reset_after: span(after - now_us),
            retry_after: Duration::ZERO,
        };
        return (decision, next);
    }
    let mut retry = wait.max(closed_for);
    if let Some(escalation) = quota.escalation
        && closed_for == 0
    {
        let factor = 1_i64 << next.strikes.min(30);
        let delay = micros(escalation.base).saturating_mul(factor).min(micros(escalation.cap));
        next.strikes = next.strikes.saturating_add(1);
        next.struck_at = now_us;
        next.closed_until = now_us + delay;
        retry = retry.max(delay);
    }
    let decision = Decision {
        allowed: false,
        remaining: if closed_for > 0 { 0 } else { left(tat) },
        reset_after: span((tat - now_us).max(retry)),
        retry_after: span(retry),
    };
    (decision, next)
}

/// The state after `cost` was given back. Like [`decide`], the specification.
pub fn given_back(state: State, quota: &Quota, cost: u32) -> State {
    let step = (micros(quota.period).max(1) / i64::from(quota.limit.max(1))).max(1);
    State { tat: state.tat.saturating_sub(step * i64::from(cost)).max(0), ..state }
}

fn micros(duration: Duration) -> i64 {
    i64::try_from(duration.as_micros()).unwrap_or(i64::MAX / 4)
}

fn span(micros: i64) -> Duration {
    Duration::from_micros(u64::try_from(micros).unwrap_or(0))
}

/// Why the limiter could not decide.
#[derive(Debug, thiserror::Error)]
pub enum LimiterError {
    /// The limiter is away.
    #[error("the limiter is not available: {0}")]
    Unavailable(#[source] crate::store::Cause),
    /// Not asked, because the limiter was away a moment ago.
    #[error("the limiter is skipped while its breaker is open")]
    Skipped,
}

/// A rate limiter. Keys are up to 256 bytes.
#[async_trait]
pub trait Limiter: Send + Sync + std::fmt::Debug {
    /// Takes `cost` (at least 1) out of the key's quota, all or nothing. A key is always asked
    /// with the same quota.
    async fn take(&self, key: &str, quota: &Quota, cost: u32) -> Result<Decision, LimiterError>;

    /// Gives back `cost` of what was taken a moment ago, as if it had not been: what others have
    /// taken since stays taken, and refusals stay counted.
    async fn give_back(&self, key: &str, quota: &Quota, cost: u32) -> Result<(), LimiterError>;

    /// Forgets refusals and what was taken: the key is as new.
    async fn forgive(&self, key: &str) -> Result<(), LimiterError>;

    /// Asks the limiter something real.
    async fn probe(&self) -> Result<Probed, LimiterError>;
}
