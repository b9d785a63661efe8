//! The limiter port.

#[cfg(test)]
mod tests;

use std::time::Duration;

use async_trait::async_trait;
use outrigger_ports::limiter::{Decision, Limiter, LimiterError, Quota, State, decide};
use outrigger_ports::probe::Probed;
use redis::{FromRedisValue, Value};

use crate::client::RedisClient;
use crate::error::CallError;
use crate::probe;
use crate::script::Script;

/// Far more than any limit, and still no overflow; a request that costs more is refused all the
/// same.
const COST_MAX: u32 = 100_000_000;

/// A limiter on Redis, exact across processes: one script per request, by Redis's own clock.
#[derive(Debug)]
pub struct RedisLimiter {
    client: RedisClient,
    take: Script,
    give_back: Script,
}

impl RedisLimiter {
    /// The limiter behind this connection.
    pub fn new(client: RedisClient) -> Self {
        Self {
            client,
            take: Script::new(include_str!("../scripts/limiter_take.lua")),
            give_back: Script::new(include_str!("../scripts/limiter_give_back.lua")),
        }
    }

    fn name(&self, key: &str) -> String {
        format!("{}l:{key}", self.client.prefix())
    }

    /// Lets the script change the state and returns the instant and the state before.
    async fn step(
        &self,
        key: &str,
        quota: &Quota,
        cost: u32,
        now: Option<i64>,
    ) -> Result<(i64, State), CallError> {
        let step = step_of(quota);
        let window = step * i64::from(quota.limit);
        let now = now.map(|now| now.to_string()).unwrap_or_default();
        let mut arguments =
            vec![step.to_string(), window.to_string(), (step * i64::from(cost)).to_string(), now];
        if let Some(escalation) = quota.escalation {
            let spans = [escalation.base, escalation.cap, escalation.forget_after];
            arguments.extend(spans.map(|span| micros(span).to_string()));
        }
        let answer = self.take.run(&self.client, &[self.name(key)], &arguments).await?;
        read(answer).ok_or(CallError::Unexpected)
    }
}

/// What a cost of one takes, in microseconds.
fn step_of(quota: &Quota) -> i64 {
    (micros(quota.period).max(1) / i64::from(quota.limit.max(1))).max(1)
}

/// Longer spans than a century mean a century.
fn micros(span: Duration) -> i64 {
    const CENTURY: i64 = 100 * 365 * 86_400 * 1_000_000;
    i64::try_from(span.as_micros()).unwrap_or(CENTURY).min(CENTURY)
}

fn read(answer: Value) -> Option<(i64, State)> {
    let (now, tat, strikes, closed_until, struck_at) =
        <(i64, i64, u32, i64, i64)>::from_redis_value(answer).ok()?;
    Some((now, State { tat, strikes, closed_until, struck_at }))
}

#[async_trait]
impl Limiter for RedisLimiter {
    async fn take(&self, key: &str, quota: &Quota, cost: u32) -> Result<Decision, LimiterError> {
        let cost = cost.clamp(1, COST_MAX);
        let (now, before) = self.step(key, quota, cost, None).await?;
        Ok(decide(before, now, quota, cost).0)
    }

    async fn give_back(&self, key: &str, quota: &Quota, cost: u32) -> Result<(), LimiterError> {
        let need = step_of(quota) * i64::from(cost.min(COST_MAX));
        self.give_back.run(&self.client, &[self.name(key)], &(need.to_string(),)).await?;
        Ok(())
    }

    async fn forgive(&self, key: &str) -> Result<(), LimiterError> {
        let mut delete = redis::cmd("DEL");
        delete.arg(self.name(key));
        self.client.call(&delete).await?;
        Ok(())
    }

    async fn probe(&self) -> Result<Probed, LimiterError> {
        Ok(probe::probe(&self.client).await?)
    }
}
