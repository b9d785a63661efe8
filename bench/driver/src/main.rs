//! The benchmark: starts PostgreSQL, Redis, Outrigger and its peers, drives them in turn with the
//! same load, and compares them. `cargo xtask bench --help` says how.

mod answer;
mod args;
mod build;
mod call;
mod compare;
mod data;
mod events;
mod idle;
mod load;
mod machine;
mod out;
mod peers;
mod proc;
mod report;
mod requests;
mod scale;
mod scenario;
mod servers;
mod stats;
mod tasks;
mod traces;

use anyhow::Result;
use args::Args;
use report::Report;
use servers::Servers;

fn main() -> Result<()> {
    let args = Args::parse()?;
    let built = build::all(&args.peers, args.tasks)?;
    let mut report = Report::new(&args);
    if args.idle {
        report.idle = Some(idle::measure(&built)?);
    }
    if args.scale || args.tasks || args.events || args.traces || !args.scenarios.is_empty() {
        let servers = Servers::start()?;
        report.servers = servers.versions()?;
        if !args.scenarios.is_empty() {
            report.compared = compare::run(&args, &built, &servers)?;
        }
        if args.tasks {
            report.tasks = Some(tasks::measure(&built, &servers)?);
        }
        if args.events {
            report.events = Some(events::measure(&built, &servers)?);
        }
        if args.traces {
            report.traces = Some(traces::measure(&args, &built, &servers)?);
        }
        if args.scale {
            report.scale = Some(scale::measure(&args, &built, &servers)?);
        }
    }
    out::say(&report.markdown());
    if args.is_complete() {
        report.keep()?;
    }
    Ok(())
}
