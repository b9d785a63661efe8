//! `cargo xtask gen`: the reference under docs/reference, made from the product itself, and what watches over it.

pub(crate) mod alerts;
mod binary;
mod cloudwatch;
mod command_line;
mod settings;

use std::path::Path;

use anyhow::{Context, Result, bail};

use crate::out::say;
use crate::root::at;
use binary::Binary;

const FOLDER: &str = "docs/reference";
const REMEDY: &str = "run: cargo xtask gen";
/// The top of docs/reference/metrics.md; the rest is from the binary.
const METRICS: &str = "\
# Metrics

<!-- Written by `cargo xtask gen` from the list in the binary; edit that instead. -->

In the text format of Prometheus at `/metrics` on the internal port (`http.internal_port`). A metric is shown from when
it is first counted. Histograms are shown as `_bucket`, `_sum` and `_count`. Every label has the values named here and
no others, so the number of series is bounded; one route of `/openapi.json` is one value, whatever the ids in it.

With `metrics.embedded_every_s` the same metrics are also lines of CloudWatch's embedded metric format on standard output,
in the namespace `Outrigger`, with the dimensions named here: `status` is a class such as `2xx`, and `method`, `route` and
the kinds of tasks are left out, as CloudWatch is paid for each value. A line is written of what has happened since the one
before; of levels, such as the age of a queue, each time, and of several processes or queues `Maximum` is the one to look at.

";

struct Page {
    /// From the root of the repository.
    path: &'static str,
    text: String,
}

/// Writes every page that differs.
///
/// # Errors
/// When the binary does not build, or a page cannot be written.
pub(crate) fn write() -> Result<()> {
    std::fs::create_dir_all(at(FOLDER))?;
    for page in pages()? {
        let path = at(page.path);
        if std::fs::read_to_string(&path).is_ok_and(|text| text == page.text) {
            continue;
        }
        let written = std::fs::write(&path, &page.text);
        written.with_context(|| format!("cannot write {}", path.display()))?;
        say(&format!("gen: wrote {}", page.path));
    }
    Ok(())
}

/// Says which pages differ from what would be written.
///
/// # Errors
/// When one differs; its first different line stands on standard output.
pub(crate) fn check() -> Result<()> {
    let pages = pages()?;
    let paths: Vec<&str> = pages.iter().map(|page| page.path).collect();
    let mut different = 0;
    for page in &pages {
        let path = page.path;
        let text = std::fs::read_to_string(at(path)).unwrap_or_default();
        if let Some((line, is, should)) = difference(&text, &page.text) {
            say(&format!("{path}:{line}: says \"{is}\", not \"{should}\"; {REMEDY}"));
            different += 1;
        }
    }
    // A page that is made no longer would stay out of date for ever.
    for entry in std::fs::read_dir(at(FOLDER)).into_iter().flatten().flatten() {
        let path = format!("{FOLDER}/{}", entry.file_name().to_string_lossy());
        if !paths.contains(&&*path) {
            say(&format!("{path}:1: is not generated; move it elsewhere or delete it"));
            different += 1;
        }
    }
    if different > 0 {
        bail!("{different} generated files are out of date; {REMEDY}");
    }
    say(&format!("gen: up to date: {}", paths.join(", ")));
    Ok(())
}

fn pages() -> Result<Vec<Page>> {
    let binary = Binary::build()?;
    let read = |path: &'static str| {
        std::fs::read_to_string(at(path)).with_context(|| format!("cannot read {path}"))
    };
    let metrics = binary.say(&["metrics"])?;
    let alerts = alerts::read(&read(alerts::SOURCE)?)?;
    let page = |path, text| Page { path, text };
    Ok(vec![
        page("docs/reference/openapi.json", binary.say(&["openapi"])?),
        page("docs/reference/cli.md", command_line::page(|args| binary.say(args))?),
        page("docs/reference/metrics.md", format!("{METRICS}{metrics}")),
        page("docs/reference/config.md", settings::page(&read("config/default.toml")?)?),
        page("deploy/prometheus/rules.yml", alerts::rules(&alerts)),
        page(
            "deploy/terraform/modules/aws/observability/cloudwatch.json",
            cloudwatch::file(&alerts, &metrics)?,
        ),
    ])
}

/// The first line that differs: its number, and what both say.
fn difference(is: &str, should: &str) -> Option<(usize, String, String)> {
    let mut is_lines = is.lines();
    let mut should_lines = should.lines();
    for line in 1.. {
        match (is_lines.next(), should_lines.next()) {
            (None, None) => return None,
            (is, should) if is == should => {}
            (is, should) => {
                let text = |line: Option<&str>| line.unwrap_or("(the end)").to_owned();
                return Some((line, text(is), text(should)));
            }
        }
    }
    None
}

/// Where the built binary is.
pub(crate) fn program(target: &Path) -> std::path::PathBuf {
    target.join("debug/outrigger")
}

#[cfg(test)]
mod tests {
    use super::difference;

    #[test]
    fn the_first_different_line_is_named() {
        assert_eq!(difference("a\nb\n", "a\nb\n"), None);
        let found = difference("a\nb\nc\n", "a\nx\nc\n");
        assert_eq!(found, Some((2, "b".to_owned(), "x".to_owned())));
        assert_eq!(difference("a\n", "a\nb\n").map(|found| found.0), Some(2));
        assert_eq!(difference("", "a\n").map(|found| found.1), Some("(the end)".to_owned()));
    }
}
