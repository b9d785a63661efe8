//! The first administrator.

use outrigger_testkit::eventually;
use serde_json::json;
use std::time::Duration;

use crate::support::{ADMIN_EMAIL, ADMIN_PASSWORD, Backend, Server, ServerOptions, run};

fn without_administrator() -> ServerOptions {
    ServerOptions::on(Backend::Sqlite)
        .set("OUTRIGGER_ADMIN_EMAIL", "")
        .set("OUTRIGGER_ADMIN_PASSWORD", "")
}

#[test]
fn an_empty_database_gets_a_link_that_works_once() {
    let server = Server::start(&without_administrator());
    let link = eventually("the link is printed", Duration::from_secs(30), || {
        let log = server.process.log();
        let found =
            log.lines().find_map(|line| Some(line[line.find("/setup?token=")?..].to_owned()));
        anyhow::Context::context(found, "no link yet")
    })
    .unwrap();
    let link = link.trim();
    assert!(server.api().get(link).expect(200).text.contains("<form"));
    let token = link.split('=').nth(1).unwrap();
    let form = |token: &str| {
        let body = format!("token={token}&email={ADMIN_EMAIL}&password={ADMIN_PASSWORD}");
        server.api().send("POST", "/setup", Some(("application/x-www-form-urlencoded", body)))
    };
    let wrong = form("0000");
    assert!((400..500).contains(&wrong.status), "{wrong:?}");
    let made = form(token);
    assert!((200..400).contains(&made.status), "{made:?}");
    server.admin().get("/api/v1/collections").expect(200);
    let again = form(token);
    assert!((400..500).contains(&again.status), "{again:?}");
}

#[test]
fn the_command_line_makes_administrators_and_the_environment_one_only_once() {
    let server = Server::start(&ServerOptions::on(Backend::postgres_and_redis()));
    let (done, text) = run(
        &server.options,
        server.path(),
        &["admin", "create", "--email", "second@example.com"],
        "another-tall-ship\n",
    );
    assert!(done, "{text}");
    let login = server.api().login("second@example.com", "another-tall-ship").expect(200).json();
    assert_eq!(login["user"]["role"], "admin");
    let server = {
        server.terminate();
        server.start_again()
    };
    let users = server.admin().get("/api/v1/users?limit=100").expect(200).json();
    assert_eq!(users["items"].as_array().unwrap().len(), 2, "{users}");
    assert_eq!(json!(null), users["next_cursor"]);
}
