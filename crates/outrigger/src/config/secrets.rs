//! Settings that must not be seen, and references to them.

use std::fmt;
use std::sync::Arc;

use anyhow::Result;
use outrigger_kernel::Secret;
use outrigger_kernel::secret::ExposeSecret;
use outrigger_ports::secrets::{LiveSecret, fixed};
use serde::{Deserialize, Deserializer};

use super::vault::Vault;

/// A setting that is never printed. Empty: not set.
#[derive(Clone)]
pub struct Sensitive {
    value: Secret,
    live: Option<Arc<dyn LiveSecret>>,
}

impl Sensitive {
    /// Whether it is set.
    pub fn is_set(&self) -> bool {
        !self.value.expose_secret().is_empty()
    }

    /// The secret, as it was at the start.
    pub fn secret(&self) -> &Secret {
        &self.value
    }

    /// The secret, as it is whenever it is asked for.
    pub fn live(&self) -> Arc<dyn LiveSecret> {
        self.live.clone().unwrap_or_else(|| fixed(self.value.clone()))
    }

    /// The secret as text, as it was at the start; for use, not for show.
    pub fn expose(&self) -> &str {
        self.value.expose_secret()
    }

    /// Replaces a reference by what it refers to.
    ///
    /// # Errors
    /// Names the setting, and the reference that cannot be followed.
    pub(crate) fn resolve(&mut self, key: &str, vault: &Vault) -> Result<()> {
        if let Some(live) = vault.follow(key, self.expose())? {
            self.value = live.current();
            self.live = Some(live);
        }
        Ok(())
    }
}

impl From<String> for Sensitive {
    fn from(text: String) -> Self {
        Self { value: Secret::from(text), live: None }
    }
}

impl fmt::Debug for Sensitive {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.is_set() { "***" } else { "unset" })
    }
}

impl<'de> Deserialize<'de> for Sensitive {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer).map(Self::from)
    }
}
