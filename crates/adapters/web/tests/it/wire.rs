//! What goes over the wire, and what comes back.

use std::time::Duration;

use outrigger_ports::http_client::{HttpClient, HttpFault, HttpRequest};
use outrigger_testkit::{Receiver, free_port};

use crate::{block_on, open, request};

#[test]
fn a_request_arrives_as_it_was_given() {
    let receiver = Receiver::start().unwrap();
    let answer = block_on(open().send(request(&receiver.url("/a/b?c=d%20e#f")))).unwrap();
    assert_eq!((answer.status, &answer.body[..], answer.is_cut), (200, &b"ok"[..], false));
    assert_eq!(answer.header("content-type"), Some("text/plain"));
    let received = receiver.received().remove(0);
    assert_eq!((received.method.as_str(), received.path.as_str()), ("POST", "/a/b?c=d%20e"));
    assert_eq!(received.header("host"), format!("127.0.0.1:{}", receiver.port()));
    assert_eq!(received.header("x-colour"), "red");
    assert_eq!(received.header("content-length"), "7");
    assert_eq!(received.body, b"{\"a\":1}");
}

#[test]
fn a_redirect_is_an_answer_and_is_not_followed() {
    let (receiver, other) = (Receiver::start().unwrap(), Receiver::start().unwrap());
    let head = format!("307 Temporary Redirect\r\nLocation: {}", other.url("/"));
    receiver.answer(&head, "");
    let answer = block_on(open().send(request(&receiver.url("/")))).unwrap();
    assert_eq!(answer.status, 307);
    assert!(other.received().is_empty());
}

#[test]
fn so_much_of_a_body_is_read_as_was_asked_for() {
    let receiver = Receiver::start().unwrap();
    for (length, is_cut) in [(16, false), (17, true), (1 << 20, true)] {
        receiver.answer("200 OK", &"x".repeat(length));
        let answer = block_on(open().send(request(&receiver.url("/")))).unwrap();
        assert_eq!((answer.body.len(), answer.is_cut), (16, is_cut), "{length}");
    }
}

#[test]
fn who_does_not_answer_is_given_up() {
    let receiver = Receiver::start().unwrap();
    receiver.stay_silent();
    let short = HttpRequest { timeout: Duration::from_millis(200), ..request(&receiver.url("/")) };
    assert_eq!(block_on(open().send(short)), Err(HttpFault::TimedOut));
}

#[test]
fn nobody_there_is_a_fault_of_the_connection() {
    let url = format!("http://127.0.0.1:{}/", free_port().unwrap());
    let fault = block_on(open().send(request(&url))).unwrap_err();
    assert!(matches!(fault, HttpFault::Connection(_)), "{fault:?}");
}

#[test]
fn what_cannot_be_sent_is_refused() {
    let receiver = Receiver::start().unwrap();
    let with_header = |name: &str, value: &str| HttpRequest {
        headers: vec![(name.to_owned(), value.to_owned())],
        ..request(&receiver.url("/"))
    };
    for bad in [
        with_header("a b", "c"),
        with_header("a", "b\r\nc: d"),
        HttpRequest { method: "A B".to_owned(), ..request(&receiver.url("/")) },
        request("ftp://127.0.0.1/"),
        request("file:///etc/passwd"),
        request("http://user:secret@127.0.0.1/"),
        request("http://"),
        request("/relative"),
    ] {
        let fault = block_on(open().send(bad.clone())).unwrap_err();
        assert!(matches!(fault, HttpFault::Refused(_)), "{bad:?}: {fault:?}");
    }
    assert!(receiver.received().is_empty());
}
