//! Random histories on the model and on the store under test: every answer and every read agree.

use std::ops::Bound;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use bytes::Bytes;
use outrigger_kernel::{Clock, ManualClock};
use outrigger_ports::index_value;
use outrigger_ports::store::{
    Batch, Document, Entry, Found, Key, Order, Precondition, Query, Store, StoreError, Write,
};
use proptest::prelude::*;
use proptest::test_runner::{Config, RngSeed, TestCaseError, TestRunner};

use super::StoreFactory;

const IDS: [&str; 5] = ["a", "B", "a-b", "a.b", "a_b"];
const VALUES: [&str; 6] = ["", "\0", "x", "x\0", "xy", "é"];
const ORDERS: [Order<'static>; 5] =
    [Order::Id, Order::Index("p"), Order::Index("q"), Order::Unique("u"), Order::Unique("v")];

/// One step of a history. Documents and values are places in the lists above.
#[derive(Clone, Debug)]
enum Step {
    Commit(Vec<Change>),
    Query(Asked),
    Scan(usize),
    Purge(usize),
    Advance(u64),
}

#[derive(Clone, Debug)]
struct Change {
    id: usize,
    second: bool,
    precondition: Precondition,
    kind: Kind,
}

#[derive(Clone, Debug)]
enum Kind {
    Put { body: u8, entries: Vec<(u8, usize)>, lives_s: Option<u64> },
    Restore { version: u64, entries: Vec<(u8, usize)>, lives_s: Option<u64> },
    Reindex { entries: Vec<(u8, usize)> },
    Delete,
    Check,
}

#[derive(Clone, Debug)]
struct Asked {
    order: usize,
    from: Bound<usize>,
    to: Bound<usize>,
    after: Option<(usize, usize)>,
    descending: bool,
    limit: usize,
}

/// Compares so many random histories on the store under test with the same on `model`.
pub fn random_histories_agree_with_the_model(
    factory: &dyn StoreFactory,
    model: impl Fn(Arc<dyn Clock>) -> Arc<dyn Store>,
    histories: u32,
) {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .expect("a runtime starts");
    let clock = Arc::new(ManualClock::at(super::START));
    let opened = runtime.block_on(factory.open(clock.clone()));
    let pair = Pair { clock: clock.clone(), model: model(clock), real: opened.handles[0].clone() };
    let case = AtomicUsize::new(0);
    let config = Config {
        cases: histories,
        failure_persistence: None,
        rng_seed: seed(),
        ..Config::default()
    };
    let result = TestRunner::new(config).run(&prop::collection::vec(step(), 1..24), |history| {
        // All cases share both stores; each has collections of its own.
        let case = case.fetch_add(1, Ordering::Relaxed);
        runtime.block_on(pair.play(case, &history))
    });
    runtime.shutdown_timeout(Duration::from_secs(5));
    drop(opened);
    if let Err(difference) = result {
        panic!("{difference}");
    }
}

struct Pair {
    clock: Arc<ManualClock>,
    model: Arc<dyn Store>,
    real: Arc<dyn Store>,
}

impl Pair {
    async fn play(&self, case: usize, history: &[Step]) -> Result<(), TestCaseError> {
        let collections = [format!("case{case:05}.a"), format!("case{case:05}.ab")];
        for (number, step) in history.iter().enumerate() {
            let at = format!("step {number}, {step:?}");
            match step {
                Step::Commit(changes) => {
                    let batch = self.batch(&collections, changes);
                    let expected = answer(self.model.commit(batch.clone()).await);
                    let got = answer(self.real.commit(batch).await);
                    prop_assert_eq!(got, expected, "{}", at);
                    self.compare_reads(&collections, &at).await?;
                }
                Step::Query(asked) => {
                    for collection in &collections {
                        self.compare_query(&asked.query(collection), &at).await?;
                    }
                }
                Step::Scan(limit) => self.compare_scan(&collections[0], *limit, &at).await?,
                Step::Purge(limit) => {
                    let purged = self.real.purge_expired(*limit).await;
                    prop_assert!(matches!(purged, Ok(n) if n <= *limit), "{}: {:?}", at, purged);
                    self.compare_reads(&collections, &at).await?;
                }
                Step::Advance(seconds) => {
                    self.clock.advance(Duration::from_secs(*seconds));
                    self.compare_reads(&collections, &at).await?;
                }
            }
        }
        Ok(())
    }

    /// Every document and every order of both collections.
    async fn compare_reads(
        &self,
        collections: &[String; 2],
        at: &str,
    ) -> Result<(), TestCaseError> {
        for collection in collections {
            let keys: Vec<Key> = IDS.iter().map(|id| Key::new(collection, *id)).collect();
            let expected = answer(self.model.get_many(&keys).await);
            prop_assert_eq!(answer(self.real.get_many(&keys).await), expected, "{}", at);
            for order in ORDERS {
                let query = Query {
                    collection,
                    order,
                    range: index_value::all(),
                    descending: false,
                    after: None,
                    limit: 100,
                    may_lag: false,
                };
                self.compare_query(&query, at).await?;
            }
        }
        let key = Key::new(&collections[0], IDS[0]);
        let expected = answer(self.model.get(&key).await);
        prop_assert_eq!(answer(self.real.get(&key).await), expected, "{}", at);
        Ok(())
    }

    async fn compare_query(&self, query: &Query<'_>, at: &str) -> Result<(), TestCaseError> {
        let expected = answer(self.model.query(query).await);
        let got = answer(self.real.query(query).await);
        prop_assert_eq!(&got, &expected, "{}, {:?}", at, query);
        // The same from the middle on, as the next page would be.
        let middle = expected.ok().and_then(|found: Vec<Found>| {
            found.get(found.len() / 2).map(|found| found.position.clone())
        });
        if middle.is_some() && query.after.is_none() {
            let next = Query { after: middle, descending: !query.descending, ..query.clone() };
            let expected = answer(self.model.query(&next).await);
            prop_assert_eq!(answer(self.real.query(&next).await), expected, "{}, {:?}", at, next);
        }
        Ok(())
    }

    async fn compare_scan(&self, from: &str, limit: usize, at: &str) -> Result<(), TestCaseError> {
        let after = Key::new(from, "");
        let expected = answer(self.model.scan(Some(&after), limit).await);
        prop_assert_eq!(answer(self.real.scan(Some(&after), limit).await), expected, "{}", at);
        Ok(())
    }

    fn batch(&self, collections: &[String; 2], changes: &[Change]) -> Batch {
        let now = self.clock.now();
        Batch::of(changes.iter().map(|change| {
            let key = Key::new(&collections[usize::from(change.second)], IDS[change.id]);
            let precondition = change.precondition;
            match &change.kind {
                Kind::Put { body, entries, lives_s } => Write::Put {
                    key,
                    body: Bytes::from(body.to_string()),
                    entries: entries_of(entries),
                    expires_at: lives_s.map(|secs| now.plus(Duration::from_secs(secs))),
                    precondition,
                },
                Kind::Restore { version, entries, lives_s } => {
                    let document = Document {
                        key,
                        version: *version,
                        body: Bytes::from_static(b"[]"),
                        expires_at: lives_s.map(|secs| now.plus(Duration::from_secs(secs))),
                    };
                    Write::Restore { document, entries: entries_of(entries), precondition }
                }
                Kind::Reindex { entries } => {
                    Write::Reindex { key, entries: entries_of(entries), precondition }
                }
                Kind::Delete => Write::Delete { key, precondition },
                Kind::Check => Write::Check { key, precondition },
            }
        }))
    }
}

impl Asked {
    fn query<'a>(&self, collection: &'a str) -> Query<'a> {
        let order = ORDERS[self.order];
        let encode = |place: usize| match order {
            Order::Id => IDS[place % IDS.len()].as_bytes().to_vec(),
            Order::Index(_) | Order::Unique(_) => index_value::of_str(VALUES[place]),
        };
        let after = self.after.map(|(value, id)| outrigger_ports::store::Position {
            value: if order == Order::Id { Vec::new() } else { encode(value) },
            id: IDS[id].to_owned(),
        });
        Query {
            collection,
            order,
            range: (self.from.map(encode), self.to.map(encode)),
            descending: self.descending,
            after,
            limit: self.limit,
            may_lag: false,
        }
    }
}

