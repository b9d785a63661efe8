//! `outrigger top`: the overview of the console in a terminal.

mod frame;

use std::ffi::OsString;
use std::io::{IsTerminal as _, Write as _};
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Result, anyhow};
use clap::{Arg, ArgAction, ArgMatches, Command};
use outrigger_domain::replicas::{Replicas, Shared};
use outrigger_kernel::{Clock, Ctx};
use outrigger_ports::queue::TaskBoard;

use super::desk::{self, Desk, Told};
use crate::compose::Backends;
use crate::config::Config;
use crate::lifecycle::runtime;

/// How far the tasks of a state are counted on a database, which has to read them.
const COUNTED_MAX: usize = 1_000;
/// Empties the screen, and goes to its upper left corner (ECMA-48: ED, CUP).
const CLEAR: &str = "\x1b[2J\x1b[H";

pub(super) fn command() -> Command {
    Command::new("top")
        .about("Show what the deployment does, again and again")
        .arg(Arg::new("once").long("once").action(ArgAction::SetTrue).help("only once"))
        .arg(
            Arg::new("every")
                .long("every")
                .value_name("SECONDS")
                .default_value("5")
                .value_parser(clap::value_parser!(u64).range(1..=3_600))
                .help("how often"),
        )
}

/// Shows one frame after the other, until it is interrupted; one when nobody watches.
pub(super) fn run(
    config: &Config,
    mut args: Vec<OsString>,
    matches: &ArgMatches,
    own: &ArgMatches,
) -> Result<ExitCode> {
    if own.get_flag("once") || !std::io::stdout().is_terminal() {
        return desk::run(config, args, matches);
    }
    let every = Duration::from_secs(own.get_one("every").copied().unwrap_or(5));
    args.push("--once".into());
    runtime()?.block_on(async {
        let mut source = Source::Unknown;
        loop {
            let text = source.frame(config, &args).await?;
            let mut out = std::io::stdout().lock();
            out.write_all(format!("{CLEAR}{text}").as_bytes())?;
            out.flush()?;
            drop(out);
            tokio::time::sleep(every).await;
        }
    })
}

/// Where frames come from.
enum Source {
    Unknown,
    /// The process that serves the SQLite database of this machine.
    Serving,
    Own(Box<Looking>),
}

impl Source {
    async fn frame(&mut self, config: &Config, args: &[OsString]) -> Result<String> {
        if !matches!(self, Self::Own(_)) {
            if let Some(told) = desk::ask(config, args)? {
                *self = Self::Serving;
                return told.heard().map_err(|error| anyhow!(error));
            }
            if matches!(self, Self::Serving) {
                return Ok("the process that serves has ended\n".to_owned());
            }
            let backends = Arc::new(Backends::open(config)?);
            *self = Self::Own(Box::new(Looking::begin(&backends).await?));
        }
        let Self::Own(looking) = self else { return Ok(String::new()) };
        Ok(looking.frame().await)
    }
}

/// One frame, on behalf of the command or of another process.
pub(super) async fn once(desk: &Desk<'_>, told: &mut Told) -> Result<()> {
    let looking = Looking::begin(&*desk.backends()?).await?;
    told.say(looking.frame().await.trim_end());
    Ok(())
}

/// Looks at the deployment through its database and queue.
struct Looking {
    replicas: Replicas,
    board: Arc<dyn TaskBoard>,
    clock: Arc<dyn Clock>,
}

impl Looking {
    async fn begin(backends: &Backends) -> Result<Self> {
        let connected = backends.connect().await?;
        connected.settle().await;
        let ports = connected.ports;
        let replicas = Replicas::new(&ports, Arc::<Shared>::default());
        Ok(Self { replicas, board: ports.board, clock: ports.clock })
    }

    async fn frame(&self) -> String {
        let ctx = Ctx::system("top");
        let now = self.clock.now();
        let seen = frame::Seen {
            now,
            overview: self.replicas.overview(&ctx).await.map_err(|error| error.to_string()),
            fleet: self.replicas.list(&ctx).await.map_err(|error| error.to_string()),
            queues: self.board.queues(COUNTED_MAX).await.map_err(|error| error.to_string()),
        };
        frame::draw(&seen)
    }
}
