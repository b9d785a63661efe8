//! The operator's desk: commands that work with the database. They are done in this process; or, while
//! another one of this machine has the SQLite database, by that one (`operator`).

use std::ffi::OsString;
use std::io::{BufRead as _, Write as _};
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::{Context, Result, anyhow};
use clap::ArgMatches;
use outrigger_ports::store::Store;
use serde::{Deserialize, Serialize};

use super::{admin, archive, audit, doctor, keys, migrate, say, tasks, top};
use crate::compose::Backends;
use crate::config::Config;
use crate::database;
use crate::lifecycle::runtime;
use crate::operator;

/// The commands of the desk.
pub(super) const COMMANDS: [&str; 6] = ["admin", "audit", "doctor", "keys", "migrate", "tasks"];

/// What somebody wants to be done.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Order {
    /// The command line.
    args: Vec<String>,
    /// The first line of standard input, for commands that read it.
    input: String,
}

/// What another process of this machine is asked for.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Request {
    /// A command.
    Order(Order),
    /// The lines of an archive with the documents after this key: collection and id.
    Page(Option<(String, String)>),
}

/// What was done, and why it was not all.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(crate) struct Told {
    text: String,
    code: u8,
    error: Option<String>,
}

impl Told {
    /// What was said.
    ///
    /// # Errors
    /// Why it was not all.
    pub(super) fn heard(self) -> Result<String, String> {
        self.error.map_or(Ok(self.text), Err)
    }

    /// A line for a person.
    pub(super) fn say(&mut self, line: &str) {
        self.text.push_str(line);
        self.text.push('\n');
    }

    /// The exit code; 0 unless it is set.
    pub(super) fn exit_with(&mut self, code: u8) {
        self.code = code;
    }
}

/// What commands work with.
pub(crate) struct Desk<'a> {
    pub(super) config: &'a Config,
    open: Option<&'a Arc<Backends>>,
}

impl<'a> Desk<'a> {
    /// In a process that has its backends open.
    pub(crate) fn of(config: &'a Config, backends: &'a Arc<Backends>) -> Self {
        Self { config, open: Some(backends) }
    }

    /// The backends.
    ///
    /// # Errors
    /// Names the setting whose value does not work.
    pub(super) fn backends(&self) -> Result<Arc<Backends>> {
        match self.open {
            Some(backends) => Ok(backends.clone()),
            None => Ok(Arc::new(Backends::open(self.config)?)),
        }
    }

    /// The database alone.
    ///
    /// # Errors
    /// Names the setting whose database cannot be used.
    pub(super) async fn store(&self) -> Result<Arc<dyn Store>> {
        match self.open {
            Some(backends) => backends.store().await,
            None => database::store(self.config).await,
        }
    }

    /// Does what another process of this machine was asked for.
    pub(crate) async fn take(&self, request: &Request) -> Told {
        let refused = |error: String| Told { error: Some(error), ..Told::default() };
        match request {
            Request::Order(order) => match super::command().try_get_matches_from(&order.args) {
                Ok(matches) => self.perform(&matches, &order.input).await,
                Err(error) => refused(error.to_string()),
            },
            Request::Page(after) => {
                let page = archive::page(self, after.as_ref()).await;
                page.unwrap_or_else(|error| refused(format!("{error:#}")))
            }
        }
    }

    async fn perform(&self, matches: &ArgMatches, input: &str) -> Told {
        let mut told = Told::default();
        let done = match matches.subcommand() {
            Some(("admin", sub)) => admin::run(self, sub, input, &mut told).await,
            Some(("audit", sub)) => audit::run(self, sub, &mut told).await,
            Some(("doctor", _)) => doctor::run(self, &mut told).await,
            Some(("keys", sub)) => keys::run(self, sub, &mut told).await,
            Some(("migrate", sub)) => migrate::run(self, sub, &mut told).await,
            Some(("tasks", sub)) => tasks::run(self, sub, &mut told).await,
            Some(("top", _)) => top::once(self, &mut told).await,
            _ => Err(anyhow!("that is for another process")),
        };
        told.error = done.err().map(|error| format!("{error:#}"));
        told
    }
}

/// Has the command done, and says what came of it.
pub(super) fn run(config: &Config, args: Vec<OsString>, matches: &ArgMatches) -> Result<ExitCode> {
    let input = match matches.subcommand_name() {
        Some("admin") => first_line()?,
        _ => String::new(),
    };
    let told = match operator::ask(config, &order(args, &input)?)? {
        Some(told) => {
            eprintln!(
                "done by the process that serves this database, with the settings that it has"
            );
            told
        }
        None => {
            let desk = Desk { config, open: None };
            runtime()?.block_on(desk.perform(matches, &input))
        }
    };
    say(told.text.trim_end_matches('\n'));
    let _closed = std::io::stdout().flush();
    match told.error {
        Some(error) => Err(anyhow!(error)),
        None => Ok(ExitCode::from(told.code)),
    }
}

/// Has the process that serves the database do the command; `None` when there is none.
///
/// # Errors
/// As [`operator::ask`].
pub(super) fn ask(config: &Config, args: &[OsString]) -> Result<Option<Told>> {
    operator::ask(config, &order(args.to_vec(), "")?)
}

fn order(args: Vec<OsString>, input: &str) -> Result<Request> {
    let text = |arg: OsString| arg.into_string().map_err(|_| anyhow!("an argument is not UTF-8"));
    let args = args.into_iter().map(text).collect::<Result<_>>()?;
    Ok(Request::Order(Order { args, input: input.to_owned() }))
}

/// On the command line a password would stand in the process list and the shell's history.
fn first_line() -> Result<String> {
    let mut line = String::new();
    std::io::stdin().lock().read_line(&mut line).context("the password cannot be read")?;
    Ok(line.trim_end_matches(['\r', '\n']).to_owned())
}
