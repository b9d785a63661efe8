//! The project's commands: `cargo xtask <command>`. `ci` is all that has to pass; the others are
//! its parts, for use while working.

mod audit;
mod bench;
mod cargo;
mod ci;
mod generate;
mod image;
mod infra;
mod metadata;
mod out;
mod room;
mod root;
mod schemathesis;
mod scratch;
mod test;
mod tidy;
mod tools;

use std::process::ExitCode;

use anyhow::{Result, bail};

const HELP: &str = "\
cargo xtask <command>

  test [filter…]    start the real servers, run every suite, then schemathesis; leave nothing behind
  schemathesis      only the run of schemathesis against the API document
  tidy              the rules of the layout: crate edges, module order, sizes, links, dead files
  gen [--check]     write docs/reference, or with --check say what is out of date
  audit             licences, sources, banned and duplicate crates
  infra [name…]     Terraform and all else that is deployed, checked without a cloud; or single checks of it
  image             build the image with Docker and prove what it promises
  ci                format, lints, tidy, gen --check, rustdoc, test, audit, infra
  bench […]         the measurements; arguments go to the bench driver";

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    match run(&args) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            out::complain(&format!("xtask: {error:#}"));
            ExitCode::FAILURE
        }
    }
}

fn run(args: &[String]) -> Result<()> {
    let Some((command, rest)) = args.split_first() else {
        bail!("no command given\n{HELP}");
    };
    match (command.as_str(), rest) {
        ("test", filters) => test::run(filters),
        ("schemathesis", []) => schemathesis::run_alone(),
        ("tidy", []) => tidy::run(),
        ("gen", []) => generate::write(),
        ("gen", [flag]) if flag == "--check" => generate::check(),
        ("audit", []) => audit::run(),
        ("infra", names) => infra::run(names),
        ("image", []) => image::run(),
        ("ci", []) => ci::run(),
        ("bench", rest) => bench::run(rest),
        ("help" | "--help" | "-h", _) => {
            out::say(HELP);
            Ok(())
        }
        (known @ ("schemathesis" | "tidy" | "gen" | "audit" | "image" | "ci"), _) => {
            bail!("{known} does not take {}\n{HELP}", rest.join(" "))
        }
        (unknown, _) => bail!("unknown command {unknown}\n{HELP}"),
    }
}
