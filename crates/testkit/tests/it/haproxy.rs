//! The balancer, in front of two small HTTP servers.

use std::io::{BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use outrigger_testkit::{Haproxy, net};

const SOON: Duration = Duration::from_secs(60);

/// Answers its name on every path, and 503 on /health when told to drain.
pub(super) fn backend(name: &'static str) -> (SocketAddr, Arc<AtomicBool>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let draining = Arc::new(AtomicBool::new(false));
    let drains = draining.clone();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = BufReader::new(stream.unwrap());
            let mut first = String::new();
            if stream.read_line(&mut first).unwrap_or(0) == 0 {
                continue;
            }
            let mut line = String::new();
            while stream.read_line(&mut line).unwrap_or(0) > 2 {
                line.clear();
            }
            let drained = first.contains("/health") && drains.load(Ordering::SeqCst);
            let status = if drained { "503 Draining" } else { "200 OK" };
            let length = name.len();
            let answer = format!(
                "HTTP/1.1 {status}\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n{name}"
            );
            let _ = stream.get_mut().write_all(answer.as_bytes());
        }
    });
    (address, draining)
}

#[test]
fn it_takes_turns_and_leaves_out_who_drains() {
    let (one, drain_one) = backend("one");
    let (two, _) = backend("two");
    let balancer = Haproxy::start(&[one, two]).unwrap();
    balancer.wait_for_up(2, SOON).unwrap();
    let ask = || net::http_get(balancer.address(), "/").unwrap();
    let answers: Vec<_> = (0..4).map(|_| ask()).collect();
    assert_eq!(answers.iter().filter(|(status, _)| *status == 200).count(), 4);
    assert_eq!(answers.iter().filter(|(_, body)| body == "one").count(), 2);

    drain_one.store(true, Ordering::SeqCst);
    balancer.wait_for_up(1, SOON).unwrap();
    assert_eq!(balancer.up().unwrap(), [false, true]);
    assert!((0..4).all(|_| ask() == (200, "two".to_owned())));

    drain_one.store(false, Ordering::SeqCst);
    balancer.wait_for_up(2, SOON).unwrap();
    assert!((0..4).any(|_| ask() == (200, "one".to_owned())));
}

#[test]
fn a_backend_that_is_not_there_costs_no_request() {
    let (one, _) = backend("one");
    let nobody = SocketAddr::from(([127, 0, 0, 1], outrigger_testkit::free_port().unwrap()));
    let balancer = Haproxy::start(&[nobody, one]).unwrap();
    for _ in 0..6 {
        assert_eq!(net::http_get(balancer.address(), "/").unwrap(), (200, "one".to_owned()));
    }
}
