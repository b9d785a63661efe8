//! Analytics: events are taken and counted once, whoever sends them how often and whoever is killed when.

use std::collections::BTreeSet;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use outrigger_kernel::{Clock, SystemClock, Timestamp};
use outrigger_testkit::{Postgres, PostgresOptions, eventually, wait_until};
use serde_json::{Value, json};

use crate::outages::metric;
use crate::support::{Api, Backend, Server, ServerOptions, on_each_backend, on_sqlite, unique};

const EVENTS: &str = "/api/v1/analytics/events";
const PATIENCE: Duration = Duration::from_secs(120);

/// The answer to this question, once all that has been acknowledged until now is counted.
fn counted(admin: &Api, query: &str) -> Value {
    let now = SystemClock.now().to_string();
    let ask = || {
        let answer = admin.get(&format!("/api/v1/analytics/query?{query}")).expect(200).json();
        match answer["counted_until"].as_str() {
            Some(until) if until >= now.as_str() => Ok(answer),
            until => Err(anyhow::anyhow!("counted until {until:?}")),
        }
    };
    eventually("the events are counted", PATIENCE, ask).expect("they are")
}

fn hours_ago(hours: u64) -> Timestamp {
    SystemClock.now().minus(Duration::from_secs(hours * 3_600))
}

fn event(id: &str, name: &str, hours: u64, properties: &Value) -> Value {
    json!({"id": id, "name": name, "time": hours_ago(hours), "properties": properties})
}

/// The numbers of a group; of those without the property for null.
fn group(answer: &Value, value: &Value) -> u64 {
    let groups = answer["groups"].as_array().expect("groups");
    let found = groups.iter().find(|group| group["value"] == *value && group["other"] == false);
    found.map_or(0, |group| group["total"].as_u64().expect("a number"))
}

fn sum(counts: &Value, name: &str) -> u64 {
    counts.as_array().expect("a list").iter().map(|one| one[name].as_u64().expect("a number")).sum()
}

on_each_backend!(
    events_are_counted_once_by_hour_day_and_group,
    what_is_wrong_is_refused_whole_and_named,
    several_send_the_same_events_at_once,
);

fn events_are_counted_once_by_hour_day_and_group(server: &Server) {
    let (user, admin, name) = (server.user(), server.admin(), unique("bought-"));
    let id = |n: u64| format!("{name}-{n}");
    let events: Vec<Value> = (0..60)
        .map(|n| {
            let plan = if n % 3 == 0 { json!({"plan": "pro"}) } else { json!({"plan": 7}) };
            let properties = if n < 50 { plan } else { json!({}) };
            event(&id(n), &name, n % 30, &properties)
        })
        .collect();
    let taken = user.post(EVENTS, &json!({"events": events})).expect(202).json();
    assert_eq!(taken, json!({"accepted": 60, "duplicates": 0}));
    let again = user.post(EVENTS, &json!({"events": events[..25]})).expect(202).json();
    assert_eq!(again, json!({"accepted": 0, "duplicates": 25}));

    let hours = format!("event={name}&interval=hour&from={}&group_by=plan", hours_ago(31));
    let answer = counted(&admin, &hours);
    assert_eq!((&answer["total"], &answer["time_zone"]), (&json!(60), &json!("UTC")));
    assert_eq!(sum(&answer["intervals"], "count"), 60);
    assert!(answer["intervals"].as_array().unwrap().iter().all(|one| one["count"] != 60));
    assert_eq!(group(&answer, &json!("pro")), 17);
    assert_eq!(group(&answer, &json!("7")), 33);
    assert_eq!(group(&answer, &Value::Null), 10);

    // Days of a zone that is half an hour off.
    let days = counted(&admin, &format!("event={name}&time_zone=Asia/Kolkata"));
    assert_eq!((&days["total"], &days["groups"]), (&json!(60), &Value::Null));
    let starts = days["intervals"].as_array().unwrap().iter().map(|day| &day["start"]);
    let starts: Vec<&str> = starts.map(|start| start.as_str().unwrap()).collect();
    assert!(starts.iter().all(|start| start.ends_with("T18:30:00.000000Z")), "{starts:?}");
    let names = list(&admin);
    let listed = names.iter().find(|item| item["name"] == name.as_str()).expect("its name");
    assert_eq!(listed["properties"], json!(["plan"]));
    assert_eq!(counted(&admin, "event=never")["total"], 0);
}

