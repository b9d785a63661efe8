//! Nothing is left behind, however the process ends.

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use outrigger_testkit::{Process, TempDir, net, wait_until};

/// Starts the program that keeps a PostgreSQL and a Redis; its ports and its folder.
fn servers() -> (Child, Vec<u16>, PathBuf) {
    let mut child = Command::new(env!("CARGO_BIN_EXE_servers"))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let lines = BufReader::new(child.stdout.take().unwrap()).lines().map(Result::unwrap);
    let ports: Vec<u16> = lines
        .take(2)
        .map(|line| {
            let after = line.split("127.0.0.1:").nth(1).unwrap();
            after.split('/').next().unwrap().parse().unwrap()
        })
        .collect();
    let prefix = format!("outrigger-test-{}-", child.id());
    let folder = std::fs::read_dir(std::env::temp_dir())
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .find(|path| path.file_name().unwrap().to_string_lossy().starts_with(&prefix))
        .unwrap();
    assert!(ports.iter().all(|port| net::accepts(*port)), "both servers answer");
    (child, ports, folder)
}

fn wait_until_gone(ports: &[u16], folder: &Path) {
    let gone = || !folder.exists() && !ports.iter().any(|port| net::accepts(*port));
    wait_until("the end of servers and folder", Duration::from_secs(120), gone).unwrap();
}

#[test]
fn a_killed_process_takes_servers_and_folders_with_it() {
    let (mut child, ports, folder) = servers();
    child.kill().unwrap();
    child.wait().unwrap();
    wait_until_gone(&ports, &folder);
}

#[test]
fn a_process_that_ends_by_itself_leaves_nothing_behind() {
    let (mut child, ports, folder) = servers();
    drop(child.stdin.take());
    assert!(child.wait().unwrap().success());
    wait_until_gone(&ports, &folder);
}

#[test]
fn a_temporary_folder_goes_with_its_value() {
    let dir = TempDir::new("example").unwrap();
    let path = dir.path().to_owned();
    std::fs::write(dir.join("file"), "content").unwrap();
    drop(dir);
    assert!(!path.exists());
}

#[test]
fn a_process_keeps_its_output_and_obeys_signals() {
    let dir = TempDir::new("process").unwrap();
    let mut command = Command::new("sh");
    // It greets when it is ready for the signal.
    command
        .args(["-c", "trap 'echo bye; exit 3' TERM; echo $GREETING; while :; do sleep 0.01; done"]);
    command.env("GREETING", "hello there");
    let process = Process::spawn("example", &command, &dir.join("log")).unwrap();
    wait_until("output", Duration::from_secs(60), || process.log().contains("hello there"))
        .unwrap();
    let status = process.stop("TERM", Duration::from_secs(60)).unwrap();
    assert_eq!(status.code(), Some(3));
    assert!(process.log().contains("bye"));
    assert!(!process.is_running());
}

#[test]
fn a_process_on_a_thread_outlives_the_thread() {
    let dir = TempDir::new("thread").unwrap();
    let log = dir.join("log");
    let process = std::thread::spawn(move || {
        let mut command = Command::new("sh");
        command.args(["-c", "while :; do sleep 0.01; done"]);
        Process::spawn("example", &command, &log).unwrap()
    });
    let process = process.join().unwrap();
    assert_eq!(process.wait(Duration::from_millis(200)), None, "it still runs");
    process.kill();
    assert!(!process.is_running());
}
