//! docs/reference/cli.md, from what each command says about itself.

use std::fmt::Write;

use anyhow::Result;

const INTRODUCTION: &str = "\
# Command line

<!-- Written by `cargo xtask gen` from `--help`; edit the commands instead. -->
";

/// The page; `ask` gives what the binary says with these arguments.
pub(super) fn page(ask: impl Fn(&[&str]) -> Result<String>) -> Result<String> {
    let mut page = INTRODUCTION.to_owned();
    describe(&ask, &[], &mut page)?;
    Ok(page)
}

/// The command and those below it.
fn describe(
    ask: &impl Fn(&[&str]) -> Result<String>,
    words: &[&str],
    page: &mut String,
) -> Result<()> {
    let args: Vec<&str> = words.iter().copied().chain(["--help"]).collect();
    let help = ask(&args)?;
    let name = ["outrigger"].iter().chain(words).copied().collect::<Vec<_>>().join(" ");
    let help_text = help.lines().map(str::trim_end).collect::<Vec<_>>().join("\n");
    write!(page, "\n## {name}\n\n```text\n{}\n```\n", help_text.trim_end())?;
    for below in commands(&help) {
        let words: Vec<&str> = words.iter().copied().chain([below]).collect();
        describe(ask, &words, page)?;
    }
    Ok(())
}

/// The names in the list "Commands:", without `help`.
fn commands(help: &str) -> Vec<&str> {
    let lines = help.lines().skip_while(|line| *line != "Commands:").skip(1);
    let list = lines.take_while(|line| line.starts_with("  "));
    // Words that go on in the next line stand deeper than the names.
    let names = list.filter(|line| !line.starts_with("   "));
    names.filter_map(|line| line.split_whitespace().next()).filter(|name| *name != "help").collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_command_is_asked_once() {
        let page = page(|args| {
            Ok(match args {
                ["--help"] => "About\n\nCommands:\n  serve  Serve  \n  db     Data\n           more\n  help   Help\n\nOptions:\n  -h\n",
                ["serve", "--help"] => "Serve\n",
                ["db", "--help"] => "Commands:\n  plan  Plan\n",
                ["db", "plan", "--help"] => "Plan\n",
                other => anyhow::bail!("asked {other:?}"),
            }
            .to_owned())
        });
        let page = page.unwrap();
        let headings: Vec<&str> = page.lines().filter(|line| line.starts_with("## ")).collect();
        assert_eq!(
            headings,
            ["## outrigger", "## outrigger serve", "## outrigger db", "## outrigger db plan"]
        );
        assert!(page.contains("```text\nServe\n```\n"));
        assert!(page.contains("  serve  Serve\n"));
    }
}