/// All names of events.
fn list(admin: &Api) -> Vec<Value> {
    let (mut all, mut path) = (Vec::new(), format!("{EVENTS}?limit=100"));
    loop {
        let page = admin.get(&path).expect(200).json();
        all.extend(page["items"].as_array().unwrap().clone());
        match page["next_cursor"].as_str() {
            Some(cursor) => path = format!("{EVENTS}?limit=100&cursor={cursor}"),
            None => return all,
        }
    }
}

fn what_is_wrong_is_refused_whole_and_named(server: &Server) {
    let (user, admin, name) = (server.user(), server.admin(), unique("wrong-"));
    let good = event(&unique("good-"), &name, 0, &json!({}));
    let with = |member: &str, value: Value| {
        let mut event = event("bad", &name, 0, &json!({}));
        event[member] = value;
        event
    };
    let future = SystemClock.now().plus(Duration::from_secs(900));
    let many: Value =
        (0..9).map(|n| (format!("p{n}"), json!(1))).collect::<serde_json::Map<_, _>>().into();
    for (wrong, place, code) in [
        (with("id", json!("")), "id", "pattern"),
        (with("id", json!(5)), "id", "type"),
        (with("name", json!("a b")), "name", "pattern"),
        (with("time", json!(hours_ago(49))), "time", "too_old"),
        (with("time", json!(future)), "time", "in_future"),
        (with("time", json!("yesterday")), "time", "format"),
        (with("properties", many), "properties", "maxProperties"),
        (with("properties", json!({"p": {"deep": 1}})), "properties.p", "anyOf"),
        (with("properties", json!({"p": "x".repeat(101)})), "properties.p", "anyOf"),
        (with("properties", json!({"a/b": 1})), "properties.a/b", "pattern"),
        (with("count", json!(1)), "count", "additionalProperties"),
    ] {
        let refused = user.post(EVENTS, &json!({"events": [good, wrong]})).expect(422);
        assert_eq!(refused.places(), [format!("body.events.1.{place}")], "{}", refused.text);
        assert_eq!(refused.json()["errors"][0]["code"], code, "{}", refused.text);
    }
    let many: Vec<Value> =
        (0..501).map(|n| event(&format!("e{n}"), &name, 0, &json!({}))).collect();
    for wrong in [json!(many), json!([])] {
        let refused = user.post(EVENTS, &json!({"events": wrong})).expect(422);
        assert_eq!(refused.places(), ["body.events"]);
    }
    for (query, place) in [
        ("", "query.event"),
        ("event=a%20b", "query.event"),
        ("event=a&interval=week", "query.interval"),
        ("event=a&time_zone=Mars/Olympus", "query.time_zone"),
        ("event=a&from=soon", "query.from"),
        ("event=a&from=2027-01-01&to=2026-01-01", "query.to"),
        ("event=a&interval=hour&from=2025-01-01&to=2026-01-01", "query.from"),
        ("event=a&group_by=%2F", "query.group_by"),
        ("event=a&by=b", "query.by"),
    ] {
        let refused = admin.get(&format!("/api/v1/analytics/query?{query}")).expect(422);
        assert_eq!(refused.places(), [place], "{query}: {}", refused.text);
    }
    user.get("/api/v1/analytics/query?event=a").expect(403);
    assert_eq!(counted(&admin, &format!("event={name}"))["total"], 0);
}

