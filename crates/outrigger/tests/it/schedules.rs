//! Schedules over HTTP and in the settings.

use std::collections::BTreeSet;
use std::time::Duration;

use outrigger_testkit::{TempDir, eventually};
use serde_json::{Value, json};

use crate::support::{Api, Backend, Server, ServerOptions, on_each_backend, unique};

on_each_backend!(
    a_schedule_for_each_second_runs_its_task,
    what_cannot_be_a_schedule_is_named,
    a_schedule_is_run_paused_and_deleted,
    schedules_are_for_administrators,
);

const PATIENCE: Duration = Duration::from_secs(120);

fn defined(api: &Api, input: &Value) -> String {
    let path = format!("/api/v1/schedules/{}", unique("schedule-"));
    let view = api.put(&path, input).expect(201).json();
    assert!(path.ends_with(view["name"].as_str().unwrap()));
    path
}

/// The tasks of the queue, by their ids.
fn tasks_of(api: &Api, queue: &str) -> Vec<Value> {
    let found = api.get(&format!("/api/v1/tasks?queue={queue}&limit=100")).expect(200).json();
    found["items"].as_array().unwrap().clone()
}

fn a_schedule_for_each_second_runs_its_task(server: &Server) {
    let admin = server.admin();
    let mark = unique("beat-");
    let path = defined(
        &admin,
        &json!({"cron": "* * * * * *", "task": {"kind": "noop", "payload": {"echo": mark}}}),
    );
    let ran = eventually("three ticks have run", PATIENCE, || {
        let found = admin.get("/api/v1/tasks?kind=noop&status=succeeded&limit=100");
        let items = found.json()["items"].as_array().cloned().unwrap_or_default();
        let own = items.into_iter().filter(|task| task["result"] == mark.as_str());
        let ticks: BTreeSet<String> = own.map(|task| task["run_at"].to_string()).collect();
        anyhow::ensure!(ticks.len() >= 3, "{ticks:?}");
        Ok(ticks)
    });
    assert!(ran.unwrap().iter().all(|tick| tick.contains(".000000Z")));
    let view = admin.get(&path).expect(200).json();
    assert_eq!(view["next_runs"].as_array().unwrap().len(), 5);
    assert_eq!(view["next_runs"][0], view["next_run_at"]);
    assert!(view["last_task_id"].as_str().unwrap().starts_with("tsk_"));
    admin.delete(&path).expect(204);
}

fn what_cannot_be_a_schedule_is_named(server: &Server) {
    let admin = server.admin();
    let task = json!({"kind": "noop", "payload": {}});
    let at = format!("/api/v1/schedules/{}", unique("schedule-"));
    for (body, place) in [
        (json!({"cron": "61 * * * *", "task": task}), "body.cron"),
        (json!({"cron": "* * *", "task": task}), "body.cron"),
        (json!({"cron": "0 0 30 2 *", "task": task}), "body.cron"),
        (
            json!({"cron": "0 0 * * *", "time_zone": "Europe/Atlantis", "task": task}),
            "body.time_zone",
        ),
        (json!({"cron": "0 0 * * *", "task": {"kind": "no.such"}}), "body.task.kind"),
        (
            json!({"cron": "0 0 * * *", "task": {"kind": "noop", "payload": {"other": 1}}}),
            "body.task.payload.other",
        ),
        (json!({"cron": "0 0 * * *", "task": {"kind": "noop", "delay_s": 1}}), "body.task.delay_s"),
        (json!({"cron": "0 0 * * *", "task": task, "catch_up": "twice"}), "body.catch_up"),
        (json!({"task": task}), "body.cron"),
    ] {
        let answer = admin.put(&at, &body).expect(422);
        assert_eq!(answer.places(), [place], "{body}: {}", answer.text);
    }
    let right = json!({"cron": "0 0 * * *", "task": task});
    let named = admin.put("/api/v1/schedules/NOT%20A%20NAME", &right).expect(422);
    assert_eq!(named.places(), ["path.name"]);
    admin.get(&at).expect(404);
    admin.get("/api/v1/schedules/NOT%20A%20NAME").expect(404);
    admin.delete(&at).expect(404);
    admin.post(&format!("{at}/run"), &json!({})).expect(404);
}

