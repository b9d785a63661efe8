//! `outrigger admin create`

use anyhow::{Context, Result};
use clap::{Arg, ArgMatches, Command};
use outrigger_domain::tasks::Kinds;
use outrigger_kernel::{Ctx, Secret};

use super::desk::{Desk, Told};
use crate::compose::{services, shared};
use crate::lifecycle::prepare_store;

pub(super) fn command() -> Command {
    Command::new("admin").about("Administrators").subcommand_required(true).subcommand(
        Command::new("create")
            .about("Make one; the password is read from standard input")
            .arg(Arg::new("email").long("email").required(true)),
    )
}

/// The password is the input.
pub(super) async fn run(
    desk: &Desk<'_>,
    matches: &ArgMatches,
    input: &str,
    told: &mut Told,
) -> Result<()> {
    let create = matches.subcommand_matches("create").context("admin has the command create")?;
    let email = create.get_one::<String>("email").context("--email is needed")?;
    let ports = desk.backends()?.connect().await?.ports;
    prepare_store(desk.config, &*ports.store).await?;
    let shared = shared(desk.config, Kinds::default(), &ports)?;
    let made = services(&ports, &shared)
        .auth
        .create_admin(&Ctx::system("admin create"), email, Secret::from(input.to_owned()))
        .await?;
    told.say(&format!("administrator {} was made", made.id));
    Ok(())
}
