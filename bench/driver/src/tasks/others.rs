//! The queues of others: the same no-op tasks on the same Redis, finished with their results kept.

use std::io::{BufRead as _, BufReader, Lines, Write as _};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

use crate::build::Queues;
use crate::servers::Servers;
use crate::{out, proc, stats};

/// Tasks that wait when the worker begins: apalis ends when it finds some 8,000.
const COUNT: u32 = 5_000;
const ROUNDS: usize = 3;

/// How one did: medians.
#[derive(Clone, Debug)]
pub(crate) struct Other {
    /// Its name.
    pub(crate) name: &'static str,
    /// How many times as many tasks a second we are to finish.
    pub(crate) aim: f64,
    /// Tasks a second.
    pub(crate) rate: f64,
    /// Processor time of its process for 1,000 tasks, in milliseconds.
    pub(crate) cpu_ms: f64,
    /// The same of Redis.
    pub(crate) servers_cpu_ms: f64,
}

/// Measures each in turn.
///
/// # Errors
/// When a task does not succeed.
pub(super) fn all(queues: &Queues, servers: &Servers) -> Result<Vec<Other>> {
    let rust = |name: &str| {
        let mut command = Command::new(&queues.rust);
        command.arg(name);
        command
    };
    let mut arq = Command::new(&queues.python);
    arq.arg(&queues.arq);
    Ok(vec![
        other("apalis", 4.0, rust("apalis"), servers)?,
        other("BullMQ", 4.0, rust("bullmq"), servers)?,
        other("ARQ", 25.0, arq, servers)?,
    ])
}

fn other(name: &'static str, aim: f64, mut command: Command, servers: &Servers) -> Result<Other> {
    out::note(&format!("finishing tasks of {name}"));
    command.args([servers.redis.url(), COUNT.to_string()]);
    command.stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut rounds = Vec::new();
    for _ in 0..ROUNDS {
        servers.redis.cli(&["FLUSHALL"])?;
        rounds.push(Round::run(&mut command, servers).with_context(|| name.to_owned())?);
    }
    servers.redis.cli(&["FLUSHALL"])?;
    let median = |figure: fn(&Round) -> f64| stats::median(rounds.iter().map(figure));
    let per_1000 = 1_000_000.0 / f64::from(COUNT);
    Ok(Other {
        name,
        aim,
        rate: f64::from(COUNT) / median(|round| round.took),
        cpu_ms: median(|round| round.cpu) * per_1000,
        servers_cpu_ms: median(|round| round.servers_cpu) * per_1000,
    })
}

/// What one round took, in seconds.
struct Round {
    took: f64,
    cpu: f64,
    servers_cpu: f64,
}

impl Round {
    fn run(command: &mut Command, servers: &Servers) -> Result<Self> {
        let mut worker = Worker::start(command)?;
        worker.hear("waiting")?;
        let used = |pid| (proc::cpu(pid), servers.cpu());
        let pid = worker.process.id();
        let (cpu, servers_cpu) = used(pid);
        let began = Instant::now();
        worker.input.write_all(b"go\n")?;
        worker.hear("done")?;
        let took = began.elapsed();
        let after = used(pid);
        let seconds = |after: Duration, before| after.saturating_sub(before).as_secs_f64();
        Ok(Self {
            took: took.as_secs_f64(),
            cpu: seconds(after.0, cpu),
            servers_cpu: seconds(after.1, servers_cpu),
        })
    }
}

/// A process of theirs; it is ended with the value.
struct Worker {
    process: Child,
    input: ChildStdin,
    lines: Lines<BufReader<ChildStdout>>,
}

impl Worker {
    fn start(command: &mut Command) -> Result<Self> {
        let mut process = command.spawn()?;
        let input = process.stdin.take().context("no standard input")?;
        let output = process.stdout.take().context("no standard output")?;
        Ok(Self { process, input, lines: BufReader::new(output).lines() })
    }

    fn hear(&mut self, word: &str) -> Result<()> {
        match self.lines.next().transpose()? {
            Some(line) if line == word => Ok(()),
            line => bail!("it said {line:?} instead of {word}"),
        }
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        let _ended = self.process.kill();
        let _known = self.process.wait();
    }
}
