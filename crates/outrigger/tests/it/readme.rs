//! The walk-through of the README, run as it stands there.

use std::process::Command;

use crate::support::{Backend, Server, ServerOptions};

/// The port that the README's commands name.
const PORT: &str = "127.0.0.1:8000";

#[test]
fn the_walk_through_works() {
    let readme = include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/../../README.md"));
    let script = readme
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
