//! Health, metrics, and what a user sees of them.

use std::time::Duration;

use outrigger_testkit::{eventually, wait_until};
use serde_json::json;

use crate::support::{Server, on_each_backend};

/// What was late for one look of the process, on a busy machine, is well at one of the next.
const PATIENCE: Duration = Duration::from_secs(60);

on_each_backend!(health_is_told_in_four_ways, metrics_are_on_the_internal_port_only);

fn health_is_told_in_four_ways(server: &Server) {
    for api in [server.api(), server.internal()] {
        api.get("/health").expect(200);
        api.get("/health/live").expect(200);
        let ready = || api.get("/health/ready").status == 200;
        wait_until("it is ready", PATIENCE, ready).unwrap();
    }
    let report = eventually("all is well", PATIENCE, || {
        let report = server.api().get("/api/health/");
        anyhow::ensure!(report.status == 200 && report.json()["status"] == "ok", "{}", report.text);
        Ok(report.json())
    });
    let report = report.unwrap();
    let role = &json!("api+worker+scheduler");
    assert_eq!((&report["status"], &report["role"]), (&json!("ok"), role));
    for dependency in ["database", "cache", "limiter", "queue"] {
        assert_eq!(report["checks"][dependency]["status"], "ok", "{dependency}: {report}");
    }
    assert!(report["uptime_s"].is_u64() && report["version"].is_string());
}

fn metrics_are_on_the_internal_port_only(server: &Server) {
    server.api().get("/metrics").expect(404);
    let name = server.collection(&json!({"rules": {"read": "public"}}));
    server.admin().put(&format!("/api/v1/records/{name}/x"), &json!({})).expect(201);
    for _ in 0..3 {
        server.api().get(&format!("/api/v1/records/{name}/x")).expect(200);
    }
    let metrics = server.internal().get("/metrics").expect(200).text;
    for part in [
        "outrigger_http_request_duration_seconds_bucket{method=\"GET\",route=\"/api/v1/records/{collection}/{id}\",status=\"200\"",
        "outrigger_cache_requests_total{outcome=\"hit\"}",
        "outrigger_cache_requests_total{outcome=\"miss\"}",
        "outrigger_authentication_total{action=\"login\",outcome=\"ok\"}",
        "outrigger_limiter_decisions_total{outcome=\"allowed\"",
        "outrigger_store_operation_seconds_bucket{operation=\"commit\"",
        "process_resident_memory_bytes",
    ] {
        assert!(metrics.contains(part), "no {part} in:\n{metrics}");
    }
}
