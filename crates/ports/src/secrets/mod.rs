//! Secrets that stand elsewhere, such as in the secret manager of a cloud, and may change there.

mod followed;

use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use outrigger_kernel::Secret;

pub use followed::{Followed, Way};

/// Why a secret cannot be had.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SecretFault {
    /// There is none of this name, it may not be read, or the name is none: somebody has to do something.
    Refused(String),
    /// Nobody answers now; try again.
    Away(String),
}

impl fmt::Display for SecretFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Refused(why) | Self::Away(why) => f.write_str(why),
        }
    }
}

impl std::error::Error for SecretFault {}

/// Where secrets stand.
#[async_trait]
pub trait Secrets: Send + Sync + fmt::Debug {
    /// The value that the secret of this name has now.
    ///
    /// # Errors
    /// [`SecretFault`], which never holds a secret.
    async fn read(&self, name: &str) -> Result<Secret, SecretFault>;
}

/// A secret that may change while it is used.
#[async_trait]
pub trait LiveSecret: Send + Sync + fmt::Debug {
    /// The value that is known.
    fn current(&self) -> Secret;

    /// What is known was refused: has it looked up again, after a short pause when that was just done.
    /// Says whether it is worth trying once more: `false` when it cannot change.
    async fn renew(&self) -> bool;
}

#[derive(Debug)]
struct Fixed(Secret);

#[async_trait]
impl LiveSecret for Fixed {
    fn current(&self) -> Secret {
        self.0.clone()
    }

    async fn renew(&self) -> bool {
        false
    }
}

/// One that never changes.
pub fn fixed(secret: impl Into<Secret>) -> Arc<dyn LiveSecret> {
    Arc::new(Fixed(secret.into()))
}
