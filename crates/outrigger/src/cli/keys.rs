//! `outrigger keys rotate`, `outrigger keys webhook`

use anyhow::{Context, Result};
use clap::{Arg, ArgAction, ArgMatches, Command};
use outrigger_domain::tasks::Kinds;
use outrigger_kernel::Ctx;
use outrigger_kernel::secret::ExposeSecret;

use super::desk::{Desk, Told};
use crate::compose::{services, shared, webhook_keys};
use crate::lifecycle::prepare_store;

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

pub(super) async fn run(desk: &Desk<'_>, matches: &ArgMatches, told: &mut Told) -> Result<()> {
    let Some(rotate) = matches.subcommand_matches("rotate") else {
        let keys = webhook_keys(desk.config)?;
        let derived = keys.derived().context(
            "webhooks.secrets names a secret \"default\": it signs, and none is derived from auth.secret",
        )?;
        told.say(derived.expose_secret());
        return Ok(());
    };
    let ports = desk.backends()?.connect().await?.ports;
    prepare_store(desk.config, &*ports.store).await?;
    let shared = shared(desk.config, Kinds::default(), &ports)?;
    let auth = services(&ports, &shared).auth;
    let rotated =
        auth.rotate_keys(&Ctx::system("keys rotate"), rotate.get_flag("refuse-old")).await?;
    told.say(&format!("key {} signs from {}", rotated.kid, rotated.signs_from));
    match rotated.old_accepted_until {
        Some(until) => told.say(&format!("tokens of the keys before are accepted until {until}")),
        None => told.say("tokens of the keys before are refused from now on"),
    }
    Ok(())
}
