//! What is answered.

use outrigger_kernel::{PageRequest, limits};

use super::*;

fn at(time: &str) -> Timestamp {
    Timestamp::parse(time).unwrap()
}

/// The clock stands at 2027-01-15T08:00:00Z.
async fn with_events(times: &[&str]) -> Bench {
    let bench = bench(Settings::default());
    let events = times.iter().enumerate();
    let events = events.map(|(n, time)| NewEvent {
        time: Some(at(time)),
        ..event(format!("e{n}"), "opened", &[])
    });
    bench.send(events.collect()).await.unwrap();
    bench.count().await;
    bench
}

fn counts(answer: &Answer) -> Vec<(&str, u64)> {
    answer.intervals.iter().map(|one| (one.local.as_str(), one.count)).collect()
}

#[tokio::test]
async fn hours_and_days_are_those_of_the_time_zone() {
    let bench = with_events(&[
        "2027-01-13T18:29:59.999999Z",
        "2027-01-13T18:30:00Z",
        "2027-01-14T18:29:59Z",
        "2027-01-14T18:30:00Z",
        "2027-01-14T19:29:59Z",
        "2027-01-14T19:30:00Z",
    ])
    .await;
    let asked = Question {
        time_zone: Some("Asia/Kolkata".to_owned()),
        from: Some("2027-01-13".to_owned()),
        to: Some("2027-01-16".to_owned()),
        ..question("opened")
    };
    let days = bench.ask(Question { interval: Interval::Day, ..asked.clone() }).await;
    let expected = [
        ("2027-01-13T00:00:00+05:30", 1),
        ("2027-01-14T00:00:00+05:30", 2),
        ("2027-01-15T00:00:00+05:30", 3),
    ];
    assert_eq!(counts(&days), expected);
    assert_eq!((days.total, days.time_zone.as_str()), (6, "Asia/Kolkata"));
    assert_eq!(days.intervals[0].start, at("2027-01-12T18:30:00Z"));
    let from = Some("2027-01-14T18:45:00Z".to_owned());
    let hours = Question { from, to: Some("2027-01-15T01:00:01+05:30".to_owned()), ..asked };
    let hours = bench.ask(hours).await;
    let expected = [("2027-01-15T00:00:00+05:30", 2), ("2027-01-15T01:00:00+05:30", 1)];
    assert_eq!(counts(&hours), expected);
    let utc = bench.ask(Question { interval: Interval::Day, ..question("opened") }).await;
    assert_eq!((utc.total, utc.intervals.len()), (6, 31));
}

#[tokio::test]
async fn groups_are_by_value_and_the_rest_is_named() {
    let bench = bench(Settings::default());
    let mut events: Vec<_> =
        (0..3).map(|n| event(format!("p{n}"), "opened", &[("plan", "pro")])).collect();
    events.push(event("f", "opened", &[("plan", "free"), ("page", "1")]));
    events.push(event("n", "opened", &[]));
    let number = PropertyValue::Number(7.into());
    let typed = [("plan".to_owned(), number), ("new".to_owned(), PropertyValue::Flag(true))];
    events.push(NewEvent { properties: typed.into(), ..event("t", "opened", &[]) });
    bench.send(events).await.unwrap();
    bench.count().await;
    let expect = |pairs: &[(&str, u64)]| {
        pairs.iter().map(|(value, n)| ((*value).to_owned(), *n)).collect::<BTreeMap<_, _>>()
    };
    let plans = expect(&[("pro", 3), ("free", 1), ("7", 1), ("(none)", 1)]);
    assert_eq!(bench.groups("opened", "plan").await, plans);
    assert_eq!(bench.groups("opened", "new").await, expect(&[("true", 1), ("(none)", 5)]));
    assert_eq!(bench.groups("opened", "nothing").await, expect(&[("(none)", 6)]));
    assert_eq!(bench.groups("closed", "plan").await, expect(&[]));
    let asked = Question { group_by: Some("plan".to_owned()), ..question("opened") };
    assert_eq!(bench.ask(asked).await.groups.unwrap()[0].value.as_deref(), Some("pro"));
}

