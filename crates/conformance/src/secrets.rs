//! A secret that a test rotates.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use outrigger_kernel::Secret;
use outrigger_ports::secrets::LiveSecret;
use tokio::sync::watch;

/// A secret whose value stands in a manager that a test writes to.
#[derive(Debug)]
pub struct Rotated {
    known: Mutex<Secret>,
    kept: Mutex<Secret>,
    refusals: watch::Sender<u32>,
}

impl Rotated {
    /// One with this value, which is known.
    pub fn new(value: impl Into<Secret>) -> Arc<Self> {
        let value = value.into();
        let (known, kept) = (Mutex::new(value.clone()), Mutex::new(value));
        Arc::new(Self { known, kept, refusals: watch::Sender::new(0) })
    }

    /// Waits until the value that is known has been refused.
    pub async fn refused(&self) {
        // The sender lives as long as this.
        let _ = self.refusals.subscribe().wait_for(|refusals| *refusals > 0).await;
    }

    /// Changes it where it is kept; who uses it learns of that when the value that is known is refused,
    /// or when [`Rotated::look`] is called.
    pub fn put(&self, value: impl Into<Secret>) {
        *lock(&self.kept) = value.into();
    }

    /// Has it looked up, as processes do from time to time.
    pub fn look(&self) {
        let kept = lock(&self.kept).clone();
        *lock(&self.known) = kept;
    }
}

#[async_trait]
impl LiveSecret for Rotated {
    fn current(&self) -> Secret {
        lock(&self.known).clone()
    }

    async fn renew(&self) -> bool {
        self.look();
        self.refusals.send_modify(|refusals| *refusals += 1);
        true
    }
}

fn lock(secret: &Mutex<Secret>) -> MutexGuard<'_, Secret> {
    secret.lock().unwrap_or_else(PoisonError::into_inner)
}
