//! The comparison: short rounds of each peer in turn, so that what else the machine does meets all.

use std::time::Duration;

use anyhow::{Context, Result};

use crate::args::Args;
use crate::build::Built;
use crate::load::{self, Until};
use crate::peers::{Peer, Which};
use crate::scenario::Scenario;
use crate::servers::Servers;
use crate::{out, stats};

/// How long a peer is driven before a round counts.
const WARM_UP: Duration = Duration::from_millis(500);

/// One round of one peer.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Round {
    /// Answers in a second.
    pub(crate) rate: f64,
    /// Median time of an answer, in microseconds.
    pub(crate) p50_us: f64,
    /// 99 of 100 answers took less, in microseconds.
    pub(crate) p99_us: f64,
    /// Processor time of the peer for 1,000 answers, in milliseconds.
    pub(crate) cpu_ms: f64,
    /// The same of PostgreSQL and Redis.
    pub(crate) servers_cpu_ms: f64,
    /// Memory of the peer after the round, in MiB.
    pub(crate) memory_mib: f64,
}

impl Round {
    /// The median of each figure.
    pub(crate) fn median(rounds: &[Self]) -> Self {
        let of = |figure: fn(&Self) -> f64| stats::median(rounds.iter().map(figure));
        Self {
            rate: of(|round| round.rate),
            p50_us: of(|round| round.p50_us),
            p99_us: of(|round| round.p99_us),
            cpu_ms: of(|round| round.cpu_ms),
            servers_cpu_ms: of(|round| round.servers_cpu_ms),
            memory_mib: of(|round| round.memory_mib),
        }
    }
}

/// All rounds of one peer in one scenario.
#[derive(Clone, Debug)]
pub(crate) struct Measured {
    pub(crate) scenario: Scenario,
    pub(crate) which: Which,
    pub(crate) rounds: Vec<Round>,
}

impl Measured {
    /// The median, over the rounds, of one figure divided by that of another peer in its round of
    /// the same number, which was just before or after.
    pub(crate) fn ratio(&self, other: &Self, figure: impl Fn(&Round) -> f64) -> f64 {
        let pairs = self.rounds.iter().zip(&other.rounds);
        stats::median(pairs.map(|(own, others)| figure(own) / figure(others)))
    }
}

/// Starts the peers and measures each scenario.
///
/// # Errors
/// Names the peer and the scenario whose answer was not as expected.
pub(crate) fn run(args: &Args, built: &Built, servers: &Servers) -> Result<Vec<Measured>> {
    let peers: Vec<Peer> = args
        .peers
        .iter()
        .map(|which| {
            out::note(&format!("starting {}", which.name()));
            which.start(built, servers).with_context(|| which.name())
        })
        .collect::<Result<_>>()?;
    let mut all = Vec::new();
    for scenario in &args.scenarios {
        out::note(&format!("driving {}", scenario.name()));
        let empty =
            |peer: &Peer| Measured { scenario: *scenario, which: peer.which, rounds: Vec::new() };
        let mut measured: Vec<Measured> = peers.iter().map(empty).collect();
        for number in 0..args.rounds {
            for step in 0..peers.len() {
                // Another peer is first each time.
                let turn = (number + step) % peers.len();
                let peer = &peers[turn];
                let round = round(args, servers, peer, *scenario)
                    .with_context(|| format!("{}, {}", scenario.name(), peer.which.name()))?;
                out::note(&format!(
                    "{} {} {}: {:.0}/s, {:.2} CPU ms per 1,000",
                    scenario.name(),
                    number + 1,
                    peer.which.name(),
                    round.rate,
                    round.cpu_ms
                ));
                measured[turn].rounds.push(round);
            }
        }
        all.extend(measured);
    }
    Ok(all)
}

/// Drives one peer once.
///
/// # Errors
/// When an answer is not as expected.
pub(crate) fn round(
    args: &Args,
    servers: &Servers,
    peer: &Peer,
    scenario: Scenario,
) -> Result<Round> {
    let mut requests = peer.requests(scenario)?;
    peer.warm(scenario, args.connections)?;
    load::run(peer.port, args.connections, &mut requests, Until::Time(WARM_UP))?;
    let load = Until::Time(args.round);
    let mut used = || (peer.cpu(), servers.cpu());
    measure(&mut used, || load::run(peer.port, args.connections, &mut requests, load))
        .map(|round| Round { memory_mib: kib_to_mib(peer.memory_kib()), ..round })
}

/// Runs a load, with the processor time of a peer and of the servers before and after.
///
/// # Errors
/// Those of the load.
pub(crate) fn measure(
    used: &mut dyn FnMut() -> (Duration, Duration),
    load: impl FnOnce() -> Result<load::Outcome>,
) -> Result<Round> {
    let before = used();
    let mut outcome = load()?;
    let after = used();
    outcome.latencies.sort_unstable();
    // The late answers have cost time too.
    let all = outcome.answers + outcome.late;
    let per_thousand = |used: Duration| used.as_secs_f64() * 1_000_000.0 / f64::from(all);
    let us = |percent| f64::from(stats::percentile(&outcome.latencies, percent)) / 1_000.0;
    Ok(Round {
        rate: f64::from(outcome.answers) / outcome.took.as_secs_f64(),
        p50_us: us(50),
        p99_us: us(99),
        cpu_ms: per_thousand(after.0.saturating_sub(before.0)),
        servers_cpu_ms: per_thousand(after.1.saturating_sub(before.1)),
        memory_mib: 0.0,
    })
}

/// Memory for reading.
pub(crate) fn kib_to_mib(kib: u64) -> f64 {
    f64::from(u32::try_from(kib).unwrap_or(u32::MAX)) / 1_024.0
}
