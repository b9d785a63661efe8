//! What traces cost: the same server without them, recording one request of a hundred, and all.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};

use anyhow::{Context, Result};

use crate::args::Args;
use crate::build::Built;
use crate::compare::{self, Round};
use crate::out;
use crate::peers::{Peer, ours};
use crate::scenario::Scenario;
use crate::servers::Servers;
use crate::stats;

/// How much is recorded; nothing: no traces at all.
const SAMPLES: [Option<&str>; 3] = [None, Some("0.01"), Some("1")];
const SCENARIOS: [Scenario; 2] = [Scenario::CachedRead, Scenario::AuthenticatedRead];

/// What recording so much costs, against the rounds without traces just before or after.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Cost {
    pub(crate) scenario: Scenario,
    pub(crate) sample: &'static str,
    /// Median figures of the rounds.
    pub(crate) round: Round,
    /// Requests a second, of those without.
    pub(crate) rate: f64,
    /// CPU time, of that without.
    pub(crate) cpu: f64,
}

/// Drives three servers in turn.
///
/// # Errors
/// When an answer is not as expected.
pub(crate) fn measure(args: &Args, built: &Built, servers: &Servers) -> Result<Vec<Cost>> {
    let endpoint = collector()?;
    let start = |(number, sample): (usize, Option<&str>)| {
        let database = format!("bench_traces_{number}");
        let settings = sample.map(|sample| {
            [("OUTRIGGER__TRACES__ENDPOINT", &*endpoint), ("OUTRIGGER__TRACES__SAMPLE", sample)]
        });
        ours::start_filled(built, servers, &database, settings.as_ref().map_or(&[], |all| all))
    };
    let peers: Vec<Peer> = SAMPLES.into_iter().enumerate().map(start).collect::<Result<_>>()?;
    let mut costs = Vec::new();
    for scenario in SCENARIOS {
        let mut rounds = [const { Vec::new() }; SAMPLES.len()];
        for number in 0..args.rounds {
            for step in 0..peers.len() {
                // Another one is first each time.
                let turn = (number + step) % peers.len();
                let round = compare::round(args, servers, &peers[turn], scenario)?;
                let sample = SAMPLES[turn].unwrap_or("off");
                let (name, rate, cpu) = (scenario.name(), round.rate, round.cpu_ms);
                out::note(&format!("{name}, traces {sample}: {rate:.0}/s, {cpu:.2} CPU ms"));
                rounds[turn].push(round);
            }
        }
        costs.extend(SAMPLES.iter().zip(&rounds).map(|(sample, own)| {
            let ratio = |figure: fn(&Round) -> f64| {
                stats::median(
                    own.iter().zip(&rounds[0]).map(|(own, off)| figure(own) / figure(off)),
                )
            };
            Cost {
                scenario,
                sample: sample.unwrap_or("off"),
                round: Round::median(own),
                rate: ratio(|round| round.rate),
                cpu: ratio(|round| round.cpu_ms),
            }
        }));
    }
    Ok(costs)
}

/// The URL of a collector that takes everything and keeps nothing.
fn collector() -> Result<String> {
    let listener = TcpListener::bind(("127.0.0.1", 0)).context("a collector's port")?;
    let url = format!("http://{}", listener.local_addr()?);
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            std::thread::spawn(move || take(stream));
        }
    });
    Ok(url)
}

fn take(mut stream: TcpStream) -> std::io::Result<()> {
    let mut reader = BufReader::new(stream.try_clone()?);
    let mut length = 0;
    loop {
        let mut line = String::new();
        reader.read_line(&mut line)?;
        match line.trim_end().split_once(':') {
            Some((name, value)) if name.eq_ignore_ascii_case("content-length") => {
                length = value.trim().parse().unwrap_or(0);
            }
            None if line.trim_end().is_empty() => break,
            _ => {}
        }
    }
    std::io::copy(&mut reader.take(length), &mut std::io::sink())?;
    stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
}
