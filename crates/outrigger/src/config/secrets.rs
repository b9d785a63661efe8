//! Settings that must not be seen, and references to them.

use anyhow::{Context, Result, bail};
use outrigger_kernel::Secret;
use outrigger_kernel::secret::ExposeSecret;
use serde::{Deserialize, Deserializer};
use std::fmt;

/// A setting that is never printed. Empty: not set.
#[derive(Clone)]
pub struct Sensitive(Secret);

impl Sensitive {
    /// Whether it is set.
    pub fn is_set(&self) -> bool {
        !self.0.expose_secret().is_empty()
    }

    /// The secret.
    pub fn secret(&self) -> &Secret {
        &self.0
    }

    /// The secret as text; for use, not for show.
    pub fn expose(&self) -> &str {
        self.0.expose_secret()
    }

    /// Replaces a reference by what it refers to.
    ///
    /// # Errors
    /// Names the setting, and the file that cannot be read.
    pub fn resolve(&mut self, key: &str) -> Result<()> {
        let text = self.expose();
        if let Some(path) = text.strip_prefix("file://") {
            let value = std::fs::read_to_string(path)
                .with_context(|| format!("{key}: cannot read the secret in the file {path}"))?;
            self.0 = Secret::from(value.trim_end_matches(['\n', '\r']).to_owned());
        } else if let Some(scheme) =
            ["aws-sm", "gcp-sm"].into_iter().find(|s| text.starts_with(&format!("{s}://")))
        {
            bail!("{key}: references {scheme}:// are not compiled into this binary; use file://");
        }
        Ok(())
    }
}

impl From<String> for Sensitive {
    fn from(text: String) -> Self {
        Self(Secret::from(text))
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
