//! The command line, and starts that do not succeed.

use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt as _;
use std::time::Duration;

use serde_json::{Value, json};

use crate::support::{Backend, Server, ServerOptions, dead, on_each_backend, run, unique};
use outrigger_testkit::{
    Postgres, PostgresOptions, Redis, TempDir, eventually, free_port, wait_until,
};

const PATIENCE: Duration = Duration::from_secs(60);

on_each_backend!(
    doctor_checks_every_backend,
    administrators_are_made_while_it_serves,
    migrations_are_planned_and_applied,
    the_settings_are_shown_without_secrets,
    keys_rotate_and_nobody_is_logged_out,
    the_audit_log_is_read_out_and_checked,
);

/// What doctor says as soon as it finds so many errors: on a busy machine an answer may be late, for which
/// Redis has half a second.
fn doctor(server: &Server, errors: usize) -> (bool, String) {
    let said = || {
        let (done, text) = server.run(&["doctor"]);
        anyhow::ensure!(text.contains(&format!("{errors} errors")), "{text}");
        Ok((done, text))
    };
    eventually("doctor has looked", PATIENCE, said).unwrap()
}

fn doctor_checks_every_backend(server: &Server) {
    let is_postgres = |url: &str| url.starts_with("postgres:");
    let backend = &server.options.backend;
    let is_unsafe = matches!(backend, Backend::Urls { database, .. } if is_postgres(database));
    let (done, text) = doctor(server, usize::from(is_unsafe));
    match &server.options.backend {
        // The process that has the database answers.
        Backend::Sqlite => assert!(done && text.contains("SQLite 3"), "{text}"),
        Backend::Urls { database, .. } if database.starts_with("dynamodb:") => {
            assert!(done && text.contains("deletion protection is off"), "{text}");
            for part in ["DynamoDB us-east-1", "ttl=true", "can_write=true", "0 errors"] {
                assert!(text.contains(part), "no {part} in:\n{text}");
            }
        }
        Backend::Urls { database, .. } if database.starts_with("mongodb:") => {
            assert!(done, "{text}");
            for part in ["MongoDB 8", "indexes=true", "can_write=true", "0 errors"] {
                assert!(text.contains(part), "no {part} in:\n{text}");
            }
        }
        Backend::Urls { .. } => {
            // The shared PostgreSQL of the tests does not wait for its disk, and doctor says so.
            assert!(!done && text.contains("fsync is off") && text.contains("1 errors"), "{text}");
            for part in ["PostgreSQL 1", "max_connections", "Redis", "latency"] {
                assert!(text.contains(part), "no {part} in:\n{text}");
            }
        }
    }
}

fn administrators_are_made_while_it_serves(server: &Server) {
    let _alone = crate::users::administrators();
    let email = format!("{}@example.com", unique("operator"));
    let password = "copper-lantern-41-heron";
    let create = ["admin", "create", "--email", &email];
    let (done, text) = run(&server.options, server.path(), &create, &format!("{password}\n"));
    assert!(done && text.contains("was made") && !text.contains(password), "{text}");
    let login = server.api().login(&email, password).expect(200).json();
    assert_eq!(login["user"]["role"], "admin");
    let (done, text) = run(&server.options, server.path(), &create, &format!("{password}\n"));
    assert!(!done && text.contains("e-mail"), "the second time it says why not: {text}");
    // Others want to know what becomes of the last administrator.
    let path = format!("/api/v1/users/{}", login["user"]["id"].as_str().unwrap());
    server.admin().delete(&path).expect(204);
}

