//! What every module is built from.

use std::sync::Arc;

use outrigger_kernel::{Clock, Ids, Random};
use outrigger_ports::blobs::Blobs;
use outrigger_ports::cached::CacheAside;
use outrigger_ports::collection::{Collection, Entity};
use outrigger_ports::http_client::HttpClient;
use outrigger_ports::limiter::Limiter;
use outrigger_ports::mailer::Mailer;
use outrigger_ports::queue::{Queue, TaskBoard};
use outrigger_ports::store::Store;

/// The outside world, as one thread of the process sees it.
#[derive(Clone, Debug)]
pub struct Ports {
    /// The database.
    pub store: Arc<dyn Store>,
    /// The cache, with the rules that keep it right.
    pub cache: Arc<CacheAside>,
    /// Limits of rate.
    pub limiter: Arc<dyn Limiter>,
    /// Tasks on their way.
    pub queue: Arc<dyn Queue>,
    /// The same tasks, for those who look after them.
    pub board: Arc<dyn TaskBoard>,
    /// Files.
    pub blobs: Arc<dyn Blobs>,
    /// Web servers of others.
    pub http: Arc<dyn HttpClient>,
    /// Delivers mail.
    pub mailer: Arc<dyn Mailer>,
    /// Tells the time.
    pub clock: Arc<dyn Clock>,
    /// Gives random bytes.
    pub random: Arc<dyn Random>,
}

impl Ports {
    /// The typed collection of `T`.
    pub fn collection<T: Entity>(&self) -> Collection<T> {
        Collection::new(self.store.clone(), self.random.clone())
    }

    /// Makes ids.
    pub fn ids(&self) -> Ids {
        Ids::new(self.clock.clone(), self.random.clone())
    }
}
