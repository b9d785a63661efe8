//! One scheduler of a deployment looks for ticks, the others wait: a lease document.

use std::time::Duration;

use outrigger_kernel::{Result, Timestamp};
use outrigger_ports::collection::{Collection, Entity};
use outrigger_ports::store::{Batch, Precondition, StoreError, Write};
use serde::{Deserialize, Serialize};

use super::service::Schedules;

/// How long the lease holds unless it is renewed.
const LEASE: Duration = Duration::from_secs(6);
/// The one document.
const ID: &str = "scheduler";

#[derive(Debug, Serialize, Deserialize)]
pub(super) struct SchedulerLease {
    holder: String,
    until: Timestamp,
}

impl Entity for SchedulerLease {
    const COLLECTION: &'static str = "sys.leases";
    const NAME: &'static str = "lease";
}

/// The lease in the hands of its holder.
#[derive(Clone, Copy, Debug)]
pub struct Lead {
    version: u64,
    until: Timestamp,
}

impl Lead {
    /// Whether it is time to renew it.
    pub fn is_to_be_renewed(&self, now: Timestamp) -> bool {
        self.until.since(now) < LEASE / 2
    }

    /// Holds while nobody has taken the lease since.
    pub(super) fn check(&self) -> Write {
        let key = Collection::<SchedulerLease>::key(ID);
        Write::Check { key, precondition: Precondition::Version(self.version) }
    }
}

/// Whose turn it is.
#[derive(Clone, Copy, Debug)]
pub enum Turn {
    /// The caller's.
    Mine(Lead),
    /// Another one's, at least until then.
    Another(Timestamp),
}

impl Schedules {
    /// Takes the lease, or renews it, for the scheduler of this name.
    ///
    /// # Errors
    /// `unavailable` when the store is away.
    pub async fn lead(&self, name: &str) -> Result<Turn> {
        let now = self.clock.now();
        let found = self.leases.find(ID).await?;
        let precondition = match &found {
            Some(lease) if lease.value.holder != name && lease.value.until > now => {
                return Ok(Turn::Another(lease.value.until));
            }
            Some(lease) => Precondition::Version(lease.version),
            None => Precondition::Absent,
        };
        let lease = SchedulerLease { holder: name.to_owned(), until: now.plus(LEASE) };
        let write = Collection::put(ID, &lease, precondition)?;
        match self.leases.store().commit(Batch::of([write])).await {
            Ok(versions) => {
                let version = versions.first().copied().unwrap_or_default();
                Ok(Turn::Mine(Lead { version, until: lease.until }))
            }
            // Another one was quicker.
            Err(StoreError::Precondition { .. }) => Ok(Turn::Another(now.plus(LEASE))),
            Err(error) => Err(error.into()),
        }
    }

    /// Gives the lease up, so that another one takes over at once.
    ///
    /// # Errors
    /// `unavailable` when the store is away.
    pub async fn resign(&self, lead: Lead) -> Result<()> {
        let lease = SchedulerLease { holder: String::new(), until: self.clock.now() };
        let write = Collection::put(ID, &lease, Precondition::Version(lead.version))?;
        match self.leases.store().commit(Batch::of([write])).await {
            Ok(_) | Err(StoreError::Precondition { .. }) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }
}
