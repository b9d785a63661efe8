//! `outrigger admin create`

use std::io::BufRead;
use std::process::ExitCode;

use anyhow::{Context, Result};
use clap::{Arg, ArgMatches, Command};
use outrigger_domain::tasks::Kinds;
use outrigger_kernel::{Ctx, Secret};

use super::say;
use crate::compose::{Backends, services, shared};
use crate::config::Config;
use crate::lifecycle::{prepare_store, runtime};

pub(super) fn command() -> Command {
    Command::new("admin").about("Administrators").subcommand_required(true).subcommand(
        Command::new("create")
            .about("Make one; the password is read from standard input")
            .arg(Arg::new("email").long("email").required(true)),
    )
}

pub(super) fn run(config: &Config, matches: &ArgMatches) -> Result<ExitCode> {
    let create = matches.subcommand_matches("create").context("admin has the command create")?;
    let email = create.get_one::<String>("email").context("--email is needed")?;
    // On the command line the password would stand in the process list and the shell's history.
    let mut line = String::new();
    std::io::stdin().lock().read_line(&mut line).context("the password cannot be read")?;
    let password = Secret::from(line.trim_end_matches(['\r', '\n']).to_owned());
    runtime()?.block_on(async {
        let ports = Backends::open(config)?.connect().await?.ports;
        prepare_store(config, &*ports.store).await?;
        let shared = shared(config, Kinds::default(), &ports)?;
        let made = services(&ports, &shared)
            .auth
            .create_admin(&Ctx::system("admin create"), email, password)
            .await?;
        say(&format!("administrator {} was made", made.id));
        Ok(ExitCode::SUCCESS)
    })
}
