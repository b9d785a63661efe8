//! `cargo xtask schemathesis`: requests made from the API document, sound and unsound ones, to the
//! real binary on SQLite. No answer may be a 5xx, and none may be one that the document lacks.

mod client;
mod excluded;
mod server;
mod setting;
mod tool;

use std::path::Path;
use std::process::Command;

use anyhow::Result;

use crate::out::say;
use crate::scratch::Scratch;
use crate::{cargo, generate, metadata};
use excluded::EXCLUDED;
use server::Server;
pub(crate) use tool::{Tool, install};

/// The same requests in every run.
const SEED: &str = "20261120";
/// Requests per operation that are made by chance, beside those that cover each limit.
const EXAMPLES: &str = "25";
/// The longest a run may take, in seconds; it ends by itself long before.
const RUN_S: &str = "240";

/// What each answer is held to.
const CHECKS: &[&str] = &[
    "not_a_server_error",
    "status_code_conformance",
    "content_type_conformance",
    "response_headers_conformance",
    "response_schema_conformance",
];

/// Builds the binary and runs both passes.
///
/// # Errors
/// When the tool cannot be installed, or an answer is not as the document says.
pub(crate) fn run_alone() -> Result<()> {
    let tool = install()?;
    cargo::pass(&mut cargo::command(&["build", "--package", "outrigger"]))?;
    let program = generate::program(&metadata::workspace()?.target_directory);
    let scratch = Scratch::new()?;
    run(&tool, &program, &scratch)?;
    scratch.must_be_left_clean()
}

/// Runs as nobody and as the administrator.
///
/// # Errors
/// When an answer is not as the document says; the tool has written which.
pub(crate) fn run(tool: &Tool, program: &Path, scratch: &Scratch) -> Result<()> {
    let server = Server::start(program)?;
    let token = setting::prepare(server.address())?;
    say("== schemathesis, anonymous");
    pass(tool, &server, scratch, None)?;
    say("== schemathesis, as the administrator");
    pass(tool, &server, scratch, Some(&token))?;
    server.still_well()
}

fn pass(tool: &Tool, server: &Server, scratch: &Scratch, token: Option<&str>) -> Result<()> {
    let mut command = Command::new(tool.program());
    command.args(["run", "--checks", &CHECKS.join(",")]);
    command.args(["--phases", "examples,coverage,fuzzing", "--max-examples", EXAMPLES]);
    command.args(["--seed", SEED, "--max-time", RUN_S, "--request-timeout", "20"]);
    command.args(["--continue-on-failure", "--suppress-health-check", "all", "--no-color"]);
    if let Some(token) = token {
        command.args(["--header", &format!("Authorization:Bearer {token}")]);
        for operation in EXCLUDED {
            command.args(["--exclude-operation-id", operation.id]);
        }
    }
    command.arg(format!("http://{}/openapi.json", server.address()));
    cargo::pass(scratch.within(command.current_dir(server.folder())))
}
