//! Telling a worker to stop.

use std::time::Duration;

use tokio::sync::watch;
use tokio::time::Instant;

/// How long handing tasks back may take.
pub(super) const HAND_BACK: Duration = Duration::from_secs(2);

/// Says when to stop, and until when what is running may be finished.
#[derive(Clone, Debug)]
pub struct Stop(watch::Receiver<Option<Instant>>);

impl Stop {
    /// A worker's half, and the sender that stops it: with the instant until which it may finish.
    pub fn channel() -> (watch::Sender<Option<Instant>>, Self) {
        let (sender, receiver) = watch::channel(None);
        (sender, Self(receiver))
    }

    /// Whether to claim nothing more.
    pub(super) fn is_requested(&self) -> bool {
        self.0.borrow().is_some() || self.0.has_changed().is_err()
    }

    /// Returns when to claim nothing more; also when nobody is left who could say so.
    pub(super) async fn requested(&self) {
        let mut receiver = self.0.clone();
        let _sender_gone = receiver.wait_for(Option::is_some).await;
    }

    /// Returns when nothing more may be finished.
    pub(super) async fn deadline(&self) {
        let until = *self.0.borrow();
        if let Some(until) = until {
            tokio::time::sleep_until(until).await;
        }
    }
}
