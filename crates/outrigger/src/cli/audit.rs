//! `outrigger audit verify`, `outrigger audit export`

use anyhow::{Context, Result, bail};
use clap::{Arg, ArgMatches, Command};
use outrigger_domain::audit::{Chain, Verified};
use outrigger_domain::tasks::Kinds;
use outrigger_kernel::{Clock as _, Ctx, SystemClock};

use super::desk::{Desk, Told};
use crate::compose::{services, shared};
use crate::lifecycle::prepare_store;

pub(super) fn command() -> Command {
    let number = |name: &'static str| {
        Arg::new(name).long(name).value_name("NUMBER").value_parser(clap::value_parser!(u64))
    };
    Command::new("audit")
        .about("The audit log")
        .subcommand_required(true)
        .subcommand(
            Command::new("verify")
                .about("Check that nobody has changed the log, or taken anything out of it")
                .arg(Arg::new("known").long("known").value_name("NUMBER:HASH").help(
                    "what an earlier check gave as the newest entry; shows also a log that was made anew",
                )),
        )
        .subcommand(
            Command::new("export")
                .about("Write entries as lines of JSON, the oldest first")
                .arg(number("after").default_value("0").help("begin after the entry of this number"))
                .arg(number("limit").default_value("100000").help("at most so many")),
        )
}

pub(super) async fn run(desk: &Desk<'_>, matches: &ArgMatches, told: &mut Told) -> Result<()> {
    let ports = desk.backends()?.connect().await?.ports;
    prepare_store(desk.config, &*ports.store).await?;
    let shared = shared(desk.config, Kinds::default(), &ports)?;
    let chain = services(&ports, &shared).audit_chain;
    let ctx = Ctx::system("audit");
    match matches.subcommand() {
        Some(("verify", sub)) => verify(&chain, &ctx, sub, told).await,
        Some(("export", sub)) => export(&chain, &ctx, sub, told).await,
        _ => bail!("audit has no such command"),
    }
}

async fn verify(chain: &Chain, ctx: &Ctx, matches: &ArgMatches, told: &mut Told) -> Result<()> {
    let known = matches.get_one::<String>("known").map(|known| parse(known)).transpose()?;
    // What was written a moment ago, or by an earlier version, is linked first, so that it is looked at too.
    chain.adopt(ctx).await?;
    while chain.extend().await? {}
    let verified = chain.verify(ctx, SystemClock.now(), known).await?;
    for finding in &verified.findings {
        told.say(finding);
    }
    let Verified { entries, first, newest, open, findings } = verified;
    let number = newest.as_ref().map_or(0, |newest| newest.number);
    told.say(&format!("{entries} entries, numbers {first} to {number}; {open} not linked yet"));
    if let Some(newest) = newest {
        told.say(&format!("newest: {number}:{}", newest.hash));
    }
    if findings.is_empty() {
        told.say("the audit log is whole");
    } else {
        bail!("the audit log is not whole");
    }
    Ok(())
}

fn parse(known: &str) -> Result<(u64, &str)> {
    let parts = known.split_once(':').and_then(|(number, hash)| Some((number.parse().ok()?, hash)));
    parts.context("--known is NUMBER:HASH, as an earlier check has written it")
}

async fn export(chain: &Chain, ctx: &Ctx, matches: &ArgMatches, told: &mut Told) -> Result<()> {
    let number = |name: &str| matches.get_one::<u64>(name).copied().unwrap_or_default();
    let (mut after, mut left) = (number("after"), usize::try_from(number("limit"))?);
    while left > 0 {
        let (lines, last) = chain.export(ctx, after, left).await?;
        let Some(last) = last else { break };
        for line in &lines {
            told.say(line);
        }
        left -= lines.len();
        after = last;
    }
    Ok(())
}