fn the_audit_log_is_read_out_and_checked(server: &Server) {
    let admin = server.admin();
    let collection = unique("audited_").replace('-', "_");
    admin.put(&format!("/api/v1/collections/{collection}"), &json!({})).expect(201);
    admin.put(&format!("/api/v1/records/{collection}/a"), &json!({"n": 1})).expect(201);
    let audit = |words: &[&str]| server.run(&[&["audit"], words].concat());
    let (whole, text) = audit(&["verify"]);
    assert!(whole && text.contains("the audit log is whole"), "{text}");
    let newest = text.lines().find_map(|line| line.strip_prefix("newest: ")).unwrap();
    assert!(audit(&["verify", "--known", newest]).0);
    let (number, _) = newest.split_once(':').unwrap();
    let (whole, text) = audit(&["verify", "--known", &format!("{number}:00")]);
    assert!(!whole && text.contains("is another one than was noted"), "{text}");
    let (done, text) = audit(&["export"]);
    let lines = text.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
    let target = format!("{collection}/a");
    let of_record: Vec<Value> = lines.filter(|line| line["target"] == target.as_str()).collect();
    assert!(done && of_record.len() == 1, "{text}");
    assert_eq!(of_record[0]["action"], "records.record_changed");
    assert!(of_record[0]["after"].is_string() && of_record[0]["address"] == "127.0.0.1");
}

#[test]
fn only_the_same_user_of_the_machine_can_give_orders_and_a_process_that_was_killed_takes_none() {
    let server = Server::start(&ServerOptions::on(Backend::Sqlite));
    let socket = server.path().join("data/outrigger.db.sock");
    assert_eq!(socket.metadata().unwrap().permissions().mode() & 0o777, 0o600);
    let (done, text) = server.run(&["migrate", "plan"]);
    assert!(done && text.contains(" 0 missing"), "{text}");
    assert!(text.contains("done by the process that serves"), "{text}");
    server.process.kill();
    let (done, text) = server.run(&["migrate", "plan"]);
    assert!(done && text.contains(" 0 missing"), "done here, now that nobody serves: {text}");
}

#[test]
fn doctor_is_content_with_what_is_in_order() {
    let durable = PostgresOptions { durable: true, ..PostgresOptions::default() };
    let postgres = Postgres::start_with(durable).unwrap();
    let backend = Backend::Urls { database: postgres.url(), redis: None };
    let server = Server::start(&ServerOptions::on(backend));
    let (done, text) = server.run(&["doctor"]);
    assert!(done && text.contains("0 errors"), "{text}");
    postgres.stop().unwrap();
    let (done, text) = server.run(&["doctor"]);
    assert!(!done && text.contains("database"), "{text}");
}

#[test]
fn doctor_blames_each_setting_for_its_own_faults_only() {
    let folder = TempDir::new("doctor").unwrap();
    let options = ServerOptions::on(Backend::Sqlite)
        .set("MAIL_URL", "ftp://mail.example")
        .set("BLOB_URL", "ftp://files.example");
    let (done, text) = run(&options, folder.path(), &["doctor"], "");
    assert!(!done, "{text}");
    let line = |start: &str| text.lines().find(|line| line.starts_with(start)).is_some();
    assert!(line("ok    database  ") && !text.contains("database: mail.url"), "{text}");
    assert!(line("error    mail: mail.url") && line("error    blobs: blobs.url"), "{text}");
}

#[test]
fn doctor_asks_each_backend_whether_or_not_the_others_are_there() {
    let (primary, replica) = (Postgres::start().unwrap(), Postgres::start().unwrap());
    let redis = Redis::start().unwrap();
    let backend = Backend::Urls { database: primary.url(), redis: Some(redis.url()) };
    let options = ServerOptions::on(backend).set("DATABASE_READONLY_URL", &replica.url());
    let server = Server::start(&options);
    let state = |dependency: &str| {
        let report = server.api().get("/api/health/").json();
        report["checks"][dependency]["status"].as_str().unwrap_or("none").to_owned()
    };
    let rows = || {
        let (_, text) = server.run(&["doctor"]);
        let state = |name: &str| {
            let is_row = |line: &&str| line.contains(&format!("  {name}  "));
            let row = text.lines().find(is_row).unwrap_or_else(|| panic!("no {name} in {text}"));
            row.split(' ').next().unwrap().to_owned()
        };
        ["database", "database, read-only", "redis"].map(state)
    };
    let says = |expected: [&str; 3]| {
        let said = || {
            let rows = rows();
            anyhow::ensure!(rows == expected, "{rows:?}");
            Ok(())
        };
        eventually(&format!("doctor says {expected:?}"), PATIENCE, said).unwrap();
    };
    says(["ok", "ok", "ok"]);
    let is_back = || state("database_readonly") == "ok";
    wait_until("the replica is there", PATIENCE, is_back).unwrap();
    replica.stop().unwrap();
    let degraded = || state("database_readonly") == "degraded";
    wait_until("the replica's end is seen", PATIENCE, degraded).unwrap();
    let is_ready = || server.api().get("/health/ready").status == 200;
    wait_until("it is ready", PATIENCE, is_ready).unwrap();
    says(["ok", "down", "ok"]);
    replica.start_again().unwrap();
    wait_until("the replica is back", PATIENCE, is_back).unwrap();
    primary.stop().unwrap();
    says(["down", "ok", "ok"]);
    redis.stop().unwrap();
    says(["down", "ok", "down"]);
}

