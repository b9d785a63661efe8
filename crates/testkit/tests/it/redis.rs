//! The Redis servers of the kit.

use std::collections::HashSet;
use std::time::Duration;

use outrigger_testkit::{Redis, RedisOptions, net};

#[test]
fn it_stops_and_starts_again_empty() {
    let server = Redis::start().unwrap();
    assert_eq!(server.cli(&["SET", "a", "1"]).unwrap(), "OK");
    assert!(server.cli(&["NO-SUCH-COMMAND"]).is_err());
    server.stop().unwrap();
    assert!(!net::accepts(server.port()));
    assert!(server.cli(&["PING"]).is_err());
    server.start_again().unwrap();
    assert!(server.start_again().is_err(), "it runs already");
    assert_eq!(server.cli(&["GET", "a"]).unwrap(), "");
}

#[test]
fn with_an_append_only_file_it_survives_a_kill() {
    let options = RedisOptions { appendonly: true, ..RedisOptions::default() };
    let server = Redis::start_with(options).unwrap();
    server.cli(&["SET", "a", "1"]).unwrap();
    server.kill();
    server.start_again().unwrap();
    assert_eq!(server.cli(&["GET", "a"]).unwrap(), "1");
}

#[test]
fn a_tls_server_with_a_password_takes_nothing_else() {
    let password = Some("secret".to_owned());
    let options = RedisOptions { tls: true, password, ..RedisOptions::default() };
    let server = Redis::start_with(options).unwrap();
    assert!(server.url().starts_with("rediss://:secret@127.0.0.1:"), "{}", server.url());
    assert!(server.ca_path().unwrap().exists());
    assert_eq!(server.cli(&["PING"]).unwrap(), "PONG");
    let mut plain = std::process::Command::new("redis-cli");
    let plain = plain.args(["-e", "-p", &server.port().to_string(), "PING"]).output().unwrap();
    assert!(!plain.status.success(), "plain text is not answered");
}

#[test]
fn a_paused_server_answers_when_it_goes_on() {
    let server = Redis::start().unwrap();
    server.pause().unwrap();
    std::thread::scope(|scope| {
        let (send, answered) = std::sync::mpsc::channel();
        let server = &server;
        scope.spawn(move || send.send(server.cli(&["PING"]).unwrap()));
        assert!(answered.recv_timeout(Duration::from_millis(300)).is_err(), "nothing is answered");
        server.resume().unwrap();
        assert_eq!(answered.recv_timeout(Duration::from_secs(60)).unwrap(), "PONG");
    });
}

#[test]
fn a_cluster_spreads_keys_over_its_nodes() {
    let cluster = Redis::start_cluster().unwrap();
    assert!(cluster.url().starts_with("redis+cluster://127.0.0.1:"), "{}", cluster.url());
    let mut used = HashSet::new();
    for key in 0..30 {
        let (key, first) = (format!("key-{key}"), &cluster.nodes()[0]);
        first.cli(&["-c", "SET", &key, "x"]).unwrap();
        let owner = cluster.nodes().iter().position(|node| node.cli(&["GET", &key]).is_ok());
        used.insert(owner.expect("one node has the key"));
    }
    assert_eq!(used.len(), 3);
    cluster.nodes()[1].kill();
    cluster.nodes()[1].start_again().unwrap();
    cluster.wait_until_ok().unwrap();
}

#[test]
fn a_server_that_does_not_start_says_why() {
    let args = vec!["--no-such-setting".to_owned(), "1".to_owned()];
    let error = Redis::start_with(RedisOptions { args, ..RedisOptions::default() }).unwrap_err();
    let error = format!("{error:#}");
    assert!(error.contains("Bad directive or wrong number of arguments"), "{error}");
}
