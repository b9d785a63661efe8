//! Creates: puts of one document each that must be absent, by far the most common batch.
//!
//! The guard of such a key (`commit.rs`) is its place in the primary key alone, so a create is a
//! plain insert. Creates without unique entries that come while others are on their way to the disk
//! go together, in one transaction: each is still created or not on its own. They insert in the
//! order of their keys, as the commit function does, so there is no deadlock.
//!
//! When a row is there already (live or expired), or a unique value is taken, nothing was changed
//! and the commit function decides and says precisely what is wrong.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::join_all;
use outrigger_kernel::Timestamp;
use outrigger_ports::gather::Gather;
use outrigger_ports::store::{Batch, Entry, Key, Precondition, StoreError, Write};
use tokio::time::Instant;
use tokio_postgres::types::ToSql;

use super::commit::send;
use super::encode::{Entries, number};
use super::error::Failure;
use super::pool::Pool;
use super::statements::Which;
use crate::fault::Fault;

/// Transactions of many creates that are under way at once: one fills while others wait for the
/// disk.
const TURNS: usize = 4;
/// Most creates in one statement.
const STATEMENT_MAX: usize = 64;
/// Most bytes of bodies in one statement, or one body that is larger.
const STATEMENT_BYTES: usize = 1024 * 1024;

/// Whether a create happened; if not, the commit function has to decide.
type Created = Result<bool, StoreError>;

/// The creates of one handle that wait to go together.
#[derive(Debug)]
pub(super) struct Creates {
    gather: Gather<(Arc<Batch>, Instant), Created>,
    /// Longest time that a create waits for its turn.
    waits: Duration,
}

impl Creates {
    /// A create waits for its turn for so long, then it is refused: a write that began long ago
    /// must not happen any more.
    pub(super) fn new(waits: Duration) -> Self {
        Self { gather: Gather::in_turns(TURNS), waits }
    }

    /// Commits the batch, if it is a create and its document is not there.
    pub(super) async fn create(
        &self,
        pool: &Pool,
        patience: Duration,
        batch: &Arc<Batch>,
    ) -> Created {
        let Some(draft) = Draft::of(batch) else { return Ok(false) };
        if draft.entries.iter().any(|entry| entry.unique) {
            return alone(pool, patience, &draft).await;
        }
        let (pool, waits) = (pool.clone(), self.waits);
        let asking = move |waiting| async move { in_time(&pool, patience, waits, waiting).await };
        let lost = || {
            let cause = Fault::cause("the process ended before the answer came");
            Err(StoreError::OutcomeUnknown(cause))
        };
        self.gather.answer((Arc::clone(batch), Instant::now()), asking).await.unwrap_or_else(lost)
    }
}

/// Creates those that have not waited for too long; the answers are in the order of the batches.
async fn in_time(
    pool: &Pool,
    patience: Duration,
    waits: Duration,
    waiting: Vec<(Arc<Batch>, Instant)>,
) -> Vec<Created> {
    let is_late = |since: &Instant| since.elapsed() > waits;
    let late: Vec<bool> = waiting.iter().map(|(_, since)| is_late(since)).collect();
    let batches = waiting.into_iter().zip(&late).filter(|(_, late)| !**late);
    let mut created =
        together(pool, patience, batches.map(|((batch, _), _)| batch).collect()).await.into_iter();
    let refused = || {
        let cause = Fault::cause(format!("a create had no turn within {waits:?}"));
        Err(StoreError::Unavailable(cause))
    };
    late.iter()
        .map(|late| if *late { refused() } else { created.next().unwrap_or(Ok(false)) })
        .collect()
}

/// The parts of a create.
#[derive(Clone, Copy, Debug)]
struct Draft<'a> {
    key: &'a Key,
    body: &'a [u8],
    entries: &'a [Entry],
    expires_at: Option<Timestamp>,
}

impl<'a> Draft<'a> {
    /// `None` when the batch is something else.
    fn of(batch: &'a Batch) -> Option<Self> {
        match &batch.writes[..] {
            [Write::Put { key, body, entries, expires_at, precondition: Precondition::Absent }] => {
                Some(Self { key, body, entries, expires_at: *expires_at })
            }
            _ => None,
        }
    }
}

