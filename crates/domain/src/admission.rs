//! How often one caller may ask.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use outrigger_kernel::{Actor, Error, Result};
use outrigger_ports::limiter::{Limiter, Quota};

/// What a caller has left; becomes the `RateLimit` headers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Allowance {
    /// Requests in one period.
    pub limit: u32,
    /// The period.
    pub period: Duration,
    /// Requests left now.
    pub remaining: u32,
    /// When all of the limit is free again.
    pub reset_after: Duration,
    /// When to ask again; `None` when this request is allowed.
    pub retry_after: Option<Duration>,
}

impl Allowance {
    /// Lets an allowed request pass.
    ///
    /// # Errors
    /// `rate_limited` with the time to wait.
    pub fn check(&self) -> Result<()> {
        match self.retry_after {
            None => Ok(()),
            Some(after) => Err(Error::rate_limited("too many requests; see Retry-After", after)),
        }
    }
}

/// Counts the requests of each caller.
#[derive(Clone, Debug)]
pub struct Admission {
    limiter: Arc<dyn Limiter>,
    quota: Quota,
}

impl Admission {
    /// Every caller has this quota.
    pub fn new(limiter: Arc<dyn Limiter>, quota: Quota) -> Self {
        Self { limiter, quota }
    }

    /// Counts one request against its caller: the user, or the address when nobody has signed in.
    /// `None` when no limiter can decide: the product goes on without.
    pub async fn count(&self, actor: &Actor, address: IpAddr) -> Option<Allowance> {
        let decision = self.limiter.take(&caller(actor, address), &self.quota, 1).await.ok()?;
        Some(Allowance {
            limit: self.quota.limit,
            period: self.quota.period,
            remaining: decision.remaining,
            reset_after: decision.reset_after,
            retry_after: (!decision.allowed).then_some(decision.retry_after),
        })
    }
}

/// Whom a limit counts as one: the user, or the address when nobody has signed in.
pub fn caller(actor: &Actor, address: IpAddr) -> String {
    match actor {
        Actor::User { id, .. } => format!("u:{id}"),
        Actor::Anonymous | Actor::System => format!("a:{}", network(address)),
    }
}

/// What counts as one address: an IPv6 client owns a whole /64.
pub fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(v6) => {
            let [a, b, c, d, ..] = v6.segments();
            IpAddr::V6(std::net::Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0))
        }
        v4 @ IpAddr::V4(_) => v4,
    }
}
