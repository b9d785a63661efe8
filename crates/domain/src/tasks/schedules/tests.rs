//! Schedules: when they tick, what fires, and what becomes of ticks that were missed.

use std::time::Duration;

use outrigger_kernel::{Ctx, PageRequest, Timestamp};
use outrigger_ports::queue::{Status, TaskFilter};
use serde_json::json;

use super::timing::Timing;
use super::{CatchUp, Lead, Looked, ScheduleInput, Schedules, Turn};
use crate::audit::{Audit, testing::World};
use crate::tasks::testing;

fn at(text: &str) -> Timestamp {
    Timestamp::parse(text).unwrap()
}

/// The first ticks after an instant, in UTC to the minute.
fn ticks(cron: &str, zone: &str, after: &str, count: usize) -> Vec<String> {
    let timing = Timing::new(cron, zone).unwrap();
    let first = timing.next(at(after));
    std::iter::successors(first, |tick| timing.next(*tick))
        .take(count)
        .map(|tick| tick.to_string()[5..16].to_owned())
        .collect()
}

#[test]
fn five_and_six_fields_tick_in_their_zone() {
    let day = "2026-11-20T00:00:00Z";
    assert_eq!(ticks("30 7 * * *", "UTC", day, 2), ["11-20T07:30", "11-21T07:30"]);
    assert_eq!(ticks("0 9 * * MON", "Asia/Manila", day, 2), ["11-23T01:00", "11-30T01:00"]);
    let timing = Timing::new("*/20 * * * * *", "UTC").unwrap();
    let next = timing.next(at("2026-11-20T00:00:00.5Z")).unwrap();
    assert_eq!(next, at("2026-11-20T00:00:20Z"));
    assert_eq!(timing.next(next).unwrap(), at("2026-11-20T00:00:40Z"));
    // The last Friday of a month, on a leap day, on the nearest weekday.
    assert_eq!(ticks("0 0 * * FRI#L", "UTC", day, 1), ["11-27T00:00"]);
    assert_eq!(ticks("0 0 29 2 *", "UTC", day, 1), ["02-29T00:00"]);
}

#[test]
fn a_local_time_that_does_not_exist_ticks_once_at_the_end_of_the_gap() {
    // Berlin: 02:00 becomes 03:00 on 2026-03-29, at 01:00 UTC.
    let before = "2026-03-28T12:00:00Z";
    let days = ["03-29T01:00", "03-30T00:30", "03-31T00:30"];
    assert_eq!(ticks("30 2 * * *", "Europe/Berlin", before, 3), days);
    // Two ticks of the gap are one, and the one at its end is the same.
    let once = ["03-29T01:00", "03-30T00:15", "03-30T00:45", "03-30T01:00"];
    assert_eq!(ticks("15,45 2 * * *", "Europe/Berlin", before, 3), once[..3]);
    let with_the_end = ticks("0 2,3 * * *", "Europe/Berlin", before, 3);
    assert_eq!(with_the_end, ["03-29T01:00", "03-30T00:00", "03-30T01:00"]);
    // A whole day was left out in Samoa.
    let samoa = ticks("0 12 30 12 *", "Pacific/Apia", "2011-12-01T00:00:00Z", 2);
    assert_eq!(samoa, ["12-30T10:00", "12-29T22:00"]);
}

#[test]
fn a_local_time_that_comes_twice_ticks_once() {
    // Berlin: 03:00 becomes 02:00 on 2026-10-25, at 01:00 UTC.
    let before = "2026-10-24T12:00:00Z";
    let days = ["10-25T00:30", "10-26T01:30", "10-27T01:30"];
    assert_eq!(ticks("30 2 * * *", "Europe/Berlin", before, 3), days);
    // Also when one asks in the middle of the second time.
    assert_eq!(ticks("30 2 * * *", "Europe/Berlin", "2026-10-25T01:10:00Z", 1), ["10-26T01:30"]);
    assert_eq!(
        ticks("0 1-3 * * *", "Europe/Berlin", before, 3),
        ["10-24T23:00", "10-25T00:00", "10-25T02:00"]
    );
}

