//! The signals that end the process.

use anyhow::{Context, Result};
use tokio::signal::unix::{SignalKind, signal};

/// Waits for SIGTERM or SIGINT; says whether to drain first (SIGTERM, from an orchestrator) or to
/// end at once (SIGINT, from a keyboard).
pub(crate) async fn wait() -> Result<bool> {
    let mut terminate = signal(SignalKind::terminate()).context("SIGTERM cannot be handled")?;
    let mut interrupt = signal(SignalKind::interrupt()).context("SIGINT cannot be handled")?;
    tokio::select! {
        _ = terminate.recv() => Ok(true),
        _ = interrupt.recv() => Ok(false),
    }
}
