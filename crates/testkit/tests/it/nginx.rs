//! The balancer without health checks, in front of two small HTTP servers.

use std::net::SocketAddr;

use outrigger_testkit::{Nginx, net};

use super::haproxy::backend;

#[test]
fn it_takes_turns() {
    let ((one, _), (two, _)) = (backend("one"), backend("two"));
    let balancer = Nginx::start(&[one, two]).unwrap();
    let answers: Vec<_> = (0..6).map(|_| net::http_get(balancer.address(), "/").unwrap()).collect();
    assert!(answers.iter().all(|(status, _)| *status == 200), "{answers:?}");
    assert_eq!(answers.iter().filter(|(_, body)| body == "one").count(), 3);
}

#[test]
fn a_backend_that_is_not_there_costs_no_request() {
    let (one, _) = backend("one");
    let nobody = SocketAddr::from(([127, 0, 0, 1], outrigger_testkit::free_port().unwrap()));
    let balancer = Nginx::start(&[nobody, one]).unwrap();
    for _ in 0..6 {
        assert_eq!(net::http_get(balancer.address(), "/").unwrap(), (200, "one".to_owned()));
    }
    assert!(balancer.log().contains(&nobody.to_string()), "it has tried");
}
