//! The PostgreSQL server of the kit.

use outrigger_testkit::{Postgres, PostgresOptions, net};

#[test]
fn databases_are_separate_and_survive_an_orderly_stop() {
    let server = Postgres::start().unwrap();
    assert!(server.url().starts_with("postgres://app@127.0.0.1:"), "{}", server.url());
    let one = server.create_database("one").unwrap();
    assert!(one.ends_with("/one"), "{one}");
    server.psql_in("one", "create table t (x int); insert into t values (1), (2)").unwrap();
    assert!(server.psql("select * from t").is_err(), "another database has no such table");
    server.stop().unwrap();
    assert!(!net::accepts(server.port()));
    server.start_again().unwrap();
    assert!(server.start_again().is_err(), "it runs already");
    assert_eq!(server.psql_in("one", "select sum(x) from t").unwrap(), "3");
}

#[test]
fn a_durable_server_keeps_what_was_committed_when_it_is_killed() {
    let options = PostgresOptions { durable: true, ..PostgresOptions::default() };
    let server = Postgres::start_with(options).unwrap();
    assert_eq!(server.psql("show fsync").unwrap(), "on");
    server.psql("create table t (x int)").unwrap();
    for round in 1..=3 {
        server.psql("insert into t values (1)").unwrap();
        server.kill();
        assert_eq!(server.pid(), None);
        server.start_again().unwrap();
        assert_eq!(server.psql("select count(*) from t").unwrap(), round.to_string());
    }
}

#[test]
fn a_tls_server_takes_nothing_but_tls_with_the_password() {
    let server = Postgres::start_tls().unwrap();
    assert!(server.ca_path().unwrap().exists());
    let question = "select ssl, version from pg_stat_ssl where pid = pg_backend_pid()";
    assert_eq!(server.psql(question).unwrap(), "t|TLSv1.3");
    let psql = |url: &str| {
        let mut command = std::process::Command::new("psql");
        let output = command.args(["-X", "-A", "-t", "-c", question, url]).output().unwrap();
        String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned()
    };
    let ca = server.ca_path().unwrap().display().to_string();
    let verified = format!("{}?sslmode=verify-full&sslrootcert={ca}", server.url());
    assert_eq!(psql(&verified).trim(), "t|TLSv1.3");
    assert!(psql(&format!("{}?sslmode=disable", server.url())).contains("reject"));
    let wrong = server.tls_url().replace("testkit-password", "wrong");
    assert!(psql(&wrong).contains("password authentication failed"));
    server.stop().unwrap();
    server.start_again().unwrap();
    assert_eq!(server.psql(question).unwrap(), "t|TLSv1.3");
}

#[test]
fn the_shared_server_gives_each_test_a_database() {
    let server = Postgres::shared().unwrap();
    let (one, two) = (server.fresh_database().unwrap(), server.fresh_database().unwrap());
    assert_ne!(one, two);
    assert_eq!(server.port(), Postgres::shared().unwrap().port());
}

#[test]
fn a_server_that_does_not_start_says_why() {
    let settings = vec![("no_such_setting".to_owned(), "1".to_owned())];
    let options = PostgresOptions { settings, ..PostgresOptions::default() };
    let error = format!("{:#}", Postgres::start_with(options).unwrap_err());
    assert!(error.contains("unrecognized configuration parameter"), "{error}");
}