fn a_schedule_is_run_paused_and_deleted(server: &Server) {
    let (admin, queue) = (server.admin(), unique("sched-"));
    let mut input = json!({
        "cron": "* * * * * *", "time_zone": "Asia/Manila", "enabled": false,
        "task": {"kind": "noop", "payload": {"echo": 1}, "queue": queue},
    });
    let path = defined(&admin, &input);
    let view = admin.get(&path).expect(200).json();
    assert_eq!((&view["next_run_at"], &view["next_runs"]), (&Value::Null, &json!([])));
    let once = admin.with("idempotency-key", &unique("run-"));
    let run = format!("{path}/run");
    let first = once.post(&run, &json!({})).expect(202);
    assert_eq!(once.post(&run, &json!({})).expect(202).json(), first.json());
    let task = admin.get(first.header("location")).expect(200).json();
    assert_eq!((&task["queue"], &task["payload"]), (&json!(queue), &json!({"echo": 1})));
    assert_eq!(tasks_of(&admin, &queue).len(), 1, "a paused schedule does not tick");
    input["enabled"] = json!(true);
    admin.put(&path, &input).expect(200);
    eventually("it ticks", PATIENCE, || {
        anyhow::ensure!(tasks_of(&admin, &queue).len() > 1);
        Ok(())
    })
    .unwrap();
    input["enabled"] = json!(false);
    let paused = admin.put(&path, &input).expect(200).json();
    assert_eq!(paused["next_run_at"], Value::Null);
    let listed = admin.get("/api/v1/schedules?limit=100").expect(200).json();
    let names = listed["items"].as_array().unwrap().iter().map(|view| view["name"].clone());
    assert!(names.collect::<Vec<_>>().contains(&view["name"]));
    admin.delete(&path).expect(204);
    admin.get(&path).expect(404);
}

fn schedules_are_for_administrators(server: &Server) {
    let user = server.user();
    let task = json!({"kind": "noop", "payload": {}});
    let path = defined(&server.admin(), &json!({"cron": "0 0 1 1 *", "task": task}));
    user.get(&path).expect(403);
    user.get("/api/v1/schedules").expect(403);
    user.put(&path, &json!({"cron": "0 0 * * *", "task": task})).expect(403);
    user.post(&format!("{path}/run"), &json!({})).expect(403);
    user.delete(&path).expect(403);
}

#[test]
fn schedules_of_the_settings_are_there_from_the_start_and_stay_as_they_are() {
    let folder = TempDir::new("schedules").unwrap();
    let file = folder.join("outrigger.toml");
    let nightly = "[schedules.nightly]\ncron = \"0 3 * * *\"\ntime_zone = \"Europe/Berlin\"\n\
        task = { kind = \"noop\", payload = { echo = \"hidden\" } }\n";
    std::fs::write(&file, nightly).unwrap();
    let options = ServerOptions {
        folder: Some(folder.path().to_owned()),
        ..ServerOptions::on(Backend::Sqlite)
    };
    let server = Server::start(&options);
    let admin = server.admin();
    let path = "/api/v1/schedules/nightly";
    let view = admin.get(path).expect(200).json();
    assert_eq!((&view["source"], &view["cron"]), (&json!("config"), &json!("0 3 * * *")));
    let other = json!({"cron": "0 4 * * *", "task": {"kind": "noop", "payload": {}}});
    assert_eq!(admin.put(path, &other).expect(409).code(), "schedule_in_settings");
    assert_eq!(admin.delete(path).expect(409).code(), "schedule_in_settings");
    admin.post(&format!("{path}/run"), &json!({})).expect(202);
    let (shown, text) = server.run(&["config", "show"]);
    assert!(shown && text.contains("nightly") && !text.contains("hidden"), "{text}");
    server.terminate();
    std::fs::write(&file, "[schedules]\n").unwrap();
    let server = server.start_again();
    server.admin().get(path).expect(404);
    server.terminate();
    for (wrong, words) in [
        ("[schedules.odd]\ncorn = \"0 3 * * *\"\n", ["schedules.odd", "corn"]),
        ("[schedules.odd]\ncron = \"0 25 * * *\"\ntask = { kind = \"noop\" }\n", ["odd", "cron"]),
        ("[schedules]\nodd = 1\n", ["schedules.odd", "outrigger.toml"]),
    ] {
        std::fs::write(&file, wrong).unwrap();
        let (started, text) =
            server.run(&["serve", "--set", "http.port=0", "--set", "http.internal_port=0"]);
        assert!(!started && words.iter().all(|word| text.contains(word)), "{wrong}: {text}");
    }
}
