//! `cargo xtask schemathesis`: requests made from the API document, sound and unsound ones, to the
//! real binary on SQLite. No answer may be a 5xx, and none may be one that the document lacks.

mod client;
mod excluded;
mod server;
mod setting;
mod tool;

use std::path::Path;

use anyhow::{Context, Result};

use crate::out::say;
use crate::scratch::Scratch;
use crate::{cargo, generate, metadata};
use excluded::EXCLUDED;
use server::Server;
pub(crate) use tool::{Tool, install};

const SETTINGS: &str = include_str!("../../schemathesis/schemathesis.toml");
/// Besides, for who may do everything: a pass that is refused everywhere shows nothing.
const NOT_REFUSED: &str = "[warnings]\nfail-on = [\"missing_auth\", \"unmatched_filter\"]\n";

/// Builds the binary and runs every pass.
///
/// # Errors
/// When the tool cannot be installed, or an answer is not as the document says.
pub(crate) fn run_alone() -> Result<()> {
    let tool = install()?;
    cargo::pass(cargo::command(&["build", "--package", "outrigger"]).args(cargo::FULL))?;
    let program = generate::program(&metadata::workspace()?.target_directory);
    let scratch = Scratch::new()?;
    run(&tool, &program, &scratch)?;
    scratch.must_be_left_clean()
}

/// Runs as nobody, as a user and as the administrator.
///
/// # Errors
/// When an answer is not as the document says; the tool has written which.
pub(crate) fn run(tool: &Tool, program: &Path, scratch: &Scratch) -> Result<()> {
    let server = Server::start(program)?;
    let tokens = setting::prepare(server.address())?;
    pass(tool, &server, scratch, "nobody", "", "")?;
    pass(tool, &server, scratch, "a user", &tokens.user, "")?;
    pass(tool, &server, scratch, "the administrator", &tokens.admin, NOT_REFUSED)
}

fn pass(
    tool: &Tool,
    server: &Server,
    scratch: &Scratch,
    who: &str,
    token: &str,
    besides: &str,
) -> Result<()> {
    say(&format!("== schemathesis as {who}"));
    let mut command = scratch.command(tool.program(), "KILL");
    let settings = server.folder().join("schemathesis.toml");
    let mut headers = String::new();
    command.arg("--config-file").arg(&settings).args(["run", "--no-color"]);
    if !token.is_empty() {
        headers = format!("headers = {{ Authorization = \"Bearer {token}\" }}\n");
        for operation in EXCLUDED {
            command.args(["--exclude-operation-id", operation.id]);
        }
    }
    std::fs::write(&settings, format!("{headers}{SETTINGS}\n{besides}"))?;
    command.arg(format!("http://{}/openapi.json", server.address()));
    cargo::pass(command.current_dir(server.folder()))
        .and_then(|()| server.still_well())
        .with_context(|| format!("as {who}"))
}
