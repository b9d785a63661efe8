//! Bytes that are no good HTTP: a 4xx or the end of the connection, and the server serves on.

use std::io::Write;
use std::net::TcpStream;
use std::time::Duration;

use serde_json::json;

use super::raw;
use crate::support::{Backend, HalfRequest, Server, ServerOptions};

#[test]
fn bytes_that_are_no_http_end_with_a_4xx_or_with_the_connection() {
    let server = Server::start(&ServerOptions::on(Backend::Sqlite));
    let long_header = format!(
        "GET /api/v1/users/me HTTP/1.1\r\nhost: x\r\nx-long: {}\r\n\r\n",
        "x".repeat(20_000)
    );
    let many_headers =
        format!("GET /api/v1/users/me HTTP/1.1\r\nhost: x\r\n{}\r\n", "x-many: 1\r\n".repeat(200));
    let long_path = format!("GET /{} HTTP/1.1\r\nhost: x\r\n\r\n", "x".repeat(70_000));
    let post = "POST /api/v1/auth/login HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-type: application/json\r\n";
    let cases: [&[u8]; 16] = [
        b"\0\0\0\0\r\n\r\n",
        b"hello\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
        b"GET / HTTP/9.9\r\nhost: x\r\n\r\n",
        b"GET http://[::1 HTTP/1.1\r\nhost: x\r\n\r\n",
        b"GET /api/v1/users/\xff HTTP/1.1\r\nhost: x\r\n\r\n",
        b"GET /api/v1/users/me HTTP/1.1\r\nno colon here\r\n\r\n",
        b"GET /api/v1/users/me HTTP/1.1\r\nhost: x\r\nconnection: close\r\nauthorization: Bearer \xff\xfe\r\n\r\n",
        b"GET /api/v1/users/me HTTP/1.1\r\nhost: x\r\nconnection: close\r\nx-request-id: \xff\x01\r\n\r\n",
        long_header.as_bytes(),
        many_headers.as_bytes(),
        long_path.as_bytes(),
        &[post.as_bytes(), b"content-length: -1\r\n\r\n{}"].concat(),
        &[post.as_bytes(), b"content-length: 2\r\ncontent-length: 3\r\n\r\n{}"].concat(),
        &[post.as_bytes(), b"transfer-encoding: chunked\r\n\r\nzz\r\n{}\r\n"].concat(),
        &[post.as_bytes(), b"transfer-encoding: gzip\r\ncontent-length: 2\r\n\r\n{}"].concat(),
    ];
    for bytes in cases {
        let said = String::from_utf8_lossy(&bytes[..bytes.len().min(60)]).into_owned();
        if let Some(answer) = raw::exchange(server.port, bytes) {
            assert!(
                (400..500).contains(&answer.status),
                "{said:?}: {} {}",
                answer.status,
                answer.text
            );
        }
        server.api().get("/health").expect(200);
    }
    assert!(server.process.is_running());
}

#[test]
fn a_body_that_ends_too_early_changes_nothing() {
    let server = Server::start(&ServerOptions::on(Backend::Sqlite));
    let collection = server.collection(&json!({"rules": {"read": "public", "create": "public"}}));
    let path = format!("/api/v1/records/{collection}/cut");
    for _ in 0..10 {
        drop(HalfRequest::begin(server.port, "PUT", &path, &json!({"n": 1}).to_string()));
    }
    server.api().get(&path).expect(404);
}

#[test]
fn a_client_that_sends_too_slowly_is_told_that_it_is_its_own_fault() {
    let options = ServerOptions::on(Backend::Sqlite)
        .set("OUTRIGGER__HTTP__REQUEST_TIMEOUT_S", "12")
        .set("OUTRIGGER__HTTP__HEADER_TIMEOUT_S", "2");
    let server = Server::start(&options);
    let collection = server.collection(&json!({"rules": {"read": "public", "create": "public"}}));
    let path = format!("/api/v1/records/{collection}/slow");
    let slow = HalfRequest::begin(server.port, "PUT", &path, &json!({"n": 1}).to_string());
    let (status, text) = slow.answer();
    assert_eq!(status, 408, "no input makes a 5xx: {text}");
    // Headers that never end: the connection is closed.
    let started = std::time::Instant::now();
    assert!(
        raw::exchange(server.port, b"GET /health HTTP/1.1\r\nhost: x\r\n")
            .is_none_or(|a| a.status == 408)
    );
    assert!(started.elapsed() < Duration::from_secs(20), "{:?}", started.elapsed());
    server.api().get(&path).expect(404);
}

#[test]
fn after_a_refusal_the_connection_is_usable_or_said_to_be_closed() {
    let server = Server::start(&ServerOptions::on(Backend::Sqlite));
    let body = json!({"current_password": "x", "new_password": "y"}).to_string();
    let head = format!(
        "POST /api/v1/auth/change-password HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n",
        body.len()
    );
    let mut stream = TcpStream::connect(("127.0.0.1", server.port)).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
    // Without credentials it is refused before the body has arrived.
    stream.write_all(head.as_bytes()).unwrap();
    let refused = raw::read_answer(&mut stream).expect("an answer");
    assert_eq!(refused.status, 401);
    if refused.header("connection") == "close" {
        return;
    }
    stream.write_all(body.as_bytes()).unwrap();
    stream.write_all(b"GET /health HTTP/1.1\r\nhost: x\r\n\r\n").unwrap();
    let next = raw::read_answer(&mut stream).expect("the connection was not said to be closed");
    assert_eq!(next.status, 200);
}
