//! The end of a process: told to the balancer at once, new work is still taken for a while, work
//! in flight ends, all inside one budget.

use std::time::{Duration, Instant};

use outrigger_testkit::{net, wait_until};
use serde_json::json;

use crate::support::{Backend, HalfRequest, Server, ServerOptions};

/// Longest time until a signal is noticed, on a busy machine.
const AT_ONCE: Duration = Duration::from_secs(15);
/// Longest time for an end that nothing holds up, on a busy machine: much shorter than an end that
/// drains where it must not.
const ENDS: Duration = Duration::from_secs(30);
const PATIENCE: Duration = Duration::from_secs(60);

fn server(drain_s: u64, shutdown_s: u64) -> Server {
    let options = ServerOptions::on(Backend::Sqlite)
        .set("OUTRIGGER__HTTP__DRAIN_S", &drain_s.to_string())
        .set("OUTRIGGER__HTTP__SHUTDOWN_S", &shutdown_s.to_string())
        // What is held in flight stays so for as long as the test wants.
        .set("OUTRIGGER__HTTP__REQUEST_TIMEOUT_S", "300");
    Server::start(&options)
}

fn health(server: &Server, path: &str) -> u16 {
    server.api().get(path).status
}

/// A write that is in flight and does not end; its id is `slow`.
fn begin_write(server: &Server, collection: &str) -> HalfRequest {
    let path = format!("/api/v1/records/{collection}/slow");
    let slow = HalfRequest::begin(server.port, "PUT", &path, &json!({"n": 1}).to_string());
    server.wait_until_in_flight(1);
    slow
}

fn public() -> serde_json::Value {
    json!({"rules": {"read": "public", "create": "public", "update": "public"}})
}

#[test]
fn a_draining_process_says_so_serves_on_ends_its_work_and_ends_in_time() {
    const DRAIN: Duration = Duration::from_secs(20);
    const SHUTDOWN: Duration = Duration::from_secs(90);
    // The rest of the time to drain is for a test that is held up.
    const ASKED: Duration = Duration::from_secs(8);
    let server = server(DRAIN.as_secs(), SHUTDOWN.as_secs());
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
    while served <= 5 || told.elapsed() < ASKED {
        let path = format!("/api/v1/records/{collection}/n{served}");
        server.api().put(&path, &json!({"n": served})).expect(201);
        served += 1;
    }
    let closed = || !net::accepts(server.port);
    wait_until("no new connections", PATIENCE, closed).unwrap();
    assert!(told.elapsed() >= DRAIN, "{:?}", told.elapsed());
    assert!(server.process.is_running(), "a request is in flight");
    let (status, body) = slow.finish();
    assert_eq!(status, 201, "{body}");
    let ended = server.process.wait(ENDS).expect("it ends");
    assert!(ended.success() && told.elapsed() < SHUTDOWN, "{ended}");
    let server = server.start_again();
    for id in ["slow".to_owned(), format!("n{}", served - 1)] {
        server.api().get(&format!("/api/v1/records/{collection}/{id}")).expect(200);
    }
}

#[test]
fn workers_elsewhere_that_wait_for_a_task_do_not_hold_the_end_up() {
    const WAIT: Duration = Duration::from_secs(20);
    let server = server(0, 60);
    let admin = server.admin();
    let lease = json!({"kinds": ["noop"], "wait_s": WAIT.as_secs()});
    let (answered, told) = std::thread::scope(|scope| {
        let waiting = scope.spawn(|| admin.post("/api/v1/queues/nothing/lease", &lease));
        server.wait_until_in_flight(1);
        let told = Instant::now();
        server.process.signal("TERM").unwrap();
        (waiting.join().unwrap(), told)
    });
    assert_eq!(answered.expect(200).json()["items"], json!([]));
    let ended = server.process.wait(ENDS).expect("it ends");
    assert!(ended.success() && told.elapsed() + Duration::from_secs(1) < WAIT, "{ended}");
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
        let server = server(60, 120);
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
    let server = server(60, 120);
    server.process.signal("INT").unwrap();
    let ended = server.process.wait(ENDS).expect("it ends at once");
    assert!(ended.success(), "{ended}");
}
