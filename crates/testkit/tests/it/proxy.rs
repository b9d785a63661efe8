//! The proxy that breaks connections, in front of a server that echoes lines and keeps a record.

use std::io::{BufRead, BufReader, ErrorKind, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use outrigger_testkit::{FaultProxy, wait_until};

const SOON: Duration = Duration::from_secs(60);

/// An echo server; the receiver gets all bytes of each connection when it has ended.
fn echo() -> (u16, Receiver<Vec<u8>>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let (record, records) = channel();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let (mut stream, record) = (stream.unwrap(), record.clone());
            std::thread::spawn(move || {
                let (mut all, mut chunk) = (Vec::new(), [0; 1024]);
                while let Ok(read @ 1..) = stream.read(&mut chunk) {
                    all.extend(&chunk[..read]);
                    if stream.write_all(&chunk[..read]).is_err() {
                        break;
                    }
                }
                let _ = record.send(all);
            });
        }
    });
    (port, records)
}

fn connect(proxy: &FaultProxy) -> BufReader<TcpStream> {
    let stream = TcpStream::connect(proxy.addr()).unwrap();
    stream.set_read_timeout(Some(SOON)).unwrap();
    BufReader::new(stream)
}

fn say(stream: &mut BufReader<TcpStream>, line: &str) -> std::io::Result<String> {
    stream.get_mut().write_all(line.as_bytes())?;
    let mut answer = String::new();
    match stream.read_line(&mut answer)? {
        0 => Err(ErrorKind::UnexpectedEof.into()),
        _ => Ok(answer),
    }
}

#[test]
fn cut_closes_and_refuses_until_restored() {
    let proxy = FaultProxy::start(echo().0).unwrap();
    for _ in 0..20 {
        let mut stream = connect(&proxy);
        assert_eq!(say(&mut stream, "one\n").unwrap(), "one\n");
        proxy.cut();
        assert!(say(&mut stream, "two\n").is_err());
        assert!(TcpStream::connect(proxy.addr()).is_err(), "new connections are refused");
        proxy.restore().unwrap();
        assert_eq!(say(&mut connect(&proxy), "three\n").unwrap(), "three\n");
    }
    wait_until("no connection", SOON, || proxy.connections() == 0).unwrap();
}

#[test]
fn frozen_it_accepts_and_passes_nothing_until_restored() {
    let proxy = FaultProxy::start(echo().0).unwrap();
    let mut old = connect(&proxy);
    assert_eq!(say(&mut old, "one\n").unwrap(), "one\n");
    proxy.freeze();
    let mut new = connect(&proxy);
    for stream in [&mut old, &mut new] {
        stream.get_ref().set_read_timeout(Some(Duration::from_millis(100))).unwrap();
        let error = say(stream, "two\n").unwrap_err();
        assert!(matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut), "{error}");
        stream.get_ref().set_read_timeout(Some(SOON)).unwrap();
    }
    proxy.restore().unwrap();
    for stream in [&mut old, &mut new] {
        assert_eq!(say(stream, "three\n").unwrap(), "two\n", "what was frozen goes on");
    }
}

#[test]
fn freeze_after_bytes_passes_no_more_until_restored() {
    let proxy = FaultProxy::start(echo().0).unwrap();
    let mut stream = connect(&proxy);
    proxy.freeze_after_bytes(6);
    assert_eq!(say(&mut stream, "one\n").unwrap(), "one\n");
    assert!(!proxy.is_frozen());
    stream.get_ref().set_read_timeout(Some(Duration::from_millis(100))).unwrap();
    assert!(say(&mut stream, "two\n").is_err());
    wait_until("the proxy is frozen", SOON, || proxy.is_frozen()).unwrap();
    assert_eq!(proxy.bytes_to_server(), 4);
    stream.get_ref().set_read_timeout(Some(SOON)).unwrap();
    proxy.restore().unwrap();
    assert_eq!(say(&mut stream, "three\n").unwrap(), "two\n", "what was frozen goes on");
}

#[test]
fn cut_after_bytes_delivers_exactly_these_and_no_answer() {
    let (port, records) = echo();
    let proxy = FaultProxy::start(port).unwrap();
    for bytes in 0..=5 {
        let mut stream = connect(&proxy);
        assert_eq!(say(&mut stream, "one\n").unwrap(), "one\n");
        proxy.cut_after_bytes(bytes);
        assert!(say(&mut stream, "two+\n").is_err(), "the answer is not delivered");
        let expected = &b"one\ntwo+\n"[..4 + usize::try_from(bytes).unwrap()];
        assert_eq!(records.recv_timeout(SOON).unwrap(), expected);
        assert_eq!(proxy.cuts(), bytes + 1);
    }
    assert_eq!(proxy.bytes_to_server(), 6 * 4 + (1 + 2 + 3 + 4 + 5));
    assert_eq!(say(&mut connect(&proxy), "again\n").unwrap(), "again\n");
}

#[test]
fn without_a_server_the_connection_is_closed() {
    let port = outrigger_testkit::free_port().unwrap();
    let proxy = FaultProxy::start(port).unwrap();
    assert!(say(&mut connect(&proxy), "one\n").is_err());
}
