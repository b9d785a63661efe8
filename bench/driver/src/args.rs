//! The command line.

use std::time::Duration;

use anyhow::{Result, bail};
use clap::{Arg, ArgAction, Command, value_parser};

use crate::peers::Which;
use crate::scenario::Scenario;

/// What to measure, and how long.
#[derive(Clone, Debug)]
#[expect(clippy::struct_excessive_bools, reason = "each is a measurement of its own")]
pub(crate) struct Args {
    /// Compared between the peers.
    pub(crate) scenarios: Vec<Scenario>,
    /// Whether to measure cost at 1,000 and 1,000,000 records.
    pub(crate) scale: bool,
    /// Whether to measure background work.
    pub(crate) tasks: bool,
    /// Whether to measure analytics.
    pub(crate) events: bool,
    /// Whether to measure what traces cost.
    pub(crate) traces: bool,
    /// Whether to measure memory and start of the embedded server.
    pub(crate) idle: bool,
    /// Who takes part.
    pub(crate) peers: Vec<Which>,
    /// The length of one round of one peer.
    pub(crate) round: Duration,
    /// Rounds of each peer in each scenario.
    pub(crate) rounds: usize,
    /// Connections, each with one request on its way.
    pub(crate) connections: usize,
}

impl Args {
    /// Reads the arguments of this process; ends it when they are wrong or ask for help.
    pub(crate) fn parse() -> Result<Self> {
        Self::of(&command().get_matches())
    }

    fn of(matches: &clap::ArgMatches) -> Result<Self> {
        let named: Vec<&String> = matches.get_many("scenario").into_iter().flatten().collect();
        let wanted = |name: &str| named.is_empty() || named.iter().any(|given| *given == name);
        let peers = match matches.get_one::<String>("only") {
            None => Which::ALL.to_vec(),
            Some(list) => list.split(',').map(Which::parse).collect::<Result<_>>()?,
        };
        let args = Self {
            scenarios: Scenario::ALL.into_iter().filter(|s| wanted(s.name())).collect(),
            scale: wanted("scale") && peers.contains(&Which::Ours),
            tasks: wanted("tasks") && peers.contains(&Which::Ours) && peers.contains(&Which::Floor),
            events: wanted("events") && peers.contains(&Which::Ours),
            traces: wanted("traces") && peers.contains(&Which::Ours),
            idle: wanted("idle") && peers.contains(&Which::Ours),
            peers,
            round: Duration::from_secs(*matches.get_one("seconds").unwrap_or(&3)),
            rounds: *matches.get_one("rounds").unwrap_or(&3),
            connections: *matches.get_one("connections").unwrap_or(&64),
        };
        if args.rounds == 0 || args.round.is_zero() || args.connections == 0 {
            bail!("--rounds, --seconds and --connections start at 1");
        }
        Ok(args)
    }

    /// Whether everything is measured, so that the results may be kept.
    pub(crate) fn is_complete(&self) -> bool {
        let all = self.scenarios.len() == Scenario::ALL.len();
        all && self.scale
            && self.tasks
            && self.events
            && self.traces
            && self.idle
            && self.peers.len() == Which::ALL.len()
    }
}

fn command() -> Command {
    let names = Scenario::ALL
        .map(Scenario::name)
        .into_iter()
        .chain(["tasks", "events", "traces", "scale", "idle"]);
    let number = |name: &'static str, help: &'static str| {
        Arg::new(name).long(name).value_name("N").help(help)
    };
    Command::new("bench")
        .about("Compares Outrigger with a bare axum floor and a FastAPI reference")
        .after_help("Results are written to bench/results/latest.json when everything is measured.")
        .arg(
            Arg::new("scenario")
                .action(ArgAction::Append)
                .value_parser(clap::builder::PossibleValuesParser::new(names))
                .help("what to measure; everything by default"),
        )
        .arg(
            Arg::new("only")
                .long("only")
                .value_name("PEERS")
                .help("who takes part, separated by commas: ours, floor, fastapi"),
        )
        .arg(
            number("seconds", "length of a round [3]")
                .value_parser(value_parser!(u64).range(1..=60)),
        )
        .arg(number("rounds", "rounds of each peer [3]").value_parser(value_parser!(usize)))
        .arg(number("connections", "connections [64]").value_parser(value_parser!(usize)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(args: &[&str]) -> Result<Args> {
        let args = ["bench"].iter().chain(args);
        Args::of(&command().try_get_matches_from(args)?)
    }

    #[test]
    fn everything_is_measured_by_default_and_only_then_kept() {
        let all = parsed(&[]).unwrap();
        assert!(all.is_complete());
        assert_eq!((all.rounds, all.round.as_secs(), all.connections), (3, 3, 64));
        assert!(!parsed(&["login"]).unwrap().is_complete());
        assert!(!parsed(&["--only", "ours,floor"]).unwrap().is_complete());
    }

    #[test]
    fn what_is_named_is_measured_and_nothing_else() {
        let some = parsed(&["login", "idle", "--seconds", "1", "--only", "ours"]).unwrap();
        assert_eq!(some.scenarios, [Scenario::Login]);
        assert!(some.idle && !some.scale);
        assert_eq!(some.peers, [Which::Ours]);
    }

    #[test]
    fn unknown_words_are_refused() {
        assert!(parsed(&["logon"]).is_err());
        assert!(parsed(&["--only", "ours,nobody"]).unwrap_err().to_string().contains("nobody"));
        assert!(parsed(&["--rounds", "0"]).is_err());
    }
}
