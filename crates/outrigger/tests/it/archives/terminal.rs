//! What a person at a terminal sees of an export.

use std::process::Command;

use outrigger_testkit::TempDir;

use super::archive;
use crate::support::{Backend, ServerOptions, binary, run};

/// Runs a program in a terminal of its own and passes on what it writes there.
const IN_TERMINAL: &str =
    "import os, pty, sys; sys.exit(os.waitstatus_to_exitcode(pty.spawn(sys.argv[1:])))";

#[test]
fn an_export_shows_a_bar_in_a_terminal_and_lines_elsewhere() {
    let folder = TempDir::new("archives").unwrap();
    archive(&folder.join("some.ndjson"), 3_000);
    let options = ServerOptions::on(Backend::Sqlite);
    let (done, text) = run(&options, folder.path(), &["import", "some.ndjson"], "");
    assert!(done, "{text}");

    let (done, text) = run(&options, folder.path(), &["export", "piped.ndjson"], "");
    assert!(done && text.contains("reading: 100 documents, at rec.boats"), "{text}");
    assert!(!text.contains("counting") && !text.contains('\u{1b}'), "{text}");

    let mut command = Command::new("python3");
    command.args(["-c", IN_TERMINAL]).arg(binary()).args(["export", "seen.ndjson"]);
    command.current_dir(folder.path()).envs(options.environment.clone()).env("TERM", "xterm");
    let output = command.stdin(std::process::Stdio::null()).output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{text}");
    // How much of it there is, and how long it will take.
    for part in
        ["counting rec.boats", "reading rec.boats", "/3,000 ", "█", "3000 documents, SHA-256"]
    {
        assert!(text.contains(part), "no {part} in {text}");
    }
}
