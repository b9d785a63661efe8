//! Uploads that are cut off leave nothing behind, whoever was killed.

use std::io::Write;
use std::net::TcpStream;
use std::time::Duration;

use outrigger_testkit::wait_until;
use serde_json::json;

use super::{in_folder, kept};
use crate::support::{Api, Server, ServerOptions};

const WITHIN: Duration = Duration::from_secs(120);
/// An upload on which nothing comes is swept after so long, and after half of it at the earliest: it must
/// be there still when the server is killed.
const UNFINISHED_S: &str = "30";

#[test]
fn a_client_that_goes_away_leaves_nothing_in_a_folder() {
    a_client_that_goes_away_leaves_nothing(&in_folder());
}

#[test]
fn a_server_that_is_killed_leaves_nothing_in_a_folder() {
    a_server_that_is_killed_leaves_nothing(&in_folder());
}

#[cfg(feature = "s3")]
#[test]
fn a_client_that_goes_away_leaves_nothing_on_s3() {
    a_client_that_goes_away_leaves_nothing(&super::in_s3());
}

#[cfg(feature = "s3")]
#[test]
fn a_server_that_is_killed_leaves_nothing_on_s3() {
    a_server_that_is_killed_leaves_nothing(&super::in_s3());
}

/// Sends the head and this many bytes of 100 MB.
fn begin(server: &Server, api: &Api, bytes: usize) -> TcpStream {
    let mut stream = TcpStream::connect(("127.0.0.1", server.port)).unwrap();
    write!(
        stream,
        "POST /api/v1/files HTTP/1.1\r\nhost: localhost\r\nauthorization: Bearer {}\r\n\
         content-length: 100000000\r\n\r\n",
        api.token()
    )
    .unwrap();
    for piece in vec![b'x'; bytes].chunks(65_536) {
        stream.write_all(piece).unwrap();
    }
    stream
}

/// Until the server has written something that is no file yet.
fn is_under_way(server: &Server) {
    wait_until("an upload is under way", WITHIN, || !kept(server).is_empty()).unwrap();
}

fn is_gone(server: &Server) {
    wait_until("nothing is left", WITHIN, || kept(server).is_empty()).unwrap();
}

fn a_client_that_goes_away_leaves_nothing(options: &ServerOptions) {
    let server = Server::start(options);
    let user = server.user();
    let upload = begin(&server, &user, 20_000_000);
    is_under_way(&server);
    drop(upload);
    is_gone(&server);
    assert_eq!(user.get("/api/v1/files").expect(200).json()["items"], json!([]));
}

/// The sweep of the next process finds what the killed one has noted. A folder's own looks at how old a
/// file is; in a bucket there is an upload in parts, which nobody completes.
fn a_server_that_is_killed_leaves_nothing(options: &ServerOptions) {
    let server =
        Server::start(&options.clone().set("OUTRIGGER__FILES__UNFINISHED_S", UNFINISHED_S));
    let user = server.user();
    let _upload = begin(&server, &user, 20_000_000);
    is_under_way(&server);
    server.process.kill();
    let left = kept(&server);
    assert_eq!(left.len(), 1, "{left:?}");
    for file in left.iter().filter(|left| left.starts_with('/')) {
        // As if it had been killed long ago.
        let old = std::time::UNIX_EPOCH + Duration::from_secs(1_700_000_000);
        std::fs::File::options().write(true).open(file).unwrap().set_modified(old).unwrap();
    }
    let server = server.start_again();
    is_gone(&server);
    assert_eq!(user.get("/api/v1/files").expect(200).json()["items"], json!([]));
}
