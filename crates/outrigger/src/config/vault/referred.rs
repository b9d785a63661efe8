//! What a reference leads to, now.

use std::fmt;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use anyhow::Result;
use async_trait::async_trait;
use outrigger_kernel::Secret;
use outrigger_kernel::secret::ExposeSecret as _;
use outrigger_ports::secrets::LiveSecret;
use tokio::sync::Mutex;
use tokio::time::{Instant, sleep};

use super::places::Places;
use super::template::Template;

/// Between two looks lies at least this much, however many have been refused.
const PAUSE: Duration = Duration::from_millis(250);

/// A secret that is kept in mind and looked up again.
pub(super) struct Referred {
    template: Template,
    places: Arc<Places>,
    current: RwLock<Secret>,
    /// When it was last looked for.
    looked: Mutex<Option<Instant>>,
}

impl fmt::Debug for Referred {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Referred").finish_non_exhaustive()
    }
}

impl Referred {
    /// What the template says, read for the first time.
    ///
    /// # Errors
    /// Why it cannot be had.
    pub(super) async fn first(template: Template, places: Arc<Places>) -> Result<Self> {
        let current = RwLock::new(template.read_first(&places).await?);
        Ok(Self { template, places, current, looked: Mutex::default() })
    }

    /// What it follows.
    pub(super) fn template(&self) -> &Template {
        &self.template
    }

    /// Looks it up; says whether it has changed.
    ///
    /// # Errors
    /// Why it cannot be had; what was known stays.
    pub(super) async fn look(&self) -> Result<bool> {
        let value = self.template.read(&self.places).await?;
        let mut current = self.current.write().unwrap_or_else(PoisonError::into_inner);
        let has_changed = current.expose_secret() != value.expose_secret();
        *current = value;
        Ok(has_changed)
    }
}

#[async_trait]
impl LiveSecret for Referred {
    fn current(&self) -> Secret {
        self.current.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    async fn renew(&self) -> bool {
        let came = Instant::now();
        let mut looked = self.looked.lock().await;
        // Of many who come at once, one looks.
        if looked.is_some_and(|at| at >= came) {
            return true;
        }
        if let Some(at) = *looked {
            sleep(PAUSE.saturating_sub(at.elapsed())).await;
        }
        if let Err(error) = self.look().await {
            tracing::warn!(error = format!("{error:#}"), "a secret cannot be looked up again");
        }
        *looked = Some(Instant::now());
        true
    }
}
