//! Queues over HTTP, and the leases of workers elsewhere.

use std::time::Duration;

use outrigger_testkit::wait_until;
use serde_json::json;

use crate::outages::metric;
use crate::support::{Server, dead, on_each_backend, unique, until};

on_each_backend!(
    a_paused_queue_gives_nothing,
    a_worker_elsewhere_leases_and_completes,
    a_lease_that_has_run_out_is_refused,
    metrics_tell_how_full_the_queues_are,
);

fn a_paused_queue_gives_nothing(server: &Server) {
    let (admin, queue) = (server.admin(), unique("paused-"));
    let enqueue = json!({"kind": "noop", "payload": {}, "queue": queue});
    admin.post("/api/v1/tasks", &enqueue).expect(202);
    admin.post(&format!("/api/v1/queues/{queue}/pause"), &json!({})).expect(204);
    let lease = json!({"kinds": ["noop"]});
    let path = format!("/api/v1/queues/{queue}/lease");
    assert_eq!(admin.post(&path, &lease).expect(200).json()["items"], json!([]));
    let listed = admin.get("/api/v1/queues").expect(200).json();
    let found = listed["items"].as_array().unwrap().iter().find(|q| q["name"] == *queue).unwrap();
    assert_eq!((&found["paused"], &found["queued"]), (&json!(true), &json!(1)));
    admin.post(&format!("/api/v1/queues/{queue}/resume"), &json!({})).expect(204);
    let leased = admin.post(&path, &lease).expect(200).json();
    assert_eq!(leased["items"].as_array().unwrap().len(), 1);
    admin.post("/api/v1/queues/NOT%20A%20NAME/pause", &json!({})).expect(422);
}

fn a_worker_elsewhere_leases_and_completes(server: &Server) {
    let (admin, queue) = (server.admin(), unique("away-"));
    let enqueue = json!({"kind": "noop", "payload": {"echo": 7}, "queue": queue});
    let trace = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
    let task = admin.with("traceparent", trace).post("/api/v1/tasks", &enqueue).expect(202).json();
    let at = format!("/api/v1/tasks/{}", task["id"].as_str().unwrap());
    let lease = format!("/api/v1/queues/{queue}/lease");
    let unknown = admin.post(&lease, &json!({"kinds": ["no.such"]})).expect(422);
    assert_eq!(unknown.places(), ["body.kinds.0"]);
    let leased = admin.post(&lease, &json!({"kinds": ["noop"], "lease_s": 600})).expect(200).json();
    let item = &leased["items"][0];
    assert_eq!(item["trace"], trace);
    assert_eq!((&item["id"], &item["payload"]["echo"]), (&task["id"], &json!(7)));
    let beat = json!({"token": item["token"], "lease_s": 600, "progress": {"done": 0.5}});
    let beaten = admin.post(&format!("{at}/heartbeat"), &beat).expect(200).json();
    assert_eq!(beaten["cancelled"], false);
    assert_eq!(admin.get(&at).expect(200).json()["progress"], json!({"done": 0.5}));
    let foreign = json!({"token": "1-foreign", "result": 1});
    assert_eq!(admin.post(&format!("{at}/complete"), &foreign).expect(409).code(), "lease_lost");
    let done = json!({"token": item["token"], "result": {"sum": 8}});
    admin.post(&format!("{at}/complete"), &done).expect(204);
    assert_eq!(admin.post(&format!("{at}/complete"), &done).expect(409).code(), "lease_lost");
    let task = admin.get(&at).expect(200).json();
    assert_eq!((&task["status"], &task["result"]), (&json!("succeeded"), &json!({"sum": 8})));
}

fn a_lease_that_has_run_out_is_refused(server: &Server) {
    let (admin, queue) = (server.admin(), unique("late-"));
    let enqueue = json!({"kind": "noop", "payload": {}, "queue": queue});
    let at = admin.post("/api/v1/tasks", &enqueue).expect(202).header("location").to_owned();
    let path = format!("/api/v1/queues/{queue}/lease");
    let lease = |lease_s: u64| {
        let leased = admin.post(&path, &json!({"kinds": ["noop"], "lease_s": lease_s}));
        leased.expect(200).json()["items"][0].clone()
    };
    let refused = |token: &serde_json::Value| {
        for (verb, body) in [
            ("heartbeat", json!({"token": token})),
            ("complete", json!({"token": token})),
            ("fail", json!({"token": token, "message": "too late"})),
        ] {
            let answer = admin.post(&format!("{at}/{verb}"), &body).expect(409);
            assert_eq!(answer.code(), "lease_lost", "{verb}");
        }
    };
    let first = lease(2);
    until(&admin, &at, "queued");
    refused(&first["token"]);
    let second = lease(600);
    assert_eq!((&second["attempt"], &second["id"]), (&json!(2), &first["id"]));
    refused(&first["token"]);
    admin.post(&format!("{at}/complete"), &json!({"token": second["token"]})).expect(204);
}

/// Queues that clients name are told of together.
fn metrics_tell_how_full_the_queues_are(server: &Server) {
    let (admin, queue) = (server.admin(), unique("full-"));
    dead(&admin, &queue, 2);
    let body = json!({"kind": "noop", "payload": {}, "queue": queue});
    (0..3).for_each(|_| drop(admin.post("/api/v1/tasks", &body).expect(202)));
    let tasks = |queue: &str, state: &str| {
        let labels = format!("{{queue=\"{queue}\",state=\"{state}\"}}");
        metric(server, &["outrigger_queue_tasks", &labels])
    };
    let oldest = || metric(server, &["outrigger_queue_oldest_seconds{queue=\"other\"}"]);
    let told =
        || tasks("other", "queued") >= 3.0 && tasks("other", "dead") >= 2.0 && oldest() > 0.0;
    wait_until("they tell", Duration::from_secs(120), told).unwrap();
    let text = server.internal().get("/metrics").expect(200).text;
    assert!(!text.contains(&queue), "a queue's name is a label");
    for state in ["queued", "scheduled", "running", "dead"] {
        let own = format!("outrigger_queue_tasks{{queue=\"default\",state=\"{state}\"}} ");
        assert!(text.contains(&own), "{own}");
    }
}
