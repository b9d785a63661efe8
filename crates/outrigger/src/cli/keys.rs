//! `outrigger keys rotate`, `outrigger keys webhook`

use std::process::ExitCode;

use anyhow::{Context, Result};
use clap::{Arg, ArgAction, ArgMatches, Command};
use outrigger_domain::tasks::Kinds;
use outrigger_kernel::Ctx;
use outrigger_kernel::secret::ExposeSecret;

use super::say;
use crate::compose::{Backends, services, shared, webhook_keys};
use crate::config::Config;
use crate::lifecycle::{prepare_store, runtime};

pub(super) fn command() -> Command {
    Command::new("keys")
        .about("The keys that sign access tokens and webhooks")
        .subcommand_required(true)
        .subcommand(
            Command::new("webhook").about("Show the secret that signs webhooks which name none"),
        )
        .subcommand(Command::new("rotate").about("Sign with a new key; nobody is logged out").arg(
            Arg::new("refuse-old").long("refuse-old").action(ArgAction::SetTrue).help(
                "refuse all access tokens signed before, as when the old key is in wrong hands",
            ),
        ))
}

pub(super) fn run(config: &Config, matches: &ArgMatches) -> Result<ExitCode> {
    if matches.subcommand_matches("webhook").is_some() {
        let keys = webhook_keys(config)?;
        let derived = keys.derived().context(
            "webhooks.secrets names a secret \"default\": it signs, and none is derived from auth.secret",
        )?;
        say(derived.expose_secret());
        return Ok(ExitCode::SUCCESS);
    }
    let refuse_old =
        matches.subcommand_matches("rotate").is_some_and(|rotate| rotate.get_flag("refuse-old"));
    runtime()?.block_on(async {
        let ports = Backends::open(config)?.connect().await?.ports;
        prepare_store(config, &*ports.store).await?;
        let shared = shared(config, Kinds::default(), &ports)?;
        let auth = services(&ports, &shared).auth;
        let rotated = auth.rotate_keys(&Ctx::system("keys rotate"), refuse_old).await?;
        say(&format!("key {} signs from {}", rotated.kid, rotated.signs_from));
        match rotated.old_accepted_until {
            Some(until) => say(&format!("tokens of the keys before are accepted until {until}")),
            None => say("tokens of the keys before are refused from now on"),
        }
        Ok(ExitCode::SUCCESS)
    })
}
