//! The walk-through of the README, run as it stands there.

use std::process::Command;

use outrigger_testkit::{Postgres, Redis};

use crate::support::{Backend, Server, ServerOptions, run};

/// The port that the README's commands name.
const PORT: &str = "127.0.0.1:8000";

const README: &str = include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/../../README.md"));

#[test]
fn the_walk_through_works() {
    let script = README
        .split("<!-- walk-through -->")
        .nth(1)
        .and_then(|rest| rest.split("```sh\n").nth(1))
        .and_then(|rest| rest.split("```").next())
        .expect("the README has a walk-through");
    let options = ServerOptions::on(Backend::Sqlite)
        .set("OUTRIGGER_ADMIN_EMAIL", "you@example.com")
        .set("OUTRIGGER_ADMIN_PASSWORD", "correct-horse-battery-staple");
    let server = Server::start(&options);
    assert!(script.contains(PORT));
    let script = script.replace(PORT, &format!("127.0.0.1:{}", server.port));
    let output = Command::new("bash")
        .args(["-euo", "pipefail", "-c", &script])
        .output()
        .expect("bash and curl are there");
    let text = String::from_utf8_lossy(&output.stdout);
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{text}\n{errors}");
    assert!(text.contains("\"title\":\"a first note\""), "{text}");
    assert!(text.contains("Outrigger; hit"), "{text}");
}

/// What stands in backquotes in a cell of a table.
fn quoted(cell: &str) -> Vec<&str> {
    cell.split('`').skip(1).step_by(2).collect()
}

#[test]
fn a_fleet_starts_in_production_with_what_its_row_of_the_table_says() {
    let is_row = |line: &&str| line.starts_with("| a fleet behind a load balancer |");
    let row = README.lines().find(is_row).expect("the README has the row");
    let cells: Vec<_> = row.split('|').map(quoted).collect();
    let (postgres, redis) = (Postgres::start_tls().unwrap(), Redis::start_tls().unwrap());
    let (root, ca) = (postgres.ca_path().unwrap(), redis.ca_path().unwrap());
    let parameters = cells[2][0].strip_prefix("postgres://…").expect("a form of URL");
    let database = format!("{}{parameters}&sslrootcert={}", postgres.url(), root.display());
    assert_eq!(cells[3][0], "rediss://…");
    let backend = Backend::Urls { database, redis: Some(redis.url()) };
    // Everything else is the product's default, but for what tests on one machine need.
    let mut options = ServerOptions { environment: Vec::new(), ..ServerOptions::on(backend) }
        .set("OUTRIGGER__HTTP__ADDRESS", "127.0.0.1")
        .set("OUTRIGGER__REDIS__CA_FILE", &ca.to_string_lossy());
    for (name, value) in cells[4].iter().filter_map(|setting| setting.split_once('=')) {
        let value = match (name, value) {
            ("OUTRIGGER_SECRET", "…") => "q7Zs0yq4mXv1f8K2bN5tR9wE3uJ6hL0p".to_owned(),
            (_, form) => form.replace('…', "host.example"),
        };
        options = options.set(name, &value);
    }
    assert!(options.environment.contains(&("OUTRIGGER_ENV".to_owned(), "production".to_owned())));
    let server = Server::start(&options);
    server.api().get("/health/ready").expect(200);
    // And nothing of it can be left out.
    for (name, _) in cells[4].iter().filter_map(|setting| setting.split_once('=')) {
        if !["OUTRIGGER_ENV", "OUTRIGGER__DEPLOYMENT__REPLICAS"].contains(&name) {
            let without = options.clone().set(name, "");
            let (done, text) = run(&without, server.path(), &["serve"], "");
            assert!(!done && text.contains("not fit for production"), "{name}: {text}");
        }
    }
}
