//! How a MongoDB store is set up.

use std::time::Duration;

/// The settings of a MongoDB store. [`MongoOptions::at`] gives sane ones.
#[derive(Debug, Clone)]
pub struct MongoOptions {
    /// `mongodb://HOST/DATABASE` or `mongodb+srv://HOST/DATABASE`, with the options of every MongoDB
    /// driver. Concerns of reads and writes are not among them: they are part of what a store
    /// promises.
    pub url: String,
    /// How long a call may take with all its tries.
    pub patience: Duration,
    /// Most connections of a handle, unless the URL says it with `maxPoolSize`.
    pub connections: u32,
}

impl MongoOptions {
    /// Settings for the database with this URL.
    pub fn at(url: impl Into<String>) -> Self {
        Self { url: url.into(), patience: Duration::from_secs(5), connections: 32 }
    }
}