fn migrations_are_planned_and_applied(server: &Server) {
    let (done, text) = server.run(&["migrate", "plan"]);
    assert!(done && text.contains(" 0 missing"), "{text}");
    let (done, text) = server.run(&["migrate", "apply"]);
    assert!(done && text.contains("applied"), "{text}");
    let options = ServerOptions::on(Backend::postgres_and_redis());
    let (done, text) = run(&options, server.path(), &["migrate", "plan"], "");
    assert!(!done && text.contains("missing  0001"), "{text}");
}

fn the_settings_are_shown_without_secrets(server: &Server) {
    let (done, text) = server.run(&["config", "show"]);
    assert!(done, "{text}");
    for (name, value) in &server.options.environment {
        if name.contains("SECRET") || name.contains("PASSWORD") {
            assert!(!text.contains(value), "{name} is shown");
        }
    }
    assert!(text.contains("secret = \"***\"") && text.contains("[database]"), "{text}");
}

fn keys_rotate_and_nobody_is_logged_out(server: &Server) {
    let user = server.user();
    let count = || {
        let jwks = server.api().get("/.well-known/jwks.json").expect(200).json();
        jwks["keys"].as_array().unwrap().len()
    };
    let before = count();
    let (done, text) = server.run(&["keys", "rotate"]);
    assert!(done && text.contains("signs from"), "{text}");
    user.get("/api/v1/users/me").expect(200);
    server.user().get("/api/v1/users/me").expect(200);
    assert!(count() >= before, "the old key is still published");
}

/// Starts with one bad setting: the one line of the error.
fn refusal(name: &str, value: &str) -> String {
    let options = ServerOptions::on(Backend::Sqlite).set(name, value);
    refusal_of(&options)
}

fn refusal_of(options: &ServerOptions) -> String {
    let folder = TempDir::new("refused").unwrap();
    let mut options = options.clone();
    // On those of the defaults somebody else may listen.
    for port in ["PORT", "OUTRIGGER__HTTP__INTERNAL_PORT"] {
        if !options.environment.iter().any(|(name, _)| name == port) {
            options = options.set(port, &free_port().unwrap().to_string());
        }
    }
    let (done, text) = run(&options, folder.path(), &["serve"], "");
    assert!(!done, "the start succeeded: {text}");
    text
}

#[test]
fn a_start_that_fails_names_the_cause_and_the_setting() {
    for (name, value, parts) in [
        ("OUTRIGGER__HTTP__PROT", "1", &["http.prot", "http.port"][..]),
        ("OUTRIGGER_HTTP__PORT", "1", &["OUTRIGGER__HTTP__PORT"]),
        ("PORT", "many", &["http.port", "PORT", "whole number"]),
        ("DATABASE_URL", "oracle://x", &["database.url", "oracle"]),
        ("DATABASE_URL", "postgres://u:hunter2@127.0.0.1:1/x", &["database.url"]),
        ("DATABASE_URL", "sqlite:///proc/no/such.db", &["database.url"]),
        ("OUTRIGGER_SECRET", "file:///no/such/file", &["auth.secret", "/no/such/file"]),
        ("OUTRIGGER_SECRET", "short", &["secret", "32"]),
        ("REDIS_URL", "http://x", &["redis.url"]),
        ("OUTRIGGER__LOG__LEVEL", "loud", &["log.level"]),
        ("OUTRIGGER__HTTP__SERVICES", "mail", &["http.services", "mail"]),
        ("OUTRIGGER__AUTH__RSA_BITS", "1024", &["auth.rsa_bits"]),
        ("MAIL_URL", "ses://u:hunter2@eu-west-1", &["mail.url", "ses://"]),
        ("OUTRIGGER__MAIL__FROM", "nobody", &["mail.from", "nobody"]),
    ] {
        let text = refusal(name, value);
        for part in parts {
            assert!(text.contains(part), "{name}={value}: no {part} in: {text}");
        }
        assert!(!text.contains("hunter2"), "{text}");
        assert_eq!(text.trim().lines().count(), 1, "more than one line: {text}");
    }
}

