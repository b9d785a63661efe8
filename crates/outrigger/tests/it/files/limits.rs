//! What is too large or of another type is refused, and nothing of it stays.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use serde_json::json;

use super::client::{Client, form};
use super::{in_folder, kept};
use crate::support::{Api, Server, ServerOptions};

#[test]
fn size_and_type_are_limited_in_a_folder() {
    size_and_type_are_limited(&Server::start(&limited(in_folder())));
}

#[cfg(feature = "s3")]
#[test]
fn size_and_type_are_limited_on_s3() {
    size_and_type_are_limited(&Server::start(&limited(super::in_s3())));
}

fn limited(options: ServerOptions) -> ServerOptions {
    options
        .set("OUTRIGGER__FILES__SIZE_BYTES_MAX", "3000000")
        .set("OUTRIGGER__FILES__TYPES", "image/*,application/pdf")
}

fn size_and_type_are_limited(server: &Server) {
    let user = server.user();
    let client = Client::of(&user, server.port);
    let png = |size: usize| [b"\x89PNG\r\n\x1a\n".to_vec(), vec![7; size - 8]].concat();
    let most = client.post("", &[], &png(3_000_000)).expect(201);
    user.delete(&format!("/api/v1/files/{}", most.id())).expect(204);
    // Announced, and therefore refused before it is sent; of unknown length; within a form.
    assert!(announce(server, &user, 3_000_001).starts_with("HTTP/1.1 413 "));
    let mut streamed = client.stream("", &[], png(3_000_001).as_slice());
    assert_eq!(streamed.status(), 413);
    let mut text = String::new();
    streamed.body_mut().as_reader().read_to_string(&mut text).unwrap();
    assert!(text.contains("file_too_large") && text.contains("3000000 bytes"), "{text}");
    let (kind, body) = form(&[], ("a.png", "image/png", &png(3_000_001)));
    client.post("", &[("content-type", &kind)], &body).expect(413);
    for (bytes, is) in
        [(b"%!PS-Adobe".as_slice(), ""), (b"<html><p>", "text/html"), (b"PNG is text", "")]
    {
        let refused =
            client.post("?name=a.png", &[("content-type", "image/png")], bytes).expect(415);
        assert_eq!(refused.json()["code"], "file_type");
        assert!(refused.json()["detail"].as_str().unwrap().contains(is), "{}", refused.json());
    }
    assert_eq!(client.get("", &[]).expect(200).json()["items"], json!([]));
    assert_eq!(kept(server), Vec::<String>::new());
    // Other routes keep their limit.
    let large = json!({"email": "x".repeat(1_100_000), "password": "x"});
    assert_eq!(
        server.api().with("connection", "close").post("/api/v1/auth/login", &large).status,
        413
    );
}

/// The answer to a head that announces so many bytes, of which none is sent.
fn announce(server: &Server, api: &Api, bytes: usize) -> String {
    let mut stream = TcpStream::connect(("127.0.0.1", server.port)).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
    write!(
        stream,
        "POST /api/v1/files HTTP/1.1\r\nhost: localhost\r\nauthorization: Bearer {}\r\n\
         content-length: {bytes}\r\n\r\n",
        api.token()
    )
    .unwrap();
    let mut answer = [0; 64];
    stream.read_exact(&mut answer).unwrap();
    String::from_utf8_lossy(&answer).into_owned()
}

#[test]
fn settings_that_cannot_be_are_refused() {
    for (name, value, words) in [
        ("OUTRIGGER__FILES__TYPES", "image", "no media type"),
        ("OUTRIGGER__FILES__CREATE", "everybody", "a rule is"),
        ("OUTRIGGER__FILES__SIZE_BYTES_MAX", "0", "at least 1"),
        ("BLOB_URL", "s3://", "bucket"),
        ("BLOB_URL", "az://x", "no place for files"),
    ] {
        let folder = outrigger_testkit::TempDir::new("settings").unwrap();
        let options = in_folder().set(name, value);
        let (done, text) = crate::support::run(&options, folder.path(), &["serve"], "");
        assert!(!done && text.contains(words), "{name}={value}: {text}");
    }
}
