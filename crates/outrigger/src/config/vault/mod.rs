//! References to secrets: `file://PATH`, `aws-sm://NAME#KEY`, `gcp-sm://PROJECT/NAME#KEY`, alone or in
//! braces within a URL.
//!
//! They are followed when the settings are read. A process that serves looks again from time to time,
//! and at once when what it knows is refused.

mod places;
mod reference;
mod referred;
mod template;

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anyhow::{Context, Result};
use outrigger_kernel::Secret;
use outrigger_kernel::secret::ExposeSecret as _;
use outrigger_ports::secrets::LiveSecret;

use crate::lifecycle::runtime;
use places::Places;
use referred::Referred;
use template::Template;

/// Settings whose new values are used without a start of the process, and how their values begin.
const LIVE: [(&str, &[&str]); 5] = [
    ("database.url", &["postgres", "mongodb"]),
    ("database.readonly_url", &["postgres"]),
    ("redis.url", &["redis"]),
    ("mail.url", &["smtp"]),
    ("traces.headers", &[""]),
];

/// Whether a new value of the setting is used by what runs.
fn is_live(key: &str, value: &Secret) -> bool {
    let begins = |begin: &&str| value.expose_secret().starts_with(begin);
    LIVE.iter().any(|(live, values)| *live == key && values.iter().any(begins))
}

/// All references of the settings.
#[derive(Clone, Debug, Default)]
pub(crate) struct Vault(Arc<Inner>);

#[derive(Debug, Default)]
struct Inner {
    places: Arc<Places>,
    followed: Mutex<Vec<(String, Arc<Referred>)>>,
}

impl Vault {
    /// With what this environment says of the clouds.
    pub(super) fn of(environment: &[(String, String)]) -> Self {
        let places = Arc::new(Places::of(environment));
        Self(Arc::new(Inner { places, ..Inner::default() }))
    }

    /// What the text of this setting refers to; `None` when it is no reference.
    ///
    /// # Errors
    /// Names the setting, and why it cannot be had.
    pub(super) fn follow(&self, key: &str, text: &str) -> Result<Option<Arc<dyn LiveSecret>>> {
        let Some(template) = Template::parse(text) else { return Ok(None) };
        let template = template.with_context(|| key.to_owned())?;
        let mut followed = self.0.followed.lock().unwrap_or_else(PoisonError::into_inner);
        // What two settings say alike is read once.
        let known = followed.iter().find(|(_, it)| *it.template() == template);
        let referred = match known {
            Some((_, referred)) => referred.clone(),
            None => {
                let first = Referred::first(template, self.0.places.clone());
                Arc::new(runtime()?.block_on(first).with_context(|| key.to_owned())?)
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
                            "a secret has changed; it is used without a restart"
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
