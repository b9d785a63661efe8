//! Waiting for work: a subscription of its own says when a queue has some.
//!
//! A claim that finds nothing leaves a mark in Redis; whoever enqueues and finds the mark publishes
//! the queue's name. What is published before the subscriber has it is not lost: a wake-up that came
//! since the claim began ends the next wait at once.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Duration;

use futures_util::StreamExt as _;
use tokio::sync::Notify;
use tokio::task::AbortHandle;
use tokio::time::Instant;

use crate::client::RedisClient;

/// Longest wait when wake-ups arrive: should one be lost all the same, this is what it costs.
const QUIET_MAX: Duration = Duration::from_secs(5);
/// Longest wait when they do not arrive.
const BLIND_MAX: Duration = Duration::from_millis(500);
/// Most queues that a process remembers; names of others are in requests.
const REMEMBERED_MAX: usize = 1_000;
const RETRY: Duration = Duration::from_millis(250);

/// What one process knows of the queues that it claims from.
#[derive(Debug, Default)]
pub(super) struct Wakes {
    state: Arc<Shared>,
    listener: OnceLock<AbortHandle>,
}

#[derive(Debug, Default)]
struct Shared {
    known: Mutex<Known>,
    changed: Notify,
}

#[derive(Debug, Default)]
struct Known {
    /// Wake-ups arrive.
    subscribed: bool,
    queues: HashMap<String, Quiet>,
}

/// How a queue was left.
#[derive(Debug, Default)]
struct Quiet {
    /// Counts wake-ups.
    woken: u64,
    /// The count at the beginning of the last claim that found nothing.
    empty_at: Option<u64>,
    /// From then on something may be due.
    again: Option<Instant>,
}

impl Wakes {
    /// A claim begins; give what this returns to [`Wakes::claimed`].
    pub(super) fn claiming(&self, queue: &str) -> u64 {
        self.state.lock().queues.get(queue).map_or(0, |quiet| quiet.woken)
    }

    /// A claim has ended.
    pub(super) fn claimed(&self, queue: &str, began_at: u64, empty: bool, again: Option<Duration>) {
        let mut known = self.state.lock();
        if !known.queues.contains_key(queue) {
            if known.queues.len() >= REMEMBERED_MAX {
                // Whoever waits for one of them asks once more.
                known.queues.clear();
            }
            known.queues.insert(queue.to_owned(), Quiet::default());
        }
        if let Some(quiet) = known.queues.get_mut(queue) {
            quiet.empty_at = empty.then_some(began_at);
            quiet.again = again.map(|again| Instant::now() + again);
        }
    }

    /// See `Queue::wait`.
    pub(super) async fn wait(&self, client: &RedisClient, queues: &[String], most: Duration) {
        self.listener.get_or_init(|| {
            tokio::spawn(listen(client.clone(), self.state.clone())).abort_handle()
        });
        let until = Instant::now() + most;
        let mut longest = None;
        loop {
            let mut changed = std::pin::pin!(self.state.changed.notified());
            changed.as_mut().enable();
            let Some((subscribed, again)) = self.state.quiet(queues) else { return };
            let limit = if subscribed { QUIET_MAX } else { BLIND_MAX };
            let poll = *longest.get_or_insert_with(|| Instant::now() + limit);
            let end = again.map_or(until, |again| again.min(until)).min(poll);
            if tokio::time::timeout_at(end, changed).await.is_err() {
                return;
            }
        }
    }
}

impl Drop for Wakes {
    fn drop(&mut self) {
        if let Some(listener) = self.listener.get() {
            listener.abort();
        }
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether wake-ups arrive, and when something may be due; `None` when one of the queues may
    /// have something now.
    fn quiet(&self, queues: &[String]) -> Option<(bool, Option<Instant>)> {
        let known = self.lock();
        let mut earliest: Option<Instant> = None;
        for queue in queues {
            // Nobody has claimed from it yet: nothing was left behind that would wake us.
            let quiet = known.queues.get(queue)?;
            if quiet.empty_at != Some(quiet.woken) {
                return None;
            }
            earliest = [earliest, quiet.again].into_iter().flatten().min();
        }
        Some((known.subscribed, earliest))
    }

    fn wake(&self, queue: &str) {
        if let Some(quiet) = self.lock().queues.get_mut(queue) {
            quiet.woken += 1;
        }
        self.changed.notify_waiters();
    }

    /// Wake-ups arrive from now on, or no longer; whatever came in between was missed.
    fn subscribed(&self, subscribed: bool) {
        let mut known = self.lock();
        known.subscribed = subscribed;
        for quiet in known.queues.values_mut() {
            quiet.woken += 1;
        }
        drop(known);
        self.changed.notify_waiters();
    }
}

/// Keeps the subscription standing until its task is aborted.
async fn listen(client: RedisClient, state: Arc<Shared>) {
    let channel = format!("{}wake", super::base(&client));
    for next in 0_usize.. {
        let mut links = client.links();
        if links.wait_for(Option::is_some).await.is_err() {
            return;
        }
        let target = client.target();
        let node = &target.nodes[next % target.nodes.len()];
        let subscription = async {
            let mut subscription = node.get_async_pubsub().await?;
            subscription.subscribe(&channel).await?;
            Ok::<_, redis::RedisError>(subscription)
        };
        match tokio::time::timeout(QUIET_MAX, subscription).await {
            Ok(Ok(subscription)) => {
                state.subscribed(true);
                let mut messages = subscription.into_on_message();
                loop {
                    tokio::select! {
                        message = messages.next() => match message {
                            Some(message) => state.wake(message.get_payload::<String>()
                                .as_deref().unwrap_or_default()),
                            None => break,
                        },
                        // The other connection is tried regularly; when it is gone, so is this.
                        changed = links.changed() => {
                            if changed.is_err() {
                                return;
                            }
                            break;
                        }
                    }
                }
                state.subscribed(false);
            }
            Ok(Err(error)) => tracing::debug!(%error, "no subscription to the queue's wake-ups"),
            Err(_) => tracing::debug!("no subscription to the queue's wake-ups in time"),
        }
        tokio::time::sleep(RETRY).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn so_many_queues_are_remembered_and_no_more() {
        let wakes = Wakes::default();
        for number in 0..3 * REMEMBERED_MAX {
            wakes.claimed(&format!("q{number}"), 0, true, None);
            assert!(wakes.state.lock().queues.len() <= REMEMBERED_MAX);
        }
        let last = format!("q{}", 3 * REMEMBERED_MAX - 1);
        assert!(wakes.state.quiet(&[last]).is_some());
        assert!(wakes.state.quiet(&["q0".to_owned()]).is_none(), "who waits asks once more");
    }
}
