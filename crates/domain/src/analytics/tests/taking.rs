//! What is taken and what is refused.

use std::time::Duration;

use outrigger_kernel::{ErrorKind, Role, Timestamp, limits};
use outrigger_ports::collection::Collection;

use super::*;
use crate::analytics::model::{Chunk, Known};
use crate::audit::testing::anonymous_ctx;
use crate::rule::Rule;

#[tokio::test]
async fn an_event_counts_once_however_often_it_is_sent() {
    let bench = bench(Settings::default());
    let batch = || -> Vec<_> { (0..45).map(|n| event(format!("e{n}"), "opened", &[])).collect() };
    let taken = bench.send(batch()).await.unwrap();
    assert_eq!(taken, Taken { accepted: 45, duplicates: 0 });
    let mut again = batch();
    again.insert(20, event("e45", "opened", &[]));
    again.push(event("e45", "closed", &[]));
    assert_eq!(bench.send(again).await.unwrap(), Taken { accepted: 1, duplicates: 46 });
    bench.count().await;
    bench.send(batch()).await.unwrap();
    bench.count().await;
    assert_eq!((bench.total("opened").await, bench.total("closed").await), (46, 0));
}

#[tokio::test]
async fn an_id_is_known_until_its_event_would_be_refused_as_too_old() {
    let bench = bench(Settings::default());
    let late = Settings::default().late;
    let timed = NewEvent { time: Some(bench.now()), ..event("a", "opened", &[]) };
    bench.send(vec![timed.clone()]).await.unwrap();
    bench.world.clock.advance(late);
    assert_eq!(bench.send(vec![timed.clone()]).await.unwrap().duplicates, 1);
    bench.world.clock.advance(Duration::from_secs(1));
    let refused = bench.send(vec![timed]).await.unwrap_err();
    assert_eq!(refused.fields()[0].code, "too_old");
    // Without a time it cannot be known after so long.
    bench.world.clock.advance(HOUR);
    assert_eq!(bench.send(vec![event("a", "opened", &[])]).await.unwrap().accepted, 1);
}

#[tokio::test]
async fn what_is_wrong_is_named_with_its_place_and_nothing_is_taken() {
    let bench = bench(Settings::default());
    let good = || event("a", "opened", &[]);
    let at = |time: Timestamp| NewEvent { time: Some(time), ..good() };
    let many: Vec<_> = (0..9).map(|n| format!("p{n}")).collect();
    let many: Vec<_> = many.iter().map(|name| (name.as_str(), "x")).collect();
    for (wrong, place, code) in [
        (event("", "opened", &[]), "1.id", "pattern"),
        (event("a b", "opened", &[]), "1.id", "pattern"),
        (event("x".repeat(65), "opened", &[]), "1.id", "pattern"),
        (event("b", "(other)", &[]), "1.name", "pattern"),
        (event("b", "opened", &[("a/b", "x")]), "1.properties.a/b", "pattern"),
        (event("b", "opened", &[("p", &"x".repeat(101))]), "1.properties.p", "maxLength"),
        (event("b", "opened", &many), "1.properties", "maxProperties"),
        (at(bench.now().minus(49 * HOUR)), "1.time", "too_old"),
        (at(bench.now().plus(Duration::from_secs(301))), "1.time", "in_future"),
    ] {
        let refused = bench.send(vec![good(), wrong]).await.unwrap_err();
        let fault = &refused.fields()[0];
        assert_eq!(refused.kind(), ErrorKind::Invalid);
        assert_eq!(fault.loc.join("."), format!("body.events.{place}"));
        assert_eq!(fault.code, code, "{place}");
    }
    for wrong in [0, limits::EVENTS_MAX + 1] {
        let events = (0..wrong).map(|n| event(format!("e{n}"), "opened", &[])).collect();
        assert_eq!(bench.send(events).await.unwrap_err().fields()[0].loc, ["body", "events"]);
    }
    assert!(bench.analytics.oldest(1).await.unwrap().is_empty());
    let ends = [
        at(bench.now().minus(48 * HOUR)),
        NewEvent { id: "b".into(), ..at(bench.now().plus(HOUR / 12)) },
    ];
    assert_eq!(bench.send(ends.to_vec()).await.unwrap().accepted, 2);
}

