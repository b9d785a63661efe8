//! What all threads of a process share.

use std::sync::Arc;

use outrigger_kernel::{Clock, Random, Result};

use super::hash_pool::HashPool;
use super::keys::KeyRing;
use super::password::Hasher;
use super::settings::AuthSettings;
use super::verified::VerifiedTokens;
use crate::accounts::PasswordHash;
use crate::vault::Vault;

/// One per process: the threads that hash, the keys, the verified tokens.
#[derive(Debug)]
pub struct Shared {
    pub(super) settings: AuthSettings,
    pub(super) pool: HashPool,
    pub(super) hasher: Hasher,
    /// What the password of nobody is compared with.
    pub(super) decoy: PasswordHash,
    pub(super) vault: Vault,
    pub(super) ring: KeyRing,
    pub(super) verified: VerifiedTokens,
}

impl Shared {
    /// Checks the settings and starts the threads.
    ///
    /// # Errors
    /// `invalid` at `auth…` when a setting cannot work or a given key cannot be read.
    pub fn new(
        settings: AuthSettings,
        clock: Arc<dyn Clock>,
        random: &Arc<dyn Random>,
    ) -> Result<Arc<Self>> {
        settings.validate()?;
        let hasher = Hasher::new(&settings.hashing)?;
        Ok(Arc::new(Self {
            pool: HashPool::start(&settings.hashing)?,
            decoy: hasher.decoy(&**random)?,
            hasher,
            vault: Vault::new(&settings.master_secret)?,
            ring: KeyRing::new(&settings, clock, random.clone())?,
            verified: VerifiedTokens::new(settings.verified_tokens_max),
            settings,
        }))
    }
}
