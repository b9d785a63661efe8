//! No request reaches a private address, in whatever form it is written.

use std::collections::VecDeque;
use std::io;
use std::net::IpAddr;
use std::sync::{Arc, Mutex};

use outrigger_ports::http_client::{HttpClient, HttpFault};
use outrigger_testkit::Receiver;
use outrigger_web::{Resolve, WebClient, WebOptions};

use crate::{block_on, request};

/// Gives its answers one after the other.
#[derive(Debug)]
struct Told(Mutex<VecDeque<Vec<IpAddr>>>);

impl Told {
    fn of(answers: &[&[&str]]) -> Arc<Self> {
        let addresses = |answer: &&[&str]| answer.iter().map(|a| a.parse().unwrap()).collect();
        Arc::new(Self(Mutex::new(answers.iter().map(addresses).collect())))
    }
}

#[async_trait::async_trait]
impl Resolve for Told {
    async fn resolve(&self, _: &str) -> io::Result<Vec<IpAddr>> {
        self.0.lock().unwrap().pop_front().ok_or_else(|| io::ErrorKind::NotFound.into())
    }
}

fn guarded(resolver: Arc<dyn Resolve>) -> WebClient {
    WebClient::new(WebOptions { resolver, ..WebOptions::default() }).unwrap()
}

#[track_caller]
fn assert_refused(client: &WebClient, url: &str) {
    let fault = block_on(client.send(request(url))).unwrap_err();
    assert!(
        matches!(&fault, HttpFault::Refused(why) if why.contains("webhooks.allow_private")),
        "{url}: {fault:?}"
    );
}

#[test]
fn literal_addresses_in_odd_forms_are_refused() {
    let receiver = Receiver::start().unwrap();
    let client = guarded(Told::of(&[]));
    for host in [
        "127.0.0.1",
        "127.1",
        "127.0.0.1.",
        "2130706433",
        "0x7f000001",
        "0x7f.0.0.1",
        "0177.0.0.1",
        "017700000001",
        "%31%32%37.0.0.1",
        "１２７.0.0.1",
        "127。0。0。1",
        "0",
        "0.0.0.0",
        "[::1]",
        "[::]",
        "[::ffff:127.0.0.1]",
        "[::ffff:7f00:1]",
        "[::127.0.0.1]",
        "[64:ff9b::7f00:1]",
        "[2002:7f00:1::]",
        "169.254.169.254",
        "[fd00:ec2::254]",
        "0xa9fea9fe",
        "100.100.100.200",
    ] {
        assert_refused(&client, &format!("http://{host}:{}/", receiver.port()));
    }
    assert!(receiver.received().is_empty());
}

#[test]
fn a_name_that_leads_to_a_private_address_is_refused() {
    let receiver = Receiver::start().unwrap();
    let url = format!("http://hooks.example:{}/", receiver.port());
    for addresses in [
        &["127.0.0.1"][..],
        &["10.0.0.1"],
        &["::1"],
        &["::ffff:127.0.0.1"],
        // One bad address among good ones is enough.
        &["203.0.113.1", "127.0.0.1"],
        &["1.1.1.1", "fe80::1"],
    ] {
        assert_refused(&guarded(Told::of(&[addresses])), &url);
    }
    assert!(receiver.received().is_empty());
}

#[test]
fn the_name_is_looked_up_once_and_the_checked_address_is_used() {
    let receiver = Receiver::start().unwrap();
    // The second look-up of a name that changes its mind would be another place.
    let resolver = Told::of(&[&["127.0.0.1"], &["192.0.2.1"]]);
    let options =
        WebOptions { allow_private: true, resolver: resolver.clone(), ..WebOptions::default() };
    let client = WebClient::new(options).unwrap();
    let url = format!("http://hooks.example:{}/", receiver.port());
    assert_eq!(block_on(client.send(request(&url))).unwrap().status, 200);
    assert_eq!(receiver.received()[0].header("host"), format!("hooks.example:{}", receiver.port()));
    assert_eq!(resolver.0.lock().unwrap().len(), 1);
}

#[test]
fn a_name_without_address_may_have_one_later() {
    let client = guarded(Told::of(&[&[]]));
    for _ in 0..2 {
        let fault = block_on(client.send(request("http://hooks.example/"))).unwrap_err();
        assert!(matches!(fault, HttpFault::Connection(_)), "{fault:?}");
    }
}
