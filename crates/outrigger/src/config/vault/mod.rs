//! References to secrets: `file://PATH`, `aws-sm://NAME#KEY`, `gcp-sm://PROJECT/NAME#KEY`.
//!
//! They are followed when the settings are read. A process that serves looks again from time to time,
//! and at once when what it knows is refused.

mod reference;
mod referred;

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anyhow::{Context, Result};
use outrigger_kernel::Secret;
use outrigger_kernel::secret::ExposeSecret as _;
use outrigger_ports::secrets::LiveSecret;

use crate::lifecycle::runtime;
use reference::Reference;
use referred::Referred;

/// Settings whose new values are used without a start of the process, when they lead to PostgreSQL.
const LIVE: [&str; 2] = ["database.url", "database.readonly_url"];

/// Whether a new value of the setting is used by what runs.
fn is_live(key: &str, value: &Secret) -> bool {
    LIVE.contains(&key) && value.expose_secret().starts_with("postgres")
}

/// All references of the settings.
#[derive(Clone, Debug, Default)]
pub(crate) struct Vault(Arc<Inner>);

#[derive(Debug, Default)]
struct Inner {
    environment: Vec<(String, String)>,
    followed: Mutex<Vec<(String, Arc<Referred>)>>,
}

impl Vault {
    /// With what this environment says of the clouds.
    pub(super) fn of(environment: &[(String, String)]) -> Self {
        Self(Arc::new(Inner { environment: environment.to_vec(), ..Inner::default() }))
    }

    /// What the text of this setting refers to; `None` when it is no reference.
    ///
    /// # Errors
    /// Names the setting, and why it cannot be had.
    pub(super) fn follow(&self, key: &str, text: &str) -> Result<Option<Arc<dyn LiveSecret>>> {
        let Some(reference) = Reference::parse(text, &self.0.environment) else { return Ok(None) };
        let reference = reference.with_context(|| key.to_owned())?;
        let mut followed = self.0.followed.lock().unwrap_or_else(PoisonError::into_inner);
        // Parts of one secret are read apart; the same part for two settings once.
        let known = followed.iter().find(|(_, it)| *it.reference() == reference);
        let referred = match known {
            Some((_, referred)) => referred.clone(),
            None => {
                let read = runtime()?.block_on(reference.read());
                let value = read.with_context(|| key.to_owned())?;
                Arc::new(Referred::new(reference, value))
            }
        };
        followed.push((key.to_owned(), referred.clone()));
        Ok(Some(referred))
    }

    /// Looks again for as long as the process runs.
    pub(crate) async fn keep_fresh(self, every: Duration) {
        let followed = self.0.followed.lock().unwrap_or_else(PoisonError::into_inner).clone();
        if followed.is_empty() {
            return;
        }
        loop {
            tokio::time::sleep(every).await;
            for (key, referred) in &followed {
                match referred.look().await {
                    Ok(true) if is_live(key, &referred.current()) => {
                        tracing::info!(
                            setting = key,
                            "a secret has changed; new connections use it"
                        );
                    }
                    Ok(true) => tracing::warn!(
                        setting = key,
                        "a secret has changed; this process uses the old one until it is started again"
                    ),
                    Ok(false) => {}
                    Err(error) => {
                        let error = format!("{error:#}");
                        tracing::warn!(setting = key, error, "a secret cannot be looked up");
                    }
                }
            }
        }
    }
}