#[test]
fn a_process_can_be_told_its_role() {
    let options = ServerOptions::on(Backend::Sqlite);
    let server = Server::start_with(&options, &["--roles", "api"]);
    assert_eq!(server.api().get("/api/health/").expect(200).json()["role"], "api");
    let (done, text) = server.run(&["serve", "--roles", "captain"]);
    assert!(!done && text.contains("captain") && text.contains("`api`"), "{text}");
}

#[test]
fn more_connections_than_the_server_allows_are_warned_of_at_start() {
    let few = PostgresOptions { max_connections: 20, ..PostgresOptions::default() };
    let postgres = Postgres::start_with(few).unwrap();
    let backend = Backend::Urls { database: postgres.url(), redis: None };
    let options = ServerOptions::on(backend).set("OUTRIGGER__HTTP__THREADS", "2");
    let server = Server::start(&options);
    // Two that serve, one that watches, one for the worker; each 2 for reads, 8 for writes.
    let log = server.process.log();
    assert!(log.contains("may open 40 connections"), "{log}");
}

#[test]
fn a_port_in_use_is_named() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port().to_string();
    let text = refusal("PORT", &port);
    assert!(text.contains("http.port") && text.contains(&port), "{text}");
}

#[test]
fn a_settings_file_with_a_fault_is_named() {
    let folder = TempDir::new("settings").unwrap();
    let options = ServerOptions::on(Backend::Sqlite);
    for (text, part) in [
        ("[http]\nprot = 1\n", "http.prot"),
        ("[http]\nport = \"x\"\n", "http.port"),
        ("[http\n", "outrigger.toml"),
        ("port = 1\n", "port"),
    ] {
        std::fs::write(folder.join("outrigger.toml"), text).unwrap();
        let (done, error) = run(&options, folder.path(), &["config", "show"], "");
        assert!(!done && error.contains(part) && error.trim().lines().count() == 1, "{error}");
    }
    std::fs::write(folder.join("outrigger.toml"), "[http]\nbody_bytes_max = 4096\n").unwrap();
    let (done, shown) = run(&options, folder.path(), &["config", "show"], "");
    assert!(done && shown.contains("body_bytes_max = 4096"), "{shown}");
}

#[test]
fn production_refuses_what_is_not_secure_and_names_each_reason() {
    let options = ServerOptions::on(Backend::Urls {
        database: "postgres://u:p@db.example/x?sslmode=disable".to_owned(),
        redis: Some("redis://cache.example".to_owned()),
    })
    .set("OUTRIGGER_ENV", "production")
    .set("OUTRIGGER_SECRET", "change-me-change-me-change-me-change-me")
    .set("OUTRIGGER__HTTP__CORS_ORIGINS", "*")
    .set("OUTRIGGER_ADMIN_PASSWORD", "short");
    let text = refusal_of(&options);
    for part in [
        "auth.secret is weak",
        "admin.password",
        "database.url",
        "redis.url",
        "http.cors_origins",
        "http.public_url",
        "mail.url",
        "auth.hash_memory_kib",
    ] {
        assert!(text.contains(part), "no {part} in: {text}");
    }
    for database in [
        "postgres://u:p@/x?host=db.internal&sslmode=disable",
        "postgres://u:p@localhost/x?hostaddr=10.1.2.3&sslmode=disable",
    ] {
        let backend = Backend::Urls { database: database.to_owned(), redis: None };
        let options = ServerOptions::on(backend)
            .set("DATABASE_READONLY_URL", database)
            .set("OUTRIGGER_ENV", "production");
        let text = refusal_of(&options);
        for key in ["database.url", "database.readonly_url"] {
            assert!(text.contains(&format!("{key} crosses a network")), "{key}: {text}");
        }
    }
    let sqlite = ServerOptions::on(Backend::Sqlite)
        .set("OUTRIGGER_ENV", "production")
        .set("OUTRIGGER__DEPLOYMENT__REPLICAS", "3");
    let text = refusal_of(&sqlite);
    assert!(text.contains("deployment.replicas is more than 1 on SQLite"), "{text}");
    assert!(text.contains("http.forwarded_hops is 0 with several replicas"), "{text}");
}