#[tokio::test]
async fn the_setting_says_who_may_send_and_administrators_ask() {
    let send = async |ingest: Rule, ctx: &Ctx| {
        let analytics = bench(Settings { ingest, ..Settings::default() }).analytics;
        let events = vec![event("a", "opened", &[])];
        let sent = analytics.ingest(ctx, NewEvents { events }, None).await;
        sent.map(|taken| taken.accepted).map_err(|error| error.kind())
    };
    let nobody = anonymous_ctx("198.51.100.1");
    let user = user_ctx("usr_bob", "ses_1", &Role::user());
    let device = user_ctx("usr_box", "ses_1", &Role::new("device"));
    assert_eq!(send(Rule::User, &nobody).await, Err(ErrorKind::Unauthenticated));
    assert_eq!(send(Rule::Public, &nobody).await, Ok(1));
    assert_eq!(send(Rule::User, &user).await, Ok(1));
    assert_eq!(send(Rule::Role("device".to_owned()), &user).await, Err(ErrorKind::Forbidden));
    assert_eq!(send(Rule::Role("device".to_owned()), &device).await, Ok(1));
    assert_eq!(send(Rule::Admin, &device).await, Err(ErrorKind::Forbidden));
    let bench = bench(Settings::default());
    let refused = bench.analytics.query(&bench.ann, question("opened")).await.unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::Forbidden);
}

#[tokio::test]
async fn a_repeated_request_with_a_key_gets_the_first_answer() {
    let bench = bench(Settings::default());
    let send = async |id: &str| {
        let events = vec![event(id, "opened", &[])];
        bench.analytics.ingest(&bench.ann, NewEvents { events }, Some("key")).await
    };
    let first = send("a").await.unwrap();
    assert_eq!(first, Taken { accepted: 1, duplicates: 0 });
    assert_eq!(send("a").await.unwrap(), first);
    assert_eq!(send("b").await.unwrap_err().fields()[0].code, "key_reused");
    bench.count().await;
    assert_eq!(bench.total("opened").await, 1);
}

#[tokio::test]
async fn ids_and_counts_are_gone_in_the_end() {
    let settings = Settings { retention: 24 * HOUR, late: HOUR, ..Settings::default() };
    let bench = bench(settings);
    bench.send(vec![event("a", "opened", &[("plan", "pro")])]).await.unwrap();
    bench.count().await;
    assert_eq!(bench.total("opened").await, 1);
    let known = async || bench.world.ports.store.get(&Collection::<Known>::key("a")).await.unwrap();
    assert!(known().await.is_some());
    bench.world.clock.advance(2 * HOUR);
    assert!(known().await.is_none());
    bench.world.clock.advance(46 * HOUR);
    let last = Question { interval: Interval::Day, ..question("opened") };
    assert_eq!(bench.ask(last).await.total, 0);
    let left = bench.world.ports.store.scan(None, 100).await.unwrap();
    let left: Vec<_> = left.iter().map(|found| &*found.document.key.collection).collect();
    assert_eq!(left, ["sys.event_journal"]);
}

#[test]
fn the_largest_chunk_fits_into_a_document() {
    let bench = bench(Settings::default());
    let word = |n: usize| format!("{n:_>64}");
    let value = PropertyValue::Text("\u{1}".repeat(limits::EVENT_VALUE_BYTES_MAX));
    let properties = (0..limits::EVENT_PROPERTIES_MAX).map(|n| (word(n), value.clone()));
    let largest = NewEvent { properties: properties.collect(), ..event("a", &word(0), &[]) };
    let new = NewEvents { events: vec![largest; limits::BATCH_MAX - 1] };
    let events = crate::analytics::check::events(new, bench.now(), HOUR).unwrap();
    let events = events.into_iter().map(|event| event.waiting).collect();
    let body = serde_json::to_vec(&Chunk { taken_at: bench.now(), events }).unwrap();
    assert!(body.len() < limits::DOCUMENT_BYTES_MAX, "{}", body.len());
}
