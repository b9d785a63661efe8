//! Clients that take their time: they hold up nobody else.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::{Duration, Instant};

use outrigger_testkit::wait_until;
use serde_json::json;
use socket2::{Domain, Socket, Type};

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
        }
        // Until its upload begins, a request has a place among the others. Not longer than needed: an
        // upload of which nothing comes for half a minute is given up.
        let are_under_way = || kept(&server).len() == slow.len();
        wait_until("uploads are under way", WITHIN, are_under_way).unwrap();
    }
    let metrics = server.internal().get("/metrics").expect(200).text;
    assert!(metrics.contains("outrigger_file_transfers{direction=\"up\"} 8\n"), "{metrics}");
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

/// The path of a file of so many bytes.
fn uploaded(client: &Client, bytes: u64) -> String {
    let mut made = client.stream("", &[], std::io::repeat(7).take(bytes));
    assert_eq!(made.status(), 201);
    let made: serde_json::Value = serde_json::from_reader(made.body_mut().as_reader()).unwrap();
    format!("/{}/content", made["id"].as_str().unwrap())
}

/// The rest of the answer, after the status.
fn download(server: &Server, user: &Api, path: &str) -> TcpStream {
    let socket = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
    // With more, its kernel may itself say nothing for megabytes.
    socket.set_recv_buffer_size(256 << 10).unwrap();
    socket.connect(&SocketAddr::from(([127, 0, 0, 1], server.port)).into()).unwrap();
    let mut stream = TcpStream::from(socket);
    write!(
        stream,
        "GET /api/v1/files{path} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\
         authorization: Bearer {}\r\n\r\n",
        user.token()
    )
    .unwrap();
    let mut status = [0; 12];
    stream.read_exact(&mut status).unwrap();
    assert_eq!(&status, b"HTTP/1.1 200");
    stream
}

/// What the kernel keeps for a client is so much that one who reads slowly takes longer for it than an
/// answer may stand still.
#[test]
fn a_client_that_reads_slowly_gets_all_of_it() {
    const BYTES: u64 = 48 << 20;
    const SLOWLY: Duration = Duration::from_secs(30);
    let server = Server::start(&in_folder().set("OUTRIGGER__HTTP__WRITE_TIMEOUT_S", "10"));
    let user = server.user();
    let path = uploaded(&Client::of(&user, server.port), BYTES);
    let mut stream = download(&server, &user, &path);
    // At first as fast as it can, so that the kernel keeps much for it.
    let mut piece = vec![0; 16 << 20];
    stream.read_exact(&mut piece).unwrap();
    let (mut read, began) = (piece.len(), Instant::now());
    while began.elapsed() < SLOWLY {
        stream.read_exact(&mut piece[..8 << 10]).unwrap();
        read += 8 << 10;
        std::thread::sleep(Duration::from_millis(100));
    }
    let rest = std::io::copy(&mut stream, &mut std::io::sink()).unwrap();
    assert!(read as u64 + rest > BYTES, "{read} and {rest}");
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
    let path = uploaded(&client, BYTES);
    let mut stream = download(&server, &user, &path);
    // It has the only place until it is given up, of those that more than 256 KiB need. Only heads are
    // looked at: who takes a second to read the rest would be given up too.
    let status = |range: &str| client.open(&path, &[("range", range)]).status();
    assert_eq!(status("bytes=0-262143"), 206);
    let is_free = || status("bytes=0-262144") == 206;
    wait_until("its place is free", WITHIN, is_free).unwrap();
    let mut rest = Vec::new();
    let end = stream.read_to_end(&mut rest);
    assert!((rest.len() as u64) < BYTES, "all of it came: {end:?}");
}