/// Creates one document.
async fn alone(pool: &Pool, patience: Duration, draft: &Draft<'_>) -> Created {
    let Draft { key, body, entries, expires_at } = *draft;
    let expires_at = expires_at.map(Timestamp::as_micros);
    let mut arrays = Entries::default();
    arrays.extend(entries);
    let all: [&(dyn ToSql + Sync); 7] = [
        &expires_at,
        &key.collection,
        &key.id,
        &body,
        &arrays.names,
        &arrays.values,
        &arrays.uniques,
    ];
    let outcome = if entries.is_empty() {
        send(pool, patience, Which::Create, &all[..4]).await
    } else {
        send(pool, patience, Which::CreateWithEntries, &all).await
    };
    match outcome {
        Ok(rows) => Ok(!rows.is_empty()),
        Err(Failure::Again(_)) => Ok(false),
        Err(Failure::Stopped(error) | Failure::Final(error)) => Err(error),
    }
}

/// Creates many documents; the answers are in the order of the batches.
async fn together(pool: &Pool, patience: Duration, batches: Vec<Arc<Batch>>) -> Vec<Created> {
    let drafts: Vec<_> = batches.iter().map(|batch| Draft::of(batch)).collect();
    let mut answers: Vec<Created> = batches.iter().map(|_| Ok(false)).collect();
    if let [Some(draft)] = &drafts[..] {
        return vec![alone(pool, patience, draft).await];
    }
    let mut order: Vec<usize> = (0..drafts.len()).collect();
    order.sort_unstable_by_key(|place| drafts[*place].map(|draft| draft.key));
    // Of several with one key the first creates it, and the commit function decides on the others.
    order.dedup_by_key(|place| drafts[*place].map(|draft| draft.key));
    let mut rest = &order[..];
    while !rest.is_empty() {
        let mut bytes = 0;
        let fits = rest.iter().take(STATEMENT_MAX).take_while(|place| {
            let before = bytes;
            bytes += drafts[**place].map_or(0, |draft| draft.body.len());
            before == 0 || bytes <= STATEMENT_BYTES
        });
        let (some, others) = rest.split_at(fits.count());
        rest = others;
        let chosen: Vec<Draft<'_>> = some.iter().filter_map(|place| drafts[*place]).collect();
        match insert(pool, patience, &chosen).await {
            Ok(created) => {
                some.iter().zip(created).for_each(|(place, is)| answers[*place] = Ok(is));
            }
            // One of them waited for somebody else, or took too long: no reason for the others to
            // fail, so each goes alone.
            Err(Failure::Stopped(_)) if chosen.len() > 1 => {
                let each = chosen.iter().map(|draft| alone(pool, patience, draft));
                let each = join_all(each).await;
                some.iter().zip(each).for_each(|(place, created)| answers[*place] = created);
            }
            Err(Failure::Again(error) | Failure::Stopped(error) | Failure::Final(error)) => {
                for place in some {
                    answers[*place] = Err(error.repeated());
                }
            }
        }
    }
    answers
}

/// Inserts documents with different keys, in the order of the keys; says of each whether it was
/// not there.
async fn insert(
    pool: &Pool,
    patience: Duration,
    drafts: &[Draft<'_>],
) -> Result<Vec<bool>, Failure> {
    let (mut first, mut last, mut owners) = (Vec::new(), Vec::new(), Vec::new());
    let mut entries = Entries::default();
    for (place, draft) in drafts.iter().enumerate() {
        first.push(number(entries.names.len() + 1));
        entries.extend(draft.entries);
        last.push(number(entries.names.len()));
        owners.resize(entries.names.len(), number(place + 1));
    }
    let expiries: Vec<_> = drafts.iter().map(|d| d.expires_at.map(Timestamp::as_micros)).collect();
    let collections: Vec<&str> = drafts.iter().map(|draft| draft.key.collection.as_str()).collect();
    let ids: Vec<&str> = drafts.iter().map(|draft| draft.key.id.as_str()).collect();
    let bodies: Vec<&[u8]> = drafts.iter().map(|draft| draft.body).collect();
    let params: [&(dyn ToSql + Sync); 10] = [
        &expiries,
        &collections,
        &ids,
        &bodies,
        &first,
        &last,
        &owners,
        &entries.names,
        &entries.values,
        &entries.uniques,
    ];
    match send(pool, patience, Which::CreateMany, &params).await {
        Ok(rows) if rows.len() == drafts.len() => Ok(vec![true; drafts.len()]),
        Ok(rows) => {
            let keys = rows.iter().map(|row| Some((row.try_get(0).ok()?, row.try_get(1).ok()?)));
            let created: HashSet<(&str, &str)> = keys.flatten().collect();
            let is_created = |draft: &Draft<'_>| {
                created.contains(&(draft.key.collection.as_str(), draft.key.id.as_str()))
            };
            Ok(drafts.iter().map(is_created).collect())
        }
        Err(Failure::Again(_)) => Ok(vec![false; drafts.len()]),
        Err(failure) => Err(failure),
    }
}