/// What can be compared of an answer: not the words of an error.
#[derive(Debug, PartialEq)]
enum Refusal {
    Precondition(usize, Option<u64>),
    Unique(usize, String),
    Bound(usize),
    /// Never right here: not equal to itself.
    Other(Unequal),
}

struct Unequal(String);

impl PartialEq for Unequal {
    fn eq(&self, _: &Self) -> bool {
        false
    }
}

impl std::fmt::Debug for Unequal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

fn answer<T>(result: Result<T, StoreError>) -> Result<T, Refusal> {
    result.map_err(|error| match error {
        StoreError::Precondition { write, found } => Refusal::Precondition(write, found),
        StoreError::Unique { write, index } => Refusal::Unique(write, index),
        StoreError::Bound { write, .. } => Refusal::Bound(write),
        other => Refusal::Other(Unequal(format!("{other:?}"))),
    })
}

/// Entries 0 and 1 are plain, 2 and 3 unique.
fn entries_of(entries: &[(u8, usize)]) -> Vec<Entry> {
    entries
        .iter()
        .map(|&(which, value)| Entry {
            index: ["p", "q", "u", "v"][usize::from(which)].to_owned(),
            value: index_value::of_str(VALUES[value]),
            unique: which >= 2,
        })
        .collect()
}

