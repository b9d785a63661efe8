//! Every job, on one page.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use outrigger_domain::auth::jobs as account;
use outrigger_domain::notifications::jobs as notify;
use outrigger_domain::records::jobs as records;
use outrigger_domain::tasks::{AnyJob, Kind, Kinds, any, jobs};
use outrigger_kernel::{Error, Result};
use outrigger_ports::queue::KindLimits;

/// The jobs of this binary.
pub fn built_in() -> Vec<Arc<dyn AnyJob>> {
    vec![
        any::<jobs::Noop>(),
        any::<notify::SendRequest>(),
        any::<notify::SendEmail>(),
        any::<notify::SendNotification>(),
        any::<account::SendAccountMail>(),
        any::<records::ExportRecords>(),
        any::<records::ImportRecords>(),
    ]
}

/// The jobs that a process runs, by kind.
#[derive(Clone, Debug, Default)]
pub struct Registry {
    jobs: HashMap<&'static str, Arc<dyn AnyJob>>,
    limits: Vec<KindLimits>,
    queues: BTreeSet<&'static str>,
}

impl Registry {
    /// These jobs.
    ///
    /// # Errors
    /// `invalid` when the name, schema or options of one cannot be used, or two are of one kind.
    pub fn new(jobs: impl IntoIterator<Item = Arc<dyn AnyJob>>) -> Result<Self> {
        let mut registry = Self::default();
        for job in jobs {
            let kind = job.kind()?;
            if registry.jobs.insert(job.name(), job).is_some() {
                let message = format!("two jobs are of the kind {}", kind.name);
                return Err(Error::invalid(&["kind"], "duplicate", message));
            }
            registry.limits.push(kind.limits());
            registry.queues.insert(kind.options.queue);
        }
        Ok(registry)
    }

    /// The kinds of these jobs, and those that workers elsewhere run.
    ///
    /// # Errors
    /// `invalid` when two have the same name, or one cannot be used.
    pub fn kinds(&self, external: &[String]) -> Result<Kinds> {
        let own = self.jobs.values().map(|job| job.kind());
        let others = external.iter().map(|name| Kind::external(name));
        Kinds::new(own.chain(others).collect::<Result<Vec<_>>>()?)
    }

    /// The queues that their tasks go to unless who enqueues one says otherwise.
    pub fn queues(&self) -> impl Iterator<Item = &'static str> {
        self.queues.iter().copied()
    }

    /// The job of this kind.
    pub(crate) fn find(&self, kind: &str) -> Option<&Arc<dyn AnyJob>> {
        self.jobs.get(kind)
    }

    /// What a worker says of its kinds when it claims.
    pub(crate) fn limits(&self) -> &[KindLimits] {
        &self.limits
    }
}