#[test]
fn a_schedule_for_every_hour_follows_the_time_that_passes() {
    let autumn = ticks("*/30 * * * *", "Europe/Berlin", "2026-10-24T23:45:00Z", 6);
    let even =
        ["10-25T00:00", "10-25T00:30", "10-25T01:00", "10-25T01:30", "10-25T02:00", "10-25T02:30"];
    assert_eq!(autumn, even);
    let spring = ticks("30 * * * *", "Europe/Berlin", "2026-03-29T00:00:00Z", 3);
    assert_eq!(spring, ["03-29T00:30", "03-29T01:30", "03-29T02:30"]);
    // Lord Howe moves its clocks by half an hour.
    let odd = ticks("0 * * * *", "Australia/Lord_Howe", "2026-04-04T13:30:00Z", 3);
    assert_eq!(odd, ["04-04T14:00", "04-04T15:30", "04-04T16:30"]);
}

#[test]
fn ticks_that_are_due_are_the_last_hundred() {
    let each_second = Timing::new("* * * * * *", "UTC").unwrap();
    let now = at("2026-11-20T12:00:00.25Z");
    let year = each_second.due(at("2025-11-20T12:00:00Z"), now);
    assert_eq!((year.len(), year[0]), (100, at("2026-11-20T11:58:21Z")));
    assert_eq!(*year.last().unwrap(), at("2026-11-20T12:00:00Z"));
    assert_eq!(each_second.due(at("2026-11-20T11:59:58Z"), now).len(), 3);
    let daily = Timing::new("0 3 * * *", "Europe/Berlin").unwrap();
    assert_eq!(daily.due(at("2026-11-01T02:00:00Z"), now).len(), 20);
    assert_eq!(daily.due(at("2026-11-20T14:00:00Z"), now), []);
}

#[test]
fn what_is_no_cron_expression_is_refused_with_words() {
    let long = format!("{} * * * *", "1,".repeat(200));
    let wrong = [
        "",
        "* * * *",
        "* * * * * * *",
        "60 * * * *",
        "* 24 * * *",
        "* * 0 * *",
        "* * * 13 *",
        "* * * * 8",
        "a * * * *",
        "*/0 * * * *",
        "5-1 * * * *",
        "@daily",
        "1,, * * * *",
        "é * * * *",
        "* * L-99 * *",
        "-1 * * * *",
        "1-2-3 * * * *",
        "99999999999999999999 * * * *",
        "* * * * 1#9",
        "* * 32W * *",
        "/ * * * *",
        &long,
    ];
    for cron in wrong {
        let error = Timing::new(cron, "UTC").unwrap_err();
        assert_eq!(error.fields()[0].loc, ["body", "cron"], "{cron}");
        let message = &error.fields()[0].message;
        assert!(!message.is_empty() && !message.ends_with('.'), "{cron}: {message}");
        assert!(!message.starts_with(char::is_uppercase), "{cron}: {message}");
    }
    for zone in ["", "Mars/Olympus", "Etc/Unknown", "+08:00", "../etc/passwd", &"x".repeat(100)] {
        let error = Timing::new("* * * * *", zone).unwrap_err();
        assert_eq!(error.fields()[0].loc, ["body", "time_zone"], "{zone}");
    }
}

/// A deployment with a schedule and a scheduler.
struct Deployment {
    world: World,
    schedules: Schedules,
    ctx: Ctx,
}

impl Deployment {
    fn new() -> Self {
        let world = World::new();
        let audit = Audit::new(&world.ports);
        let tasks = testing::tasks(&world.ports, audit.clone());
        let schedules = Schedules::new(&world.ports, audit, tasks);
        Self { world, schedules, ctx: Ctx::system("test") }
    }

    async fn put(&self, name: &str, input: ScheduleInput) {
        self.schedules.put(&self.ctx, name, input).await.unwrap();
    }

    async fn lead(&self, name: &str) -> Lead {
        match self.schedules.lead(name).await.unwrap() {
            Turn::Mine(lead) => lead,
            Turn::Another(until) => panic!("another has it until {until}"),
        }
    }

    /// Fires what is due, and gives the ticks of all tasks, in their order.
    async fn fire(&self) -> Vec<Timestamp> {
        let lead = self.lead("one").await;
        assert!(matches!(self.schedules.fire_due(&lead).await.unwrap(), Looked::Next(_)));
        self.tasks().await
    }

