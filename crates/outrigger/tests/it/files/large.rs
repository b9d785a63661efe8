//! A large file goes up and down in the memory of a small one.

use std::io::{Cursor, Read};

use outrigger_testkit::sized;

use super::client::{Client, form};
use super::in_folder;
use crate::support::{Server, ServerOptions};

const MIB: usize = 1024 * 1024;
/// What one transfer may need beyond what the process has at rest: pieces, and two parts of 8 MiB.
const GROWTH_MIB_MAX: usize = 64;

/// What comes after the file in a form.
const FORM_END: &[u8] = b"\r\n--frontier--\r\n";

/// How the bytes are sent: each is shown on one backend.
#[derive(Clone, Copy)]
enum Sent {
    /// As the body.
    Raw,
    /// As a field of a form.
    Form,
}

#[test]
fn memory_is_constant_in_a_folder() {
    memory_is_constant(&in_folder(), Sent::Raw);
}

#[cfg(feature = "s3")]
#[test]
fn memory_is_constant_of_a_form_on_s3() {
    memory_is_constant(&super::in_s3(), Sent::Form);
}

/// Bytes that are not the same from piece to piece.
struct Pattern {
    at: usize,
    end: usize,
}

fn byte(at: usize) -> u8 {
    u8::try_from((at / 3 + at / 65_521) % 251).unwrap_or_default()
}

impl Read for Pattern {
    fn read(&mut self, out: &mut [u8]) -> std::io::Result<usize> {
        let count = out.len().min(self.end - self.at);
        for (index, slot) in out[..count].iter_mut().enumerate() {
            *slot = byte(self.at + index);
        }
        self.at += count;
        Ok(count)
    }
}

/// The most memory that the process has had so far, in MiB.
fn peak_mib(server: &Server) -> usize {
    let status = std::fs::read_to_string(format!("/proc/{}/status", server.process.pid())).unwrap();
    let line = status.lines().find(|line| line.starts_with("VmHWM:")).unwrap();
    let kib: usize = line.split_whitespace().nth(1).unwrap().parse().unwrap();
    kib / 1024
}

/// Sends so many bytes of the pattern.
fn send(client: &Client<'_>, sent: Sent, size: usize) -> ureq::http::Response<ureq::Body> {
    let bytes = Pattern { at: 0, end: size };
    match sent {
        Sent::Raw => {
            let length = size.to_string();
            client.stream("?name=large", &[("content-length", &length)], bytes)
        }
        Sent::Form => {
            let (kind, empty) = form(&[("read", "user")], ("large", "video/mp4", b""));
            let (head, end) = empty.split_at(empty.len() - FORM_END.len());
            assert_eq!(end, FORM_END);
            let length = (empty.len() + size).to_string();
            let headers = [("content-type", kind.as_str()), ("content-length", &length)];
            client.stream("", &headers, Cursor::new(head).chain(bytes).chain(end))
        }
    }
}

fn memory_is_constant(options: &ServerOptions, sent: Sent) {
    let server = Server::start(options);
    let user = server.user();
    let client = Client::of(&user, server.port);
    // What is there for any file is there after a small one.
    client.post("", &[], &vec![1; MIB]).expect(201);
    let before = peak_mib(&server);
    let size = sized(200 * MIB, 1024 * MIB);
    let mut made = send(&client, sent, size);
    assert_eq!(made.status(), 201);
    let made: serde_json::Value =
        serde_json::from_str(&made.body_mut().read_to_string().unwrap()).unwrap();
    assert_eq!(made["size"], size);
    let uploaded = peak_mib(&server);
    let path = format!("/{}/content", made["id"].as_str().unwrap());
    let mut content = client.open(&path, &[]);
    let (mut body, mut piece, mut at) = (content.body_mut().as_reader(), vec![0; MIB], 0);
    loop {
        let count = body.read(&mut piece).unwrap();
        if count == 0 {
            break;
        }
        let same = piece[..count].iter().enumerate().all(|(index, got)| *got == byte(at + index));
        assert!(same, "it differs after {at} bytes");
        at += count;
    }
    assert_eq!(at, size);
    let after = peak_mib(&server);
    eprintln!("{} MiB: {before} MiB, uploaded {uploaded} MiB, downloaded {after} MiB", size / MIB);
    assert!(after < before + GROWTH_MIB_MAX, "{before} MiB before, {after} MiB after");
}
