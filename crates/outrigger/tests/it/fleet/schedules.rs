//! Three schedulers on one PostgreSQL, the active one killed again and again: every tick fires once.

use std::collections::BTreeMap;
use std::time::Duration;

use outrigger_testkit::{eventually, wait_until};
use serde_json::json;

use super::Fleet;
use crate::support::{Api, Server, ServerOptions};

/// How often the active scheduler is killed.
const KILLS: usize = 4;
const PATIENCE: Duration = Duration::from_secs(60);
const QUEUE: &str = "ticks";

/// How often each tick has fired, by its second since 1970.
fn fired(api: &Api) -> BTreeMap<i64, usize> {
    let mut ticks = BTreeMap::new();
    let mut path = format!("/api/v1/tasks?queue={QUEUE}&limit=100");
    loop {
        let page = api.get(&path).expect(200).json();
        for task in page["items"].as_array().expect("tasks") {
            let at = task["run_at"].as_str().expect("an instant");
            let tick = outrigger_kernel::Timestamp::parse(at).expect("an instant");
            assert_eq!(tick.as_micros() % 1_000_000, 0, "{at}");
            *ticks.entry(tick.as_secs()).or_default() += 1;
        }
        let Some(next) = page["next_cursor"].as_str() else { return ticks };
        path = format!("/api/v1/tasks?queue={QUEUE}&limit=100&cursor={next}");
    }
}

/// The ticks between the first and the last that are not there.
fn missing(ticks: &BTreeMap<i64, usize>) -> Vec<i64> {
    let (first, last) = (ticks.keys().next().unwrap(), ticks.keys().last().unwrap());
    (*first..=*last).filter(|tick| !ticks.contains_key(tick)).collect()
}

fn is_active(server: &Server) -> bool {
    let text = server.internal().get("/metrics").expect(200).text;
    text.lines().any(|line| line == "outrigger_scheduler_active 1")
}

/// The place of the process that fires the schedules.
fn active(schedulers: &[Server]) -> usize {
    eventually("a scheduler is active", PATIENCE, || {
        let place = schedulers.iter().position(is_active);
        place.ok_or_else(|| anyhow::anyhow!("none"))
    })
    .expect("one takes over")
}

#[test]
fn every_tick_fires_once_though_the_active_scheduler_is_killed() {
    let api_options = Fleet::options().set("OUTRIGGER__DEPLOYMENT__ROLES", "api");
    let api = Server::start(&api_options);
    let admin = api.admin();
    let options = api.options.clone().set("OUTRIGGER__DEPLOYMENT__ROLES", "scheduler");
    let options = ServerOptions { folder: None, port: None, ..options };
    let start = || Server::start(&options);
    let mut schedulers: Vec<Server> = (0..3).map(|_| start()).collect();
    let task = json!({"kind": "noop", "payload": {}, "queue": QUEUE});
    let beat = json!({"cron": "* * * * * *", "catch_up": "skip", "task": task});
    admin.put("/api/v1/schedules/beat", &beat).expect(201);
    for _ in 0..KILLS {
        let so_far = fired(&admin).len();
        wait_until("it ticks", PATIENCE, || fired(&admin).len() > so_far).expect("it ticks");
        let killed = schedulers.remove(active(&schedulers));
        killed.process.signal("KILL").expect("it is killed");
        schedulers.push(start());
    }
    let so_far = fired(&admin).len();
    wait_until("it ticks", PATIENCE, || fired(&admin).len() > so_far).expect("it ticks");
    // The first ticks of a scheduler are there before it says that it is active.
    let active_ones = || schedulers.iter().filter(|server| is_active(server)).count();
    wait_until("one is active", PATIENCE, || active_ones() == 1).expect("one is active");
    // What a scheduler has committed and not passed on when it was killed is passed on a moment later.
    let ticks = eventually("all ticks have fired", PATIENCE, || {
        let ticks = fired(&admin);
        let missing = missing(&ticks);
        anyhow::ensure!(missing.is_empty(), "of {} ticks not fired: {missing:?}", ticks.len());
        Ok(ticks)
    })
    .expect("each tick fires");
    let (first, last) = (ticks.keys().next().unwrap(), ticks.keys().last().unwrap());
    let twice: Vec<_> = ticks.iter().filter(|(_, count)| **count != 1).collect();
    assert!(twice.is_empty(), "these have fired more than once: {twice:?}");
    assert!(last - first >= 10, "{ticks:?}");

    // One that is told to stop gives the lease up, and another one fires within two seconds.
    let stopped = schedulers.remove(active(&schedulers));
    stopped.terminate();
    active(&schedulers);
}