    async fn tasks(&self) -> Vec<Timestamp> {
        let filter = TaskFilter { limit: 200, ..TaskFilter::default() };
        let mut found = self.world.ports.board.list(&filter).await.unwrap().tasks;
        found.reverse();
        found.iter().map(|record| record.task.run_at).collect()
    }

    fn advance(&self, seconds: u64) {
        self.world.clock.advance(Duration::from_secs(seconds));
    }
}

fn input(cron: &str, catch_up: CatchUp) -> ScheduleInput {
    let input = json!({"cron": cron, "task": {"kind": "noop", "payload": {}}});
    ScheduleInput { catch_up, ..serde_json::from_value(input).unwrap() }
}

#[tokio::test]
async fn each_tick_fires_once_and_tells_its_time() {
    let deployment = Deployment::new();
    deployment.put("beat", input("* * * * * *", CatchUp::Skip)).await;
    let start = deployment.world.ports.clock.now();
    assert_eq!(deployment.fire().await, []);
    for passed in [1, 3, 0, 30] {
        deployment.advance(passed);
        deployment.fire().await;
    }
    let all: Vec<_> = (1..=34).map(|second| start.plus(Duration::from_secs(second))).collect();
    assert_eq!(deployment.fire().await, all);
    let view = deployment.schedules.get(&deployment.ctx, "beat").await.unwrap();
    assert_eq!(view.last_run_at, all.last().copied());
    assert_eq!(view.next_runs.len(), 5);
    assert_eq!(view.next_run_at, Some(start.plus(Duration::from_secs(35))));
}

#[tokio::test]
async fn missed_ticks_are_skipped_or_fire_once_or_all() {
    for (catch_up, daily, minutes) in
        [(CatchUp::Skip, 0, 2), (CatchUp::Once, 1, 2), (CatchUp::All, 10, 100)]
    {
        let deployment = Deployment::new();
        deployment.put("daily", input("0 3 * * *", catch_up)).await;
        deployment.advance(10 * 86_400);
        assert_eq!(deployment.fire().await.len(), daily, "{catch_up:?}");
        assert_eq!(deployment.fire().await.len(), daily, "{catch_up:?}");
        let deployment = Deployment::new();
        deployment.put("minutes", input("* * * * *", catch_up)).await;
        deployment.advance(86_400);
        // Two ticks are not later than a minute: they fire anyway.
        assert_eq!(deployment.fire().await.len(), minutes, "{catch_up:?}");
    }
}

#[tokio::test]
async fn who_has_lost_the_lease_fires_nothing() {
    let deployment = Deployment::new();
    deployment.put("beat", input("* * * * * *", CatchUp::All)).await;
    let late = deployment.lead("one").await;
    assert!(matches!(deployment.schedules.lead("two").await.unwrap(), Turn::Another(_)));
    deployment.advance(7);
    let mine = deployment.lead("two").await;
    assert_eq!(deployment.schedules.fire_due(&late).await.unwrap(), Looked::Lost);
    assert_eq!(deployment.tasks().await, []);
    assert!(matches!(deployment.schedules.fire_due(&mine).await.unwrap(), Looked::Next(_)));
    assert_eq!(deployment.tasks().await.len(), 7);
    deployment.schedules.resign(mine).await.unwrap();
    deployment.lead("one").await;
}

#[tokio::test]
async fn a_tick_whose_task_is_there_already_is_not_repeated() {
    let deployment = Deployment::new();
    deployment.put("beat", input("*/5 * * * * *", CatchUp::All)).await;
    deployment.advance(5);
    assert_eq!(deployment.fire().await.len(), 1);
    // As when it is defined anew by a process whose clock is behind.
    deployment.schedules.delete(&deployment.ctx, "beat").await.unwrap();
    let behind = Deployment {
        world: World::new(),
        schedules: deployment.schedules.clone(),
        ctx: Ctx::system("test"),
    };
    let schedules = Schedules { clock: behind.world.ports.clock.clone(), ..behind.schedules };
    schedules.put(&behind.ctx, "beat", input("*/5 * * * * *", CatchUp::All)).await.unwrap();
    deployment.advance(5);
    assert_eq!(deployment.fire().await.len(), 2, "the first tick was fired before");
}

