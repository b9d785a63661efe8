//! Too much to do: what is too much is refused at once, and the rest is not slowed down.

use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::time::{Duration, Instant};

use outrigger_testkit::wait_until;
use serde_json::json;

use super::{NOTICED, metric, public_collection};
use crate::support::{Backend, HalfRequest, Server, ServerOptions};

/// Longest time for one light request on a busy machine.
const LIGHT: Duration = Duration::from_secs(20);

#[test]
fn more_requests_than_allowed_at_once_are_shed_while_health_and_metrics_answer() {
    const MAX: usize = 4;
    let options = ServerOptions::on(Backend::Sqlite)
        .set("OUTRIGGER__HTTP__CONCURRENCY_MAX", &MAX.to_string())
        // What holds the places does so for as long as the test wants.
        .set("OUTRIGGER__HTTP__REQUEST_TIMEOUT_S", "300");
    let server = Server::start(&options);
    let collection = public_collection(&server);
    let path = |n: usize| format!("/api/v1/records/{collection}/r{n}");
    let body = json!({"n": 1}).to_string();
    for _ in 0..2 {
        let begin = |n| HalfRequest::begin(server.port, "PUT", &path(n), &body);
        let slow: Vec<HalfRequest> = (0..MAX).map(begin).collect();
        server.wait_until_in_flight(u32::try_from(MAX).unwrap());
        for _ in 0..20 {
            let shed = server.api().get(&path(0)).expect(503);
            assert_eq!(shed.code(), "overloaded");
            assert!(shed.header("retry-after").parse::<u64>().is_ok_and(|after| after > 0));
            for path in ["/health", "/health/live", "/health/ready", "/api/health/"] {
                server.api().get(path).expect(200);
            }
            server.internal().get("/health").expect(200);
        }
        assert!(metric(&server, &["outrigger_http_requests_shed_total"]) >= 20.0);
        for request in slow {
            let (status, text) = request.finish();
            assert!(status == 201 || status == 200, "{text}");
        }
        for n in 0..MAX {
            server.api().get(&path(n)).expect(200);
        }
    }
    // Places of clients that have gone away are free again.
    drop(
        (0..MAX)
            .map(|n| HalfRequest::begin(server.port, "PUT", &path(n), &body))
            .collect::<Vec<_>>(),
    );
    let is_free = || server.api().get(&path(0)).status == 200;
    wait_until("free places", NOTICED, is_free).unwrap();
}

#[test]
fn a_burst_of_logins_neither_stalls_other_requests_nor_takes_much_memory() {
    const LOGINS: usize = 200;
    // The product's own cost of a hash.
    let options = ServerOptions::on(Backend::Sqlite)
        .set("OUTRIGGER__AUTH__HASH_MEMORY_KIB", "")
        .set("OUTRIGGER__AUTH__HASH_ITERATIONS", "")
        // Who waits for a hash is answered, however long the others take.
        .set("OUTRIGGER__HTTP__REQUEST_TIMEOUT_S", "300");
    let server = Server::start(&options);
    let collection = public_collection(&server);
    let path = format!("/api/v1/records/{collection}/one");
    server.api().put(&path, &json!({"n": 1})).expect(201);
    let (email, _) = server.new_login();
    let memory = || metric(&server, &["process_resident_memory_bytes"]);
    let before = memory();
    let (done, busy) = (AtomicBool::new(false), AtomicU32::new(0));
    let (worst, most) = std::thread::scope(|scope| {
        let looked = scope.spawn(|| {
            let (api, mut worst, mut most) = (server.api(), Duration::ZERO, 0.0_f64);
            while !done.load(Ordering::SeqCst) {
                for path in ["/health", &path] {
                    let started = Instant::now();
                    api.get(path).expect(200);
                    worst = worst.max(started.elapsed());
                }
                most = most.max(memory());
            }
            (worst, most)
        });
        let logins: Vec<_> = (0..LOGINS)
            .map(|_| {
                scope.spawn(|| {
                    let answer = server.api().login(&email, Server::password());
                    if answer.status == 503 {
                        assert_eq!(answer.code(), "busy");
                        assert!(answer.header("retry-after").parse::<u64>().is_ok());
                        busy.fetch_add(1, Ordering::SeqCst);
                    } else {
                        answer.expect(200);
                    }
                })
            })
            .collect();
        for login in logins {
            login.join().expect("a login ends");
        }
        done.store(true, Ordering::SeqCst);
        looked.join().expect("it looks")
    });
    let busy = busy.into_inner() as usize;
    assert!(busy < LOGINS, "nobody could sign in");
    assert!(worst < LIGHT, "{worst:?}");
    // One hash takes 19 MiB; as many at once as there are cores, and no more.
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let hashes = f64::from(u32::try_from(cores).unwrap()) * 19.0;
    assert!(most - before < (hashes + 40.0) * 1_048_576.0, "{before} {most}");
    server.api().login(&email, Server::password()).expect(200);
}
