//! Analytics: one file for each operation.

pub(crate) mod ingest;
pub(crate) mod list;
pub(crate) mod query;