fn several_send_the_same_events_at_once(server: &Server) {
    let (user, name) = (server.user(), unique("same-"));
    let events: Vec<Value> =
        (0..45).map(|n| event(&format!("{name}-{n}"), &name, n % 5, &json!({}))).collect();
    let accepted = AtomicU64::new(0);
    std::thread::scope(|scope| {
        for sender in 0..4 {
            let (user, events, accepted) = (&user, &events, &accepted);
            scope.spawn(move || {
                // Each begins elsewhere.
                let mut mine = events.clone();
                mine.rotate_left(sender * 7);
                let taken = user.post(EVENTS, &json!({"events": mine})).expect(202).json();
                assert_eq!(
                    taken["accepted"].as_u64().unwrap() + taken["duplicates"].as_u64().unwrap(),
                    45
                );
                accepted.fetch_add(taken["accepted"].as_u64().unwrap(), Ordering::SeqCst);
            });
        }
    });
    assert_eq!(accepted.into_inner(), 45);
    assert_eq!(counted(&server.admin(), &format!("event={name}"))["total"], 45);
}

#[test]
fn a_repeated_request_with_a_key_gets_the_first_answer() {
    let (user, name) = (on_sqlite().user(), unique("keyed-"));
    let body = |id: &str| json!({"events": [event(id, &name, 0, &json!({}))]});
    let one = body(&unique("one-"));
    let keyed = user.with("idempotency-key", "again");
    for _ in 0..2 {
        assert_eq!(keyed.post(EVENTS, &one).expect(202).json()["accepted"], 1);
    }
    assert_eq!(user.post(EVENTS, &one).expect(202).json()["accepted"], 0);
    keyed.post(EVENTS, &body(&unique("two-"))).expect(422);
}

#[test]
fn days_are_those_of_the_account_unless_the_question_says() {
    let server = Server::start(&ServerOptions::on(Backend::Sqlite));
    let admin = server.admin();
    admin.patch("/api/v1/users/me", &json!({"time_zone": "Asia/Kathmandu"})).expect(200);
    let answer = counted(&admin, "event=a");
    assert_eq!(answer["time_zone"], "Asia/Kathmandu");
    assert!(answer["intervals"][0]["local"].as_str().unwrap().ends_with("T00:00:00+05:45"));
    assert_eq!(counted(&admin, "event=a&time_zone=UTC")["time_zone"], "UTC");
}

#[test]
fn the_service_can_be_exposed_alone_and_opened_to_anybody() {
    let options = ServerOptions::on(Backend::Sqlite)
        .set("OUTRIGGER__HTTP__SERVICES", "analytics")
        .set("OUTRIGGER__ANALYTICS__INGEST", "public");
    let api = Server::start(&options);
    let (server, api) = (&api, api.api());
    let body = json!({"events": [event("a", "opened", 0, &json!({}))]});
    assert_eq!(api.post(EVENTS, &body).expect(202).json()["accepted"], 1);
    api.get("/api/v1/analytics/query?event=opened").expect(401);
    api.get("/api/v1/users").expect(404);
    let metrics = || server.internal().get("/metrics").expect(200).text;
    let is_counted = || metrics().contains("outrigger_events_counted_total 1");
    wait_until("it is counted", PATIENCE, is_counted).expect("it is");
    assert!(metrics().contains("outrigger_events_taken_total{outcome=\"accepted\"} 1"));
}

#[test]
fn where_nobody_counts_it_is_told_how_long_events_wait() {
    let options = ServerOptions::on(Backend::Sqlite).set("OUTRIGGER__ANALYTICS__INGEST", "public");
    let server = Server::start_with(&options, &["--roles", "api"]);
    let lag = || metric(&server, &["outrigger_events_lag_seconds"]);
    let body = json!({"events": [event("a", "opened", 0, &json!({}))]});
    server.api().post(EVENTS, &body).expect(202);
    wait_until("an event waits", PATIENCE, || lag() > 0.0).expect("it does");
    let was = lag();
    wait_until("it waits longer", PATIENCE, || lag() > was).expect("it does");
}

const SENDERS: u64 = 3;
const PER_REQUEST: u64 = 60;

/// What was acknowledged, and how much that is.
#[derive(Default)]
struct Ledger {
    name: String,
    stop: AtomicBool,
    acknowledged: Mutex<BTreeSet<u64>>,
    answers: AtomicU64,
}

