//! Tasks for tests.

use std::sync::Arc;

use outrigger_kernel::Secret;

use super::jobs::Noop;
use super::{AnyJob, Kind, Kinds, Sealer, Tasks, any};
use crate::audit::Audit;
use crate::ports::Ports;

/// Those of the kind `noop`.
pub(crate) fn tasks(ports: &Ports, audit: Audit) -> Tasks {
    tasks_of(ports, audit, Vec::new())
}

/// Those of the kind `noop`, of these jobs, and of `note.changed`, which somebody else runs.
pub(crate) fn tasks_of(ports: &Ports, audit: Audit, mut jobs: Vec<Arc<dyn AnyJob>>) -> Tasks {
    jobs.push(any::<Noop>());
    let own = jobs.iter().map(|job| job.kind().unwrap());
    let kinds = Kinds::new(own.chain([Kind::external("note.changed").unwrap()])).unwrap();
    let sealer = Sealer::new(&Secret::from("a master secret".to_owned()), false).unwrap();
    Tasks::new(ports, audit, Arc::new(kinds), Arc::new(sealer))
}