fn step() -> impl Strategy<Value = Step> {
    let bound = || {
        prop_oneof![
            2 => Just(Bound::Unbounded),
            1 => (0..VALUES.len()).prop_map(Bound::Included),
            1 => (0..VALUES.len()).prop_map(Bound::Excluded),
        ]
    };
    let after = prop::option::of((0..VALUES.len(), 0..IDS.len()));
    let asked = (0..ORDERS.len(), bound(), bound(), after, any::<bool>(), 1_usize..6).prop_map(
        |(order, from, to, after, descending, limit)| {
            Step::Query(Asked { order, from, to, after, descending, limit })
        },
    );
    prop_oneof![
        8 => prop::collection::vec(change(), 0..6).prop_map(Step::Commit),
        3 => asked,
        1 => (1_usize..8).prop_map(Step::Scan),
        1 => (0_usize..6).prop_map(Step::Purge),
        2 => (0_u64..8).prop_map(Step::Advance),
    ]
}

fn change() -> impl Strategy<Value = Change> {
    let precondition = prop_oneof![
        // One that fails ends the whole batch, so most do not.
        16 => Just(Precondition::Any),
        1 => Just(Precondition::Absent),
        1 => Just(Precondition::Exists),
        2 => (0_u64..4).prop_map(Precondition::Version),
    ];
    let entries = || {
        // Few values for unique entries, so that documents want the same.
        let plains = prop::collection::btree_map(0_u8..2, 0..VALUES.len(), 0..3);
        let uniques = prop::collection::btree_map(2_u8..4, 1_usize..4, 0..3);
        (plains, uniques)
            .prop_map(|(plains, uniques)| plains.into_iter().chain(uniques))
            .prop_map(std::iter::Iterator::collect::<Vec<_>>)
    };
    let lives_s = prop::option::weighted(0.5, 0_u64..10);
    let kind = prop_oneof![
        6 => (any::<u8>(), entries(), lives_s)
            .prop_map(|(body, entries, lives_s)| Kind::Put { body, entries, lives_s }),
        2 => (1_u64..6, entries(), prop::option::weighted(0.5, 0_u64..10))
            .prop_map(|(version, entries, lives_s)| Kind::Restore { version, entries, lives_s }),
        2 => entries().prop_map(|entries| Kind::Reindex { entries }),
        2 => Just(Kind::Delete),
        1 => Just(Kind::Check),
    ];
    (0..IDS.len(), prop::bool::weighted(0.25), precondition, kind)
        .prop_map(|(id, second, precondition, kind)| Change { id, second, precondition, kind })
}

/// The same histories in every run, so that a change is what makes a test fail; others with
/// `OUTRIGGER_TEST_RANDOM=1`, to look for more.
fn seed() -> RngSeed {
    match std::env::var_os("OUTRIGGER_TEST_RANDOM") {
        Some(_) => RngSeed::Random,
        None => RngSeed::Fixed(20_261_121),
    }
}
