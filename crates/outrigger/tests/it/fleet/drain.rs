//! The end of a process: told to the balancer at once, new work is still taken for a while, work
//! in flight ends, all inside one budget.

use std::time::{Duration, Instant};

use outrigger_testkit::{net, wait_until};
use serde_json::json;

use crate::support::{Backend, HalfRequest, Server, ServerOptions};

const AT_ONCE: Duration = Duration::from_secs(3);
/// Longest time for an end that nothing holds up, on a busy machine.
const ENDS: Duration = Duration::from_secs(15);

fn server(drain_s: u64, shutdown_s: u64) -> Server {
    let options = ServerOptions::on(Backend::Sqlite)
        .set("OUTRIGGER__HTTP__DRAIN_S", &drain_s.to_string())
        .set("OUTRIGGER__HTTP__SHUTDOWN_S", &shutdown_s.to_string());
    Server::start(&options)
}

fn health(server: &Server, path: &str) -> u16 {
    server.api().get(path).status
}

/// A write that has begun and not ended; its id is `slow`.
fn begin_write(server: &Server, collection: &str) -> HalfRequest {
    let path = format!("/api/v1/records/{collection}/slow");
    HalfRequest::begin(server.port, "PUT", &path, &json!({"n": 1}).to_string())
}

fn public() -> serde_json::Value {
    json!({"rules": {"read": "public", "create": "public", "update": "public"}})
}

#[test]
fn a_draining_process_says_so_serves_on_ends_its_work_and_ends_in_time() {
    let server = server(6, 30);
    let collection = server.collection(&public());
    let idle = server.api();
    idle.get("/health").expect(200);
    let slow = begin_write(&server, &collection);
    let told = Instant::now();
    server.process.signal("TERM").unwrap();
    wait_until("draining", AT_ONCE, || health(&server, "/health") == 503).unwrap();
    assert_eq!(health(&server, "/health/ready"), 503);
    assert_eq!(health(&server, "/health/live"), 200);
    assert_eq!(server.internal().get("/health").status, 503);
    assert_eq!(server.api().get("/api/health/").expect(503).json()["status"], "draining");
    // The balancer may need this long to notice: new connections are served as ever.
    let mut served = 0;
    while told.elapsed() < Duration::from_millis(4_500) {
        let path = format!("/api/v1/records/{collection}/n{served}");
        server.api().put(&path, &json!({"n": served})).expect(201);
        served += 1;
    }
    assert!(served > 5, "{served}");
    let closed = || !net::accepts(server.port);
    wait_until("no new connections", ENDS, closed).unwrap();
    assert!(told.elapsed() >= Duration::from_secs(6), "{:?}", told.elapsed());
    assert!(server.process.is_running(), "a request is in flight");
    let (status, body) = slow.finish();
    assert_eq!(status, 201, "{body}");
    let ended = server.process.wait(ENDS).expect("it ends");
    assert!(ended.success() && told.elapsed() < Duration::from_secs(30), "{ended}");
    let server = server.start_again();
    for id in ["slow".to_owned(), format!("n{}", served - 1)] {
        server.api().get(&format!("/api/v1/records/{collection}/{id}")).expect(200);
    }
}

#[test]
fn workers_elsewhere_that_wait_for_a_task_do_not_hold_the_end_up() {
    let server = server(0, 30);
    let admin = server.admin();
    let lease = json!({"kinds": ["noop"], "wait_s": 20});
    let (answered, told) = std::thread::scope(|scope| {
        let waiting = scope.spawn(|| admin.post("/api/v1/queues/nothing/lease", &lease));
        server.wait_until_in_flight(1);
        let told = Instant::now();
        server.process.signal("TERM").unwrap();
        (waiting.join().unwrap(), told)
    });
    assert_eq!(answered.expect(200).json()["items"], json!([]));
    let ended = server.process.wait(ENDS).expect("it ends");
    assert!(ended.success() && told.elapsed() < ENDS, "{ended}");
}

#[test]
fn work_that_does_not_end_does_not_keep_the_process_beyond_its_budget() {
    let server = server(1, 3);
    let collection = server.collection(&public());
    let _never = begin_write(&server, &collection);
    let told = Instant::now();
    server.process.signal("TERM").unwrap();
    let ended = server.process.wait(ENDS).expect("it ends");
    assert!(ended.success(), "{ended}");
    assert!(told.elapsed() >= Duration::from_millis(2_900), "{:?}", told.elapsed());
    let server = server.start_again();
    server.api().get(&format!("/api/v1/records/{collection}/slow")).expect(404);
}

#[test]
fn a_second_signal_ends_the_process_at_once() {
    for with_work in [false, true] {
        let server = server(30, 60);
        let collection = server.collection(&public());
        let _slow = with_work.then(|| begin_write(&server, &collection));
        server.process.signal("TERM").unwrap();
        wait_until("draining", AT_ONCE, || health(&server, "/health") == 503).unwrap();
        server.process.signal("TERM").unwrap();
        let ended = server.process.wait(ENDS);
        assert!(ended.is_some(), "with work in flight: {with_work}");
    }
}

#[test]
fn an_interrupt_from_the_keyboard_does_not_drain() {
    let server = server(30, 60);
    server.process.signal("INT").unwrap();
    let ended = server.process.wait(ENDS).expect("it ends at once");
    assert!(ended.success(), "{ended}");
}
