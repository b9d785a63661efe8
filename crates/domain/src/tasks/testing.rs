//! Tasks for tests.

use std::sync::Arc;

use outrigger_kernel::Secret;

use super::jobs::Noop;
use super::{Kinds, Sealer, Tasks, any};
use crate::audit::Audit;
use crate::ports::Ports;

/// Those of the kind `noop`.
pub(crate) fn tasks(ports: &Ports, audit: Audit) -> Tasks {
    let kinds = Kinds::new([any::<Noop>().kind().unwrap()]).unwrap();
    let sealer = Sealer::new(&Secret::from("a master secret".to_owned()), false).unwrap();
    Tasks::new(ports, audit, Arc::new(kinds), Arc::new(sealer))
}
