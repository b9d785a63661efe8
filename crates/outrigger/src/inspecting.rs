//! What the console and its API are told of settings and backends.

use std::sync::Arc;

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use outrigger_http::inspector::{Examination, Inspector};

use crate::cli::desk::Desk;
use crate::cli::doctor;
use crate::compose::Backends;
use crate::config::{Config, DEFAULTS, Loaded};

/// Knows what a serving process was put together from.
#[derive(Debug)]
pub(crate) struct Inspecting {
    config: Config,
    shown: String,
    backends: Arc<Backends>,
}

impl Inspecting {
    /// Of these settings and backends.
    pub(crate) fn new(loaded: &Loaded, backends: &Arc<Backends>) -> Self {
        let Loaded { config, shown } = loaded.clone();
        Self { config, shown, backends: backends.clone() }
    }
}

impl Inspector for Inspecting {
    fn settings(&self) -> &str {
        &self.shown
    }

    fn defaults(&self) -> &str {
        DEFAULTS
    }

    fn examine(&self) -> BoxFuture<'_, Examination> {
        async { doctor::examine(&Desk::of(&self.config, &self.backends)).await }.boxed()
    }
}
