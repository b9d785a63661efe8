//! Keeps and reads what processes tell of themselves.

use std::sync::{PoisonError, RwLock};

use std::sync::Arc;

use outrigger_kernel::{Ctx, Result};
use outrigger_ports::collection::Collection;
use outrigger_ports::index_value;
use outrigger_ports::store::{Batch, Order, Precondition};

use super::merge::{Overview, float, merge, per_second};
use super::model::{POINT_S, POINTS, Point, Replica, ReplicaView};
use crate::ports::Ports;

/// Most processes that are looked at.
const REPLICAS_MAX: usize = 200;

/// This process, as it last saw itself; its threads share it.
#[derive(Debug, Default)]
pub struct Shared {
    seen: RwLock<Option<Replica>>,
    /// Whether it has said that it ends. Held while the others are told: what is on its way must not
    /// arrive after that.
    has_left: tokio::sync::Mutex<bool>,
}

/// The processes of the deployment.
#[derive(Clone, Debug)]
pub struct Replicas {
    documents: Collection<Replica>,
    own: Arc<Shared>,
}

/// The processes that are alive, as far as that is known.
#[derive(Debug)]
pub struct Fleet {
    /// The one that answers is among them; by name.
    pub replicas: Vec<ReplicaView>,
    /// Whether the database could be asked for the others.
    pub complete: bool,
}

impl Replicas {
    /// The processes that share this store.
    pub fn new(ports: &Ports, own: Arc<Shared>) -> Self {
        Self { documents: ports.collection(), own }
    }

    /// Notes what this process is now, and what it did since it was noted before.
    pub fn note(&self, mut replica: Replica, point: Option<Point>) {
        let mut own = self.own.seen.write().unwrap_or_else(PoisonError::into_inner);
        replica.points = own.take().map(|before| before.points).unwrap_or_default();
        replica.points.extend(point);
        let over = replica.points.len().saturating_sub(POINTS);
        replica.points.drain(..over);
        *own = Some(replica);
    }

    /// Tells the others what was noted last, until this process has left.
    ///
    /// # Errors
    /// `unavailable` when the store is away.
    pub async fn tell(&self) -> Result<()> {
        let has_left = self.own.has_left.lock().await;
        let Some(own) = self.own().filter(|_| !*has_left) else { return Ok(()) };
        let put = Collection::put(&own.name, &own, Precondition::Any)?;
        self.documents.store().commit(Batch::of([put])).await?;
        Ok(())
    }

    /// Tells the others that this process ends.
    ///
    /// # Errors
    /// `unavailable` when the store is away.
    pub async fn leave(&self) -> Result<()> {
        let mut has_left = self.own.has_left.lock().await;
        *has_left = true;
        let Some(own) = self.own() else { return Ok(()) };
        let delete = Collection::<Replica>::delete(&own.name, Precondition::Any);
        self.documents.store().commit(Batch::of([delete])).await?;
        Ok(())
    }

    /// The processes that are alive. For administrators.
    ///
    /// # Errors
    /// `unauthenticated`, `forbidden`.
    pub async fn list(&self, ctx: &Ctx) -> Result<Fleet> {
        let (replicas, complete) = self.alive(ctx).await?;
        let own = self.own().map(|own| own.name);
        let replicas = replicas.into_iter().map(|replica| {
            let answering = own.as_ref() == Some(&replica.name);
            view(replica, answering)
        });
        Ok(Fleet { replicas: replicas.collect(), complete })
    }

    /// What they did in the last minutes. For administrators.
    ///
    /// # Errors
    /// `unauthenticated`, `forbidden`.
    pub async fn overview(&self, ctx: &Ctx) -> Result<Overview> {
        let (replicas, complete) = self.alive(ctx).await?;
        Ok(merge(&replicas, complete))
    }

    async fn alive(&self, ctx: &Ctx) -> Result<(Vec<Replica>, bool)> {
        ctx.require_admin()?;
        let all = index_value::all();
        let found = self.documents.list(Order::Id, all, false, None, REPLICAS_MAX).await;
        let (mut replicas, complete) = match found {
            Ok((found, next)) => {
                (found.into_iter().map(|it| it.value).collect::<Vec<_>>(), next.is_none())
            }
            Err(error) => {
                tracing::debug!(source = %error, "the other replicas are not known");
                (Vec::new(), false)
            }
        };
        // What this process knows of itself is newer than what it has written.
        if let Some(own) = self.own() {
            replicas.retain(|replica| replica.name != own.name);
            replicas.push(own);
        }
        replicas.sort_by(|a, b| (&a.role, &a.name).cmp(&(&b.role, &b.name)));
        Ok((replicas, complete))
    }

    fn own(&self) -> Option<Replica> {
        self.own.seen.read().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

fn view(replica: Replica, answering: bool) -> ReplicaView {
    let last = replica.points.last().cloned().unwrap_or_default();
    ReplicaView {
        requests_per_s: per_second(last.requests),
        cpu: float(last.cpu_ms) / float(POINT_S * 1_000),
        memory_bytes: last.memory_bytes,
        name: replica.name,
        version: replica.version,
        role: replica.role,
        host: replica.host,
        pid: replica.pid,
        started_at: replica.started_at,
        seen_at: replica.seen_at,
        status: replica.status,
        backends: replica.backends,
        answering,
    }
}
