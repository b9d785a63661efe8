//! The service: what its operations stand on.

use std::sync::Arc;
use std::time::Duration;

use outrigger_kernel::{Clock, Ids};
use outrigger_ports::collection::Collection;
use outrigger_ports::store::Store;

use super::count::Counter;
use super::model::{Chunk, Group, Journal, Name, Total};
use crate::idempotency::Idempotency;
use crate::ports::Ports;
use crate::rule::Rule;

/// What can be set about analytics.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Who may send events.
    pub ingest: Rule,
    /// Events are taken up to so long after they happened, and their ids remembered as long.
    pub late: Duration,
    /// Counts are kept for so long after their day.
    pub retention: Duration,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            ingest: Rule::User,
            late: Duration::from_secs(48 * 3_600),
            retention: Duration::from_secs(400 * 86_400),
        }
    }
}

/// Events and what is counted of them.
#[derive(Clone, Debug)]
pub struct Analytics {
    pub(super) chunks: Collection<Chunk>,
    pub(super) journal: Collection<Journal>,
    pub(super) totals: Collection<Total>,
    pub(super) groups: Collection<Group>,
    pub(super) names: Collection<Name>,
    pub(super) store: Arc<dyn Store>,
    pub(super) idempotency: Idempotency,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) ids: Ids,
    pub(super) settings: Settings,
}

impl Analytics {
    /// Events in this store.
    pub fn new(ports: &Ports, settings: Settings) -> Self {
        Self {
            chunks: ports.collection(),
            journal: ports.collection(),
            totals: ports.collection(),
            groups: ports.collection(),
            names: ports.collection(),
            store: ports.store.clone(),
            idempotency: Idempotency::new(ports),
            clock: ports.clock.clone(),
            ids: ports.ids(),
            settings,
        }
    }

    /// What counts the events, as the process `by`.
    pub fn counter(&self, by: &str) -> Counter {
        Counter::new(self.clone(), by)
    }
}