#[test]
fn a_second_process_on_the_same_file_is_refused() {
    let server = Server::start(&ServerOptions::on(Backend::Sqlite));
    let ports = ["--port", "0", "--set", "http.internal_port=0"];
    let (done, text) = server.run(&[&["serve"], &ports[..]].concat());
    assert!(!done && text.contains("database.url"), "{text}");
    server.admin().get("/api/v1/collections").expect(200);
}

#[test]
fn the_api_document_is_printed() {
    let folder = TempDir::new("openapi").unwrap();
    let (done, text) = run(&ServerOptions::on(Backend::Sqlite), folder.path(), &["openapi"], "");
    let document: serde_json::Value = serde_json::from_str(&text).expect("JSON");
    assert!(done && document["paths"]["/api/v1/batch"]["post"].is_object());
}

#[test]
fn tasks_and_queues_are_looked_after() {
    let server = crate::support::on_postgres_and_redis();
    let (admin, queue) = (server.admin(), unique("cli-"));
    let tasks = |words: &[&str]| {
        let (done, text) = server.run(&[&["tasks"], words].concat());
        assert!(done, "{words:?}: {text}");
        text
    };
    let ids: Vec<String> = dead(&admin, &queue, 3)
        .iter()
        .map(|path| path.rsplit('/').next().unwrap().to_owned())
        .collect();
    let listed = tasks(&["list", "--queue", &queue, "--status", "dead"]);
    assert_eq!(listed.lines().count(), 4, "{listed}");
    assert!(ids.iter().all(|id| listed.contains(id)) && listed.contains("broken"), "{listed}");
    assert!(tasks(&["show", &ids[0]]).contains("\"status\": \"dead\""));
    assert!(tasks(&["retry", &ids[0]]).contains("begins again"));
    let (done, text) = server.run(&["tasks", "retry", &ids[1], "tsk_none"]);
    let begun = format!("{} begins again", ids[1]);
    assert!(!done && text.contains(&begun) && text.contains("outrigger: "), "{text}");
    assert!(tasks(&["retry", "--all", "--queue", &queue]).contains("1 tasks begin again"));
    assert!(tasks(&["cancel", &ids[1]]).contains("is cancelled"));
    assert!(tasks(&["pause", &queue]).contains("paused"));
    let row = |text: String| text.lines().find(|line| line.starts_with(&queue)).unwrap().to_owned();
    let cells = row(tasks(&["queues"]));
    let cells: Vec<&str> = cells.split_whitespace().collect();
    assert_eq!((cells[1], cells[4], cells.last()), ("2", "0", Some(&"paused")), "{cells:?}");
    tasks(&["resume", &queue]);
    assert!(!row(tasks(&["queues"])).contains("paused"));
    for words in [
        &["retry"][..],
        &["retry", &ids[0], "--queue", &queue],
        &["show", "tsk_none"],
        &["cancel", "tsk_none"],
        &["list", "--status", "odd"],
        &["retry", "--all", "--status", "succeeded"],
    ] {
        let (done, text) = server.run(&[&["tasks"], words].concat());
        assert!(!done && text.contains("outrigger: "), "{words:?}: {text}");
    }
}
