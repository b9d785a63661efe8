//! The command line.

mod admin;
mod archive;
mod audit;
mod config_show;
pub(crate) mod desk;
pub(crate) mod doctor;
mod health;
mod keys;
mod metrics;
mod migrate;
mod openapi;
mod progress;
mod table;
mod tasks;
mod top;

use std::ffi::OsString;
use std::io::Write;
use std::process::ExitCode;

use anyhow::Result;
use clap::{Arg, ArgAction, ArgMatches, Command};

use crate::Additions;
use crate::config::{self, Loaded, Sources};
use crate::lifecycle;

/// Does what the arguments say.
pub(crate) fn run(args: impl IntoIterator<Item = OsString>, additions: &Additions) -> ExitCode {
    let args: Vec<OsString> = args.into_iter().collect();
    let matches = match command().try_get_matches_from(&args) {
        Ok(matches) => matches,
        Err(error) => {
            let _ = error.print();
            return ExitCode::from(u8::try_from(error.exit_code()).unwrap_or(2));
        }
    };
    match dispatch(&matches, args, additions) {
        Ok(code) => code,
        Err(error) => {
            // One line, with every cause: what failed, where it was set, and why.
            let _ = writeln!(std::io::stderr(), "outrigger: {error:#}");
            ExitCode::FAILURE
        }
    }
}

/// Writes a line for a person to standard output.
pub(crate) fn say(text: &str) {
    let _ = writeln!(std::io::stdout(), "{text}");
}

fn command() -> Command {
    let config = Arg::new("config").long("config").value_name("FILE").global(true);
    let set = Arg::new("set").long("set").value_name("SECTION.KEY=VALUE").global(true);
    Command::new("outrigger")
        .version(env!("CARGO_PKG_VERSION"))
        .about("A production backend in one binary")
        .subcommand_required(true)
        .arg_required_else_help(true)
        .arg(config.help("a file with settings; outrigger.toml by default"))
        .arg(set.action(ArgAction::Append).help("a setting; may be repeated"))
        .subcommand(
            Command::new("serve")
                .about("Serve the API, and run tasks")
                .arg(flag("port", "http.port", "the public port"))
                .arg(flag(
                    "roles",
                    "deployment.roles",
                    "what this process does: api,worker,scheduler",
                ))
                .arg(flag("services", "http.services", "the services whose routes are exposed")),
        )
        .subcommand(
            Command::new("migrate")
                .about("Show or do what the database needs")
                .subcommand_required(true)
                .subcommand(
                    Command::new("plan").about("Show it; exit code 3 when there is something"),
                )
                .subcommand(
                    Command::new("apply").about("Do it").arg(
                        Arg::new("wait")
                            .long("wait")
                            .value_name("SECONDS")
                            .default_value("60")
                            .value_parser(clap::value_parser!(u64))
                            .help("how long to wait for another migration; 0: refuse at once"),
                    ),
                ),
        )
        .subcommand(Command::new("doctor").about("Check every backend and the settings"))
        .subcommand(archive::export_command())
        .subcommand(archive::import_command())
        .subcommand(admin::command())
        .subcommand(audit::command())
        .subcommand(keys::command())
        .subcommand(tasks::command())
        .subcommand(top::command())
        .subcommand(
            Command::new("config").about("Settings").subcommand_required(true).subcommand(
                Command::new("show").about("Show the settings in force, without secrets"),
            ),
        )
        .subcommand(Command::new("openapi").about("Print the API document"))
        .subcommand(Command::new("metrics").about("Print what /metrics on the internal port shows"))
        .subcommand(
            Command::new("health").about("Ask the process on this machine whether it is ready"),
        )
}

fn flag(name: &'static str, key: &'static str, help: &'static str) -> Arg {
    Arg::new(name).long(name).value_name(key).help(help)
}

fn dispatch(matches: &ArgMatches, args: Vec<OsString>, additions: &Additions) -> Result<ExitCode> {
    let loaded = load(matches)?;
    let config = &loaded.config;
    match matches.subcommand() {
        Some((name, _)) if desk::COMMANDS.contains(&name) => desk::run(config, args, matches),
        Some(("export", sub)) => archive::export(config, sub),
        Some(("import", sub)) => archive::import(config, sub),
        Some(("serve", _)) => lifecycle::serve(&loaded, additions).map(|()| ExitCode::SUCCESS),
        Some(("top", sub)) => top::run(config, args, matches, sub),
        Some(("config", _)) => config_show::run(&loaded),
        Some(("openapi", _)) => openapi::run(config, additions),
        Some(("metrics", _)) => metrics::run(),
        Some(("health", _)) => health::run(config),
        _ => Ok(ExitCode::FAILURE),
    }
}

fn load(matches: &ArgMatches) -> Result<Loaded> {
    let mut flags = Vec::new();
    for pair in matches.get_many::<String>("set").into_iter().flatten() {
        let (key, value) = pair.split_once('=').ok_or_else(|| {
            anyhow::anyhow!("--set takes SECTION.KEY=VALUE, for example --set http.port=8080")
        })?;
        flags.push((key.to_owned(), value.to_owned()));
    }
    if let Some(("serve", serve)) = matches.subcommand() {
        for (name, key) in
            [("port", "http.port"), ("services", "http.services"), ("roles", "deployment.roles")]
        {
            if let Some(value) = serve.get_one::<String>(name) {
                flags.push((key.to_owned(), value.clone()));
            }
        }
    }
    let file = matches.get_one::<String>("config").map(Into::into);
    config::load(&Sources::of_process(file, flags))
}
