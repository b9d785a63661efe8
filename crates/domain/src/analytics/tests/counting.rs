//! Random events, sent again and again in any order, by several at once, and counted by several at
//! once, while the store fails and processes die: in the end each event counts once.

use std::collections::BTreeMap;
use std::sync::Arc;

use outrigger_kernel::{Random, SystemRandom};

use super::faulty::{Dice, FaultyStore};
use super::*;
use crate::analytics::model::{JOURNAL_ID, Journal};
use crate::ports::Ports;

const HISTORIES: u64 = 60;
const SENDERS: u64 = 3;
const REQUESTS: u64 = 6;
const IDS: u64 = 120;
/// The counters that work at the same time, each beside the others.
const COUNTERS: u64 = 2;

/// Histories that are the same in every run, and others when that is asked for.
fn seeds() -> impl Iterator<Item = u64> {
    let mut offset = [0_u8; 8];
    if std::env::var_os("OUTRIGGER_TEST_RANDOM").is_some() {
        SystemRandom.fill(&mut offset);
    }
    let offset = u64::from_le_bytes(offset);
    (0..HISTORIES).map(move |seed| seed.wrapping_add(offset))
}

/// The event with this number: always the same one.
fn the_event(number: u64, now: Timestamp) -> NewEvent {
    let mut dice = Dice::new(number);
    let name = format!("name{}", dice.below(3));
    let plan = ["free", "pro", "team"][usize::try_from(dice.below(3)).unwrap()];
    let properties: &[(&str, &str)] = if dice.below(4) == 0 { &[] } else { &[("plan", plan)] };
    let time = now.minus(Duration::from_secs(dice.below(40 * 3_600)));
    NewEvent { time: Some(time), ..event(format!("e{number}"), &name, properties) }
}

fn service(bench: &Bench, seed: u64) -> Analytics {
    let store = FaultyStore::new(bench.world.ports.store.clone(), seed, 12);
    let ports = Ports { store: Arc::new(store), ..bench.world.ports.clone() };
    Analytics::new(&ports, Settings::default())
}

/// Sends some events, each request until it is answered; tells which.
async fn send(analytics: Analytics, ctx: Ctx, now: Timestamp, seed: u64) -> Vec<u64> {
    let (mut dice, mut sent) = (Dice::new(seed), Vec::new());
    for _ in 0..REQUESTS {
        let numbers: Vec<u64> = (0..=dice.below(45)).map(|_| dice.below(IDS)).collect();
        let events: Vec<_> = numbers.iter().map(|number| the_event(*number, now)).collect();
        while let Err(error) =
            analytics.ingest(&ctx, NewEvents { events: events.clone() }, None).await
        {
            assert!(error.fields().is_empty(), "{error}");
        }
        sent.extend(numbers);
    }
    sent
}

/// Counts for a while; a failed round is where a process has died, and another goes on.
async fn count(analytics: Analytics, name: String) {
    let mut counter = analytics.counter(&name);
    for life in 0..25 {
        if counter.round().await.is_err() {
            counter = analytics.counter(&format!("{name}-{life}"));
        }
        // Nobody waits for the others: this is not what makes the counts right.
        analytics.journal_is_free().await;
        tokio::task::yield_now().await;
    }
}

impl Analytics {
    /// Lets everybody count at once.
    async fn journal_is_free(&self) {
        let free = |journal: &mut Journal| {
            journal.until = Timestamp::default();
            Ok(())
        };
        let _ = self.journal.update(JOURNAL_ID, free).await;
    }
}

async fn history(seed: u64) {
    let bench = bench(Settings::default());
    let now = bench.now();
    let senders = (0..SENDERS).map(|sender| {
        let analytics = service(&bench, seed.wrapping_mul(31).wrapping_add(sender));
        tokio::spawn(send(analytics, bench.ann.clone(), now, seed ^ sender))
    });
    let senders: Vec<_> = senders.collect();
    let counters = (0..COUNTERS).map(|counter| {
        let analytics = service(&bench, seed.wrapping_mul(37).wrapping_add(counter));
        tokio::spawn(count(analytics, format!("counter{counter}")))
    });
    let counters: Vec<_> = counters.collect();
    let mut sent = Vec::new();
    for sender in senders {
        sent.extend(sender.await.unwrap());
    }
    for counter in counters {
        counter.await.unwrap();
    }
    bench.world.clock.advance(Duration::from_secs(60));
    bench.count().await;
    assert!(bench.analytics.oldest(1).await.unwrap().is_empty());
    compare(&bench, sent, now, seed).await;
}

/// Compares what is answered with what was sent, each number once.
async fn compare(bench: &Bench, mut sent: Vec<u64>, now: Timestamp, seed: u64) {
    sent.sort_unstable();
    sent.dedup();
    let mut hours: BTreeMap<(String, i64), u64> = BTreeMap::new();
    let mut plans: BTreeMap<String, BTreeMap<String, u64>> = BTreeMap::new();
    for number in sent {
        let event = the_event(number, now);
        let hour = event.time.unwrap().as_secs().div_euclid(3_600);
        *hours.entry((event.name.clone(), hour)).or_default() += 1;
        let plan = match event.properties.get("plan") {
            Some(PropertyValue::Text(plan)) => plan.clone(),
            _ => "(none)".to_owned(),
        };
        *plans.entry(event.name).or_default().entry(plan).or_default() += 1;
    }
    let mut answered = BTreeMap::new();
    for name in plans.keys() {
        let from = Some(now.minus(50 * HOUR).to_string());
        let asked = Question { from, group_by: Some("plan".to_owned()), ..question(name) };
        let answer = bench.ask(asked).await;
        for one in answer.intervals.iter().filter(|one| one.count > 0) {
            answered.insert((name.clone(), one.start.as_secs() / 3_600), one.count);
        }
        let groups = answer.groups.unwrap().into_iter();
        let groups: BTreeMap<_, _> =
            groups.map(|g| (g.value.unwrap_or_else(|| "(none)".to_owned()), g.total)).collect();
        assert_eq!(groups, plans[name], "history {seed}");
    }
    assert_eq!(answered, hours, "history {seed}");
}

#[tokio::test]
async fn each_event_counts_once_whoever_dies_when() {
    for seed in seeds() {
        history(seed).await;
    }
}

#[tokio::test]
async fn one_process_counts_while_it_is_alive_and_another_goes_on_when_it_is_not() {
    let bench = bench(Settings::default());
    bench.send(vec![event("a", "opened", &[])]).await.unwrap();
    let [mut one, mut two] = ["one", "two"].map(|name| bench.analytics.counter(name));
    while one.round().await.unwrap() {}
    bench.send(vec![event("b", "opened", &[])]).await.unwrap();
    assert!(!two.round().await.unwrap());
    assert_eq!(bench.total("opened").await, 1);
    bench.world.clock.advance(Duration::from_secs(16));
    while two.round().await.unwrap() {}
    assert_eq!(bench.total("opened").await, 2);
}