impl Ledger {
    /// Sends events until told to stop, each request until it is answered. Half of the events of a
    /// request are those of the neighbour's.
    fn send(&self, api: &Api, sender: u64) {
        let mut first = sender * PER_REQUEST / 2;
        while !self.stop.load(Ordering::SeqCst) {
            let numbers = first..first + PER_REQUEST;
            let events: Vec<Value> = numbers.clone().map(|n| self.event(n)).collect();
            let body = json!({"events": events}).to_string();
            let sent = || api.try_send("POST", EVENTS, Some(("application/json", body.clone())));
            while !sent().is_ok_and(|answer| answer.status == 202) {
                std::thread::yield_now();
            }
            self.acknowledged.lock().unwrap().extend(numbers);
            self.answers.fetch_add(1, Ordering::SeqCst);
            first += SENDERS * PER_REQUEST / 2;
        }
    }

    /// The event with this number, always the same one.
    fn event(&self, n: u64) -> Value {
        let midnight = hours_ago(0).as_secs() / 86_400 * 86_400;
        let time = Timestamp::from_secs(midnight - i64::try_from(n % 20 * 3_600).unwrap());
        json!({"id": format!("{}-{n}", self.name), "name": self.name, "time": time,
               "properties": {"kind": format!("k{}", n % 4)}})
    }

    fn wait_for(&self, more: u64) {
        let enough = self.answers.load(Ordering::SeqCst) + more;
        let reached = || self.answers.load(Ordering::SeqCst) >= enough;
        wait_until("acknowledged requests", PATIENCE, reached).expect("they go on");
    }

    /// Every acknowledged event is counted once, and no other.
    fn verify(&self, admin: &Api) {
        let query =
            format!("event={}&interval=hour&from={}&group_by=kind", self.name, hours_ago(60));
        let answer = counted(admin, &query);
        let acknowledged = self.acknowledged.lock().unwrap();
        assert_eq!(answer["total"].as_u64().unwrap(), acknowledged.len() as u64);
        assert_eq!(sum(&answer["intervals"], "count"), acknowledged.len() as u64);
        for kind in 0..4 {
            let expected = acknowledged.iter().filter(|n| *n % 4 == kind).count();
            assert_eq!(group(&answer, &json!(format!("k{kind}"))), expected as u64, "k{kind}");
        }
    }
}

/// Kills a process again and again that takes and counts events, beside others that take or count.
fn kills_while_events_are_sent(options: &ServerOptions, kills: u64, others: &[&str]) {
    let options = options.clone().set("OUTRIGGER__ANALYTICS__INGEST", "public");
    let mut server = Server::start(&options);
    let others: Vec<Server> =
        others.iter().map(|roles| Server::start_with(&options, &["--roles", roles])).collect();
    let ledger = Ledger { name: unique("killed-"), ..Ledger::default() };
    let server = std::thread::scope(|scope| {
        for sender in 0..SENDERS {
            // Those beside it go on taking events.
            let api = match others.first() {
                Some(other) if sender == 0 => other.api(),
                _ => server.api(),
            };
            let ledger = &ledger;
            scope.spawn(move || ledger.send(&api, sender));
        }
        for round in 0..kills {
            ledger.wait_for(3 + round * 5 % 7);
            server.process.kill();
            server = server.start_again();
        }
        ledger.wait_for(6);
        ledger.stop.store(true, Ordering::SeqCst);
        server
    });
    ledger.verify(&server.admin());
}

#[test]
fn kills_lose_no_event_and_count_none_twice_on_sqlite() {
    kills_while_events_are_sent(&ServerOptions::on(Backend::Sqlite), 12, &[]);
}

#[test]
fn kills_lose_no_event_and_count_none_twice_on_postgres_beside_others() {
    let options = PostgresOptions { durable: true, ..PostgresOptions::default() };
    let postgres = Postgres::start_with(options).expect("PostgreSQL starts");
    let backend = Backend::Urls { database: postgres.url(), redis: None };
    kills_while_events_are_sent(&ServerOptions::on(backend), 8, &["api", "worker"]);
}
