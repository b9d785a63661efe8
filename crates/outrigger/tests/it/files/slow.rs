//! Clients that take their time: they hold up nobody else.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use outrigger_testkit::wait_until;
use serde_json::json;

use super::client::Client;
use super::{in_folder, kept};
use crate::support::{Api, HalfRequest, Server};

const WITHIN: Duration = Duration::from_secs(60);

#[test]
fn uploads_have_places_of_their_own() {
    let options = in_folder()
        .set("OUTRIGGER__HTTP__CONCURRENCY_MAX", "4")
        .set("OUTRIGGER__FILES__UPLOADS_MAX", "8");
    let server = Server::start(&options);
    let users: Vec<Api> = (0..5).map(|_| server.user()).collect();
    let mut slow = Vec::new();
    for user in &users[..4] {
        for _ in 0..2 {
            let token = format!("authorization: Bearer {}\r\n", user.token());
            let path = "/api/v1/files";
            slow.push(HalfRequest::begin_with(server.port, "POST", path, "{\"a\": 1}", &token));
            let is_under_way = || kept(&server).len() == slow.len();
            wait_until("an upload is under way", WITHIN, is_under_way).unwrap();
        }
    }
    // More are under way than requests may be in flight, and whoever asks for something else is served.
    for user in &users {
        assert_eq!(user.get("/api/v1/files").expect(200).json()["items"], json!([]));
    }
    for (user, status) in [(&users[0], 429), (&users[4], 503)] {
        let refused = Client::of(user, server.port).post("", &[], b"x").expect(status);
        assert_eq!(refused.json()["code"], "too_many_transfers");
        assert!(refused.header("retry-after").parse::<u64>().is_ok_and(|after| after > 0));
    }
    for upload in slow.drain(..) {
        let (status, text) = upload.finish();
        assert_eq!(status, 201, "{text}");
    }
    Client::of(&users[4], server.port).post("", &[], b"x").expect(201);
}

#[test]
fn a_client_that_does_not_read_is_given_up() {
    const BYTES: u64 = 48 << 20;
    let options = in_folder()
        .set("OUTRIGGER__HTTP__WRITE_TIMEOUT_S", "1")
        .set("OUTRIGGER__FILES__DOWNLOADS_MAX", "1");
    let server = Server::start(&options);
    let user = server.user();
    let client = Client::of(&user, server.port);
    let mut made = client.stream("", &[], std::io::repeat(7).take(BYTES));
    assert_eq!(made.status(), 201);
    let made: serde_json::Value = serde_json::from_reader(made.body_mut().as_reader()).unwrap();
    let path = format!("/{}/content", made["id"].as_str().unwrap());
    let mut stream = TcpStream::connect(("127.0.0.1", server.port)).unwrap();
    write!(
        stream,
        "GET /api/v1/files{path} HTTP/1.1\r\nhost: localhost\r\nauthorization: Bearer {}\r\n\r\n",
        user.token()
    )
    .unwrap();
    let mut status = [0; 12];
    stream.read_exact(&mut status).unwrap();
    assert_eq!(&status, b"HTTP/1.1 200");
    // It has the only place until it is given up, of those that more than 256 KiB need.
    assert_eq!(client.get(&path, &[("range", "bytes=0-262143")]).status, 206);
    let is_free = || client.get(&path, &[("range", "bytes=0-262144")]).status == 206;
    wait_until("its place is free", WITHIN, is_free).unwrap();
    let mut rest = Vec::new();
    let end = stream.read_to_end(&mut rest);
    assert!((rest.len() as u64) < BYTES, "all of it came: {end:?}");
}