#[tokio::test]
async fn what_has_too_many_values_names_or_properties_is_counted_together() {
    let bench = bench(Settings::default());
    let over = limits::EVENT_VALUES_MAX + 7;
    for n in 0..over {
        // Each value once, and the first one once more.
        let id = |twin: u8| format!("v{n}-{twin}");
        let value = format!("{n:04}");
        let mut events = vec![event(id(0), "opened", &[("user", &value)])];
        events.extend((n == 0).then(|| event(id(1), "opened", &[("user", &value)])));
        bench.send(events).await.unwrap();
        bench.count().await;
    }
    let groups = bench.groups("opened", "user").await;
    assert_eq!(groups.len(), limits::EVENT_VALUES_MAX + 1);
    assert_eq!((groups["(other)"], groups["0000"]), (7, 2));

    let names: Vec<_> = (0..limits::EVENT_NAMES_MAX + 5).map(|n| format!("n{n:04}")).collect();
    for names in names.chunks(limits::EVENTS_MAX) {
        bench.send(names.iter().map(|n| event(n.clone(), n, &[])).collect()).await.unwrap();
    }
    bench.count().await;
    // "opened" has one place.
    assert_eq!(bench.total("(other)").await, 6);
    assert_eq!((bench.total("n0000").await, bench.total("n1004").await), (1, 0));

    let properties: Vec<_> = (0..10).map(|n| format!("p{n}")).collect();
    for property in &properties {
        bench.send(vec![event(property, "opened", &[(property, "x")])]).await.unwrap();
        bench.count().await;
    }
    let total = bench.total("opened").await;
    assert_eq!(bench.groups("opened", "p6").await["x"], 1);
    // Which of them had it is not known.
    assert_eq!(bench.groups("opened", "p9").await, [("(other)".to_owned(), total)].into());
}

#[tokio::test]
async fn an_answer_says_up_to_when_it_is_complete() {
    let bench = bench(Settings::default());
    assert_eq!(bench.ask(question("opened")).await.counted_until, bench.now());
    let sent = bench.now();
    bench.send(vec![event("a", "opened", &[])]).await.unwrap();
    bench.world.clock.advance(HOUR);
    let waiting = bench.ask(question("opened")).await;
    assert_eq!((waiting.total, waiting.counted_until), (0, sent));
    bench.count().await;
    let counted = bench.ask(question("opened")).await;
    assert_eq!((counted.total, counted.counted_until), (1, bench.now()));
}

#[tokio::test]
async fn what_cannot_be_asked_is_refused_with_its_place() {
    let bench = bench(Settings::default());
    let asked = || question("opened");
    let text = |text: &str| Some(text.to_owned());
    for (wrong, place) in [
        (question("a b"), "event"),
        (Question { group_by: text(""), ..asked() }, "group_by"),
        (Question { time_zone: text("Mars/Olympus"), ..asked() }, "time_zone"),
        (Question { from: text("yesterday"), ..asked() }, "from"),
        (Question { to: text("2027-02-30"), ..asked() }, "to"),
        (Question { to: text("2027-01-10"), from: text("2027-01-10"), ..asked() }, "to"),
        (Question { from: text("2020-01-10"), ..asked() }, "from"),
        (Question { from: text("-009999-01-01T00:00:00Z"), ..asked() }, "from"),
    ] {
        let refused = bench.analytics.query(&bench.admin, wrong).await.unwrap_err();
        assert_eq!(refused.fields()[0].loc, ["query", place]);
    }
}

#[tokio::test]
async fn names_are_listed_page_by_page() {
    let bench = bench(Settings::default());
    let events = ["b", "a", "c"].map(|name| event(name, name, &[("plan", "pro")]));
    bench.send(events.to_vec()).await.unwrap();
    bench.count().await;
    let mut page = PageRequest { limit: 2, cursor: None };
    let first = bench.analytics.list(&bench.admin, &page).await.unwrap();
    page.cursor = first.next_cursor;
    let second = bench.analytics.list(&bench.admin, &page).await.unwrap();
    let names: Vec<_> = first.items.iter().chain(&second.items).map(|item| &*item.name).collect();
    assert_eq!(names, ["a", "b", "c"]);
    assert_eq!(first.items[0].properties, ["plan"]);
    assert_eq!(first.items[0].last_day, "2027-01-15");
    assert!(bench.analytics.list(&bench.ann, &page).await.is_err());
}
