//! `cargo xtask gen`: the reference under docs/reference, made from the product itself.

mod binary;
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
in the namespace `Outrigger`, with the dimension `deployment` and the labels, of which `status` is a class such as `2xx`,
and `method`, `route`, `queue` and the kinds of tasks are left out: CloudWatch is paid for each value.

";

struct Page {
    name: &'static str,
    text: String,
}

/// Writes every page that differs.
///
/// # Errors
/// When the binary does not build, or a page cannot be written.
pub(crate) fn write() -> Result<()> {
    std::fs::create_dir_all(at(FOLDER))?;
    for page in pages()? {
        let path = at(FOLDER).join(page.name);
        if std::fs::read_to_string(&path).is_ok_and(|text| text == page.text) {
            continue;
        }
        let written = std::fs::write(&path, &page.text);
        written.with_context(|| format!("cannot write {}", path.display()))?;
        say(&format!("gen: wrote {FOLDER}/{}", page.name));
    }
    Ok(())
}

/// Says which pages differ from what would be written.
///
/// # Errors
/// When one differs; its first different line stands on standard output.
pub(crate) fn check() -> Result<()> {
    let pages = pages()?;
    let names: Vec<&str> = pages.iter().map(|page| page.name).collect();
    let mut different = 0;
    for page in &pages {
        let path = format!("{FOLDER}/{}", page.name);
        let text = std::fs::read_to_string(at(&path)).unwrap_or_default();
        if let Some((line, is, should)) = difference(&text, &page.text) {
            say(&format!("{path}:{line}: says \"{is}\", not \"{should}\"; {REMEDY}"));
            different += 1;
        }
    }
    // A page that is made no longer would stay out of date for ever.
    for entry in std::fs::read_dir(at(FOLDER)).into_iter().flatten().flatten() {
        let name = entry.file_name().to_string_lossy().into_owned();
        if !names.contains(&name.as_str()) {
            say(&format!("{FOLDER}/{name}:1: is not generated; move it elsewhere or delete it"));
            different += 1;
        }
    }
    if different > 0 {
        bail!("{different} pages of {FOLDER} are out of date; {REMEDY}");
    }
    say(&format!("gen: up to date: {}", names.join(", ")));
    Ok(())
}

fn pages() -> Result<Vec<Page>> {
    let binary = Binary::build()?;
    let defaults = std::fs::read_to_string(at("config/default.toml"))
        .context("cannot read config/default.toml")?;
    Ok(vec![
        Page { name: "openapi.json", text: binary.say(&["openapi"])? },
        Page { name: "cli.md", text: command_line::page(|args| binary.say(args))? },
        Page { name: "metrics.md", text: format!("{METRICS}{}", binary.say(&["metrics"])?) },
        Page { name: "config.md", text: settings::page(&defaults)? },
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
