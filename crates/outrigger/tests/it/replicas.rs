//! The processes that are alive, and what they did.

use std::time::Duration;

use outrigger_testkit::wait_until;
use serde_json::Value;

use crate::support::{Api, Backend, Server, ServerOptions, on_each_backend};

/// A process tells the others of itself each ten seconds.
const PATIENCE: Duration = Duration::from_secs(120);

on_each_backend!(a_process_tells_of_itself, it_is_seen_in_a_terminal);

fn replicas(admin: &Api) -> Vec<Value> {
    let answer = admin.get("/api/v1/replicas").expect(200).json();
    assert_eq!(answer["complete"], true, "{answer}");
    answer["items"].as_array().cloned().unwrap_or_default()
}

fn a_process_tells_of_itself(server: &Server) {
    let all = replicas(&server.admin());
    let own = all.iter().find(|it| it["answering"] == true).expect("the one that answers");
    assert_eq!(own["version"], env!("CARGO_PKG_VERSION"));
    assert_eq!(own["role"], "api+worker+scheduler");
    assert_eq!(own["pid"], server.process.pid());
    assert_eq!(own["backends"]["database"]["status"], "ok", "{own}");
}

fn it_is_seen_in_a_terminal(server: &Server) {
    let (done, text) = server.run(&["top", "--once"]);
    for part in ["replica", "api+worker+scheduler", env!("CARGO_PKG_VERSION"), "queue"] {
        assert!(done && text.contains(part), "no {part} in:\n{text}");
    }
    // Nobody watches a pipe: it ends there too.
    let (done, text) = server.run(&["top"]);
    assert!(done && text.contains("replica"), "{text}");
}

#[test]
fn two_processes_know_of_each_other_and_one_that_ends_is_gone_at_once() {
    let options = ServerOptions::on(Backend::postgres_and_redis());
    let api = Server::start(&options.clone().set("OUTRIGGER__DEPLOYMENT__ROLES", "api"));
    let other = Server::start(&options.set("OUTRIGGER__DEPLOYMENT__ROLES", "api,worker"));
    let admin = api.admin();
    let roles = || {
        replicas(&admin)
            .iter()
            .map(|it| it["role"].as_str().unwrap_or_default().to_owned())
            .collect::<Vec<_>>()
    };
    let known = || roles() == ["api", "api+worker"];
    wait_until("they know of each other", PATIENCE, known).unwrap();

    // What both did stands in one chart.
    for _ in 0..20 {
        other.api().get("/openapi.json").expect(200);
    }
    let counted = || {
        let overview = admin.get("/api/v1/replicas/overview").expect(200).json();
        assert_eq!((&overview["replicas"], &overview["complete"]), (&2.into(), &true.into()));
        let points = overview["points"].as_array().cloned().unwrap_or_default();
        // They may lie on both sides of a border between two points.
        let each = points.iter().filter(|it| it["p50_ms"].as_f64() > Some(0.0));
        let per_s: f64 = each.filter_map(|it| it["requests_per_s"].as_f64()).sum();
        per_s * overview["interval_s"].as_f64().unwrap() > 19.5
    };
    wait_until("the other's requests are counted", PATIENCE, counted).unwrap();
    assert!(other.terminate().success());
    assert_eq!(roles(), ["api"]);
    api.user().get("/api/v1/replicas").expect(403);
    api.api().get("/api/v1/replicas/overview").expect(401);
}
