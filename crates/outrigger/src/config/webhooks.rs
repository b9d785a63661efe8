//! The secrets of webhooks: each has a name.

use anyhow::{Result, bail};
use outrigger_kernel::Secret;
use serde::{Deserialize, Deserializer};

use super::secrets::Sensitive;
use super::vault::Vault;

/// `name=whsec_…` or `name=file://…`.
#[derive(Clone, Debug)]
pub struct NamedSecret {
    /// What payloads call it.
    pub name: String,
    value: Sensitive,
}

impl NamedSecret {
    /// The secret.
    pub fn secret(&self) -> &Secret {
        self.value.secret()
    }

    /// Reads it from where it is.
    ///
    /// # Errors
    /// Names the setting, and what is wrong with it, without the secret.
    pub(super) fn resolve(&mut self, vault: &Vault) -> Result<()> {
        let letter = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b"_-".contains(&b);
        if !((1..=64).contains(&self.name.len()) && self.name.bytes().all(letter)) {
            bail!(
                "webhooks.secrets: expected NAME=whsec_… or NAME=file://…, the name being 1 to 64 of a-z 0-9 _ -"
            );
        }
        self.value.resolve(&format!("webhooks.secrets ({})", self.name), vault)
    }
}

impl<'de> Deserialize<'de> for NamedSecret {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        // Without a name it is a secret alone: it is refused later, and shown nowhere.
        let (name, value) = text.split_once('=').unwrap_or(("", &text));
        let is_secret = name.starts_with("whsec_");
        let (name, value) = if is_secret { ("", text.as_str()) } else { (name, value) };
        Ok(Self { name: name.to_owned(), value: Sensitive::from(value.to_owned()) })
    }
}
