//! How a MongoDB store is set up.

use std::sync::Arc;
use std::time::Duration;

use outrigger_kernel::Secret;
use outrigger_ports::secrets::{LiveSecret, fixed};

/// The settings of a MongoDB store. [`MongoOptions::at`] gives sane ones.
#[derive(Debug, Clone)]
pub struct MongoOptions {
    /// `mongodb://HOST/DATABASE` or `mongodb+srv://HOST/DATABASE`, with the options of every MongoDB
    /// driver. Concerns of reads and writes are not among them: they are part of what a store
    /// promises. User and password may change while it is used.
    pub url: Arc<dyn LiveSecret>,
    /// How long a call may take with all its tries.
    pub patience: Duration,
    /// Most connections of a handle, unless the URL says it with `maxPoolSize`.
    pub connections: u32,
}

impl MongoOptions {
    /// Settings for the database with this URL.
    pub fn at(url: impl Into<Secret>) -> Self {
        Self::following(fixed(url))
    }

    /// Settings for a database whose URL may change.
    pub fn following(url: Arc<dyn LiveSecret>) -> Self {
        Self { url, patience: Duration::from_secs(5), connections: 32 }
    }
}