#[tokio::test]
async fn runs_with_a_unique_key_do_not_overlap() {
    let deployment = Deployment::new();
    let mut beat = input("* * * * * *", CatchUp::All);
    beat.task.unique_key = Some("beat".to_owned());
    deployment.put("beat", beat).await;
    deployment.advance(3);
    let fired = deployment.fire().await;
    assert_eq!(fired.len(), 1);
    deployment.advance(1);
    assert_eq!(deployment.fire().await, fired);
    let waiting = TaskFilter { status: Some(Status::Queued), limit: 9, ..TaskFilter::default() };
    let first = deployment.world.ports.board.list(&waiting).await.unwrap().tasks.remove(0);
    deployment.world.ports.board.cancel(&first.task.id).await.unwrap();
    deployment.advance(1);
    assert_eq!(deployment.fire().await.len(), 2);
}

#[tokio::test]
async fn a_kind_that_is_gone_is_told_and_stops_no_other() {
    let deployment = Deployment::new();
    deployment.put("a-odd", input("* * * * * *", CatchUp::All)).await;
    deployment.put("beat", input("* * * * * *", CatchUp::All)).await;
    let mut odd = deployment.schedules.kept.get("a-odd").await.unwrap().value;
    odd.input.task.kind = "gone".to_owned();
    let write = outrigger_ports::collection::Collection::put(
        "a-odd",
        &odd,
        outrigger_ports::store::Precondition::Any,
    );
    let batch = outrigger_ports::store::Batch::of([write.unwrap()]);
    deployment.world.ports.store.commit(batch).await.unwrap();
    deployment.advance(2);
    assert_eq!(deployment.fire().await.len(), 2);
    let view = deployment.schedules.get(&deployment.ctx, "a-odd").await.unwrap();
    assert!(view.last_error.unwrap().contains("no such kind"));
    assert!(view.next_run_at.unwrap() > deployment.world.ports.clock.now());
}

#[tokio::test]
async fn schedules_of_the_settings_win_and_go_with_them() {
    let deployment = Deployment::new();
    let Deployment { schedules, ctx, .. } = &deployment;
    deployment.put("mine", input("0 1 * * *", CatchUp::Once)).await;
    deployment.put("nightly", input("0 2 * * *", CatchUp::Once)).await;
    let nightly = input("0 3 * * *", CatchUp::All);
    let wanted = [("nightly".to_owned(), nightly.clone())].into();
    schedules.configure(ctx, &wanted).await.unwrap();
    let view = schedules.get(ctx, "nightly").await.unwrap();
    assert_eq!((view.cron.as_str(), view.catch_up), ("0 3 * * *", CatchUp::All));
    deployment.advance(5);
    schedules.configure(ctx, &wanted).await.unwrap();
    let again = schedules.get(ctx, "nightly").await.unwrap();
    assert_eq!(again.updated_at, view.updated_at, "what is there is not written again");
    let refused = schedules.put(ctx, "nightly", nightly.clone()).await.unwrap_err();
    assert_eq!(refused.code(), "schedule_in_settings");
    let refused = schedules.delete(ctx, "nightly").await.unwrap_err();
    assert_eq!(refused.code(), "schedule_in_settings");
    let mut wrong = nightly;
    wrong.task.priority = Some(77);
    let error = schedules.configure(ctx, &[("odd".to_owned(), wrong)].into()).await.unwrap_err();
    assert_eq!(error.fields()[0].loc, ["schedules", "odd", "task", "priority"]);
    schedules.configure(ctx, &[].into()).await.unwrap();
    let page = PageRequest { limit: 10, cursor: None };
    let left = schedules.list(ctx, &page).await.unwrap().items;
    assert_eq!(left.iter().map(|view| view.name.as_str()).collect::<Vec<_>>(), ["mine"]);
}

#[tokio::test]
async fn a_paused_schedule_has_nothing_to_make_up_for() {
    let deployment = Deployment::new();
    let hourly = input("0 * * * *", CatchUp::All);
    deployment.put("beat", ScheduleInput { enabled: false, ..hourly.clone() }).await;
    deployment.advance(86_400);
    assert_eq!(deployment.fire().await, []);
    deployment.put("beat", hourly.clone()).await;
    assert_eq!(deployment.fire().await, []);
    // A change of something else does not lose a tick that is due.
    deployment.advance(3_600);
    deployment.put("beat", ScheduleInput { catch_up: CatchUp::Once, ..hourly }).await;
    assert_eq!(deployment.fire().await.len(), 1);
}
