//! What the binary without any of its features says of URLs that need them. In a build with all of them
//! there is nothing here, and `cargo xtask test` builds one without: see `xtask/src/test/features.rs`.

#![cfg(not(feature = "full"))]
#![allow(clippy::unwrap_used, reason = "in a test, what is not there fails the test")]

use std::collections::BTreeSet;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use outrigger_testkit::{Process, TempDir, free_port};

struct Row {
    feature: &'static str,
    compiled_in: bool,
    variable: &'static str,
    urls: &'static [&'static str],
}

macro_rules! rows {
    ($($feature:literal, $variable:literal, $urls:expr;)+) => {
        &[$(Row {
            feature: $feature,
            compiled_in: cfg!(feature = $feature),
            variable: $variable,
            urls: &$urls,
        }),+]
    };
}

const ROWS: &[Row] = rows![
    "dynamodb", "DATABASE_URL", ["dynamodb://eu-central-1/shop"];
    "mongodb", "DATABASE_URL", ["mongodb://127.0.0.1/shop", "mongodb+srv://cluster.example/shop"];
    "aws-sm", "DATABASE_URL", ["aws-sm://shop#url"];
    "gcp-sm", "DATABASE_URL", ["gcp-sm://project/shop"];
    "s3", "BLOB_URL", ["s3://shop/files"];
    "gcs", "BLOB_URL", ["gs://shop/files"];
    "ses", "MAIL_URL", ["ses://eu-central-1"];
];

#[test]
fn each_feature_has_a_row() {
    let text = include_str!("../Cargo.toml");
    let manifest: toml::Table = text.parse().unwrap();
    let full = manifest["features"]["full"].as_array().unwrap();
    let features: BTreeSet<&str> = full.iter().filter_map(|name| name.as_str()).collect();
    assert_eq!(ROWS.iter().map(|row| row.feature).collect::<BTreeSet<_>>(), features);
}

#[test]
fn what_is_not_compiled_in_is_said_with_what_to_do() {
    let folder = TempDir::new("features").unwrap();
    for row in ROWS.iter().filter(|row| !row.compiled_in) {
        let remedy = format!("`--features {}`", row.feature);
        for url in row.urls {
            for command in ["doctor", "serve"] {
                let (code, text) = run(folder.path(), command, row.variable, url);
                let is_said = text.contains("this binary is built without");
                assert!(is_said && text.contains(&remedy), "{command}, {url}: {text}");
                assert!(code.is_some_and(|code| code != 0), "{command}, {url}: {code:?}: {text}");
            }
        }
    }
}

/// How a command of the binary with this setting has ended, within a minute, and what it wrote.
fn run(folder: &Path, command: &str, variable: &str, url: &str) -> (Option<i32>, String) {
    let mut program = Command::new(env!("CARGO_BIN_EXE_outrigger"));
    program.arg(command).current_dir(folder).env_clear().env(variable, url);
    for port in ["PORT", "OUTRIGGER__HTTP__INTERNAL_PORT"] {
        program.env(port, free_port().unwrap().to_string());
    }
    let log = folder.join("log");
    let process = Process::spawn("outrigger", &program, &log).unwrap();
    let status = process.wait(Duration::from_secs(60));
    let text = process.log();
    std::fs::remove_file(log).unwrap();
    (status.and_then(|status| status.code()), text)
}
