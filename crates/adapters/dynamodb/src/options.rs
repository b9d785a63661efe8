//! How a DynamoDB store is set up.

use std::time::Duration;

/// The settings of a DynamoDB store. [`DynamoOptions::at`] gives sane ones.
#[derive(Debug, Clone)]
pub struct DynamoOptions {
    /// `dynamodb://REGION/TABLE`, with `?endpoint=URL` for another server than that of AWS, and
    /// `?read_units=N&write_units=N` for a table of provisioned capacity, when it is made here; else
    /// it is paid by request. A server on this machine is given keys that are not secret; AWS is
    /// given those of the environment, as every SDK finds them.
    pub url: String,
    /// How long a call may take with all its tries.
    pub patience: Duration,
}

impl DynamoOptions {
    /// Settings for the table with this URL.
    pub fn at(url: impl Into<String>) -> Self {
        Self { url: url.into(), patience: Duration::from_secs(5) }
    }
}
