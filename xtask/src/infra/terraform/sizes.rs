//! Modules stay small and say what they are; a stack only wires, and an environment is two files.

use std::path::Path;

use anyhow::{Context, Result, bail};

use super::FOLDER;
use super::folders::{all, entries, environments, is, name, stacks};
use crate::out::say;
use crate::root::at;

const LINES_MAX: usize = 250;
const VARIABLES_MAX: usize = 15;

/// Looks at every module and every stack.
///
/// # Errors
/// When one is too large, or something of it is missing; each finding stands on standard output.
pub(in crate::infra) fn sizes() -> Result<()> {
    let root = at(FOLDER);
    let mut findings = Vec::new();
    for module in all(&root.join("modules"))? {
        let text = text(&module)?;
        findings.extend(module_findings(&text, &name(&module)));
        // What is inside of another module is tested with it.
        let is_inner = module.parent().is_some_and(|outer| outer.join("main.tf").exists());
        if !is_inner && !module.join("tests").is_dir() {
            findings.push(format!("{} has no tests", name(&module)));
        }
        if !std::fs::read_to_string(module.join("README.md")).is_ok_and(|t| t.starts_with("# ")) {
            findings.push(format!("{} has no README.md with a heading", name(&module)));
        }
    }
    for stack in stacks(&root)? {
        findings.extend(stack_findings(&text(&stack)?, &name(&stack)));
        for environment in environments(&stack)? {
            if !stack.join(format!("environments/{environment}.backend.hcl")).exists() {
                findings.push(format!("{}: {environment} has no backend file", name(&stack)));
            }
        }
    }
    for finding in &findings {
        say(finding);
    }
    if !findings.is_empty() {
        bail!("{} findings", findings.len());
    }
    Ok(())
}

/// All Terraform of a folder, without what lies deeper.
fn text(folder: &Path) -> Result<String> {
    let mut text = String::new();
    for path in entries(folder)?.iter().filter(|path| is(path, "tf")) {
        let read = std::fs::read_to_string(path);
        text.push_str(&read.with_context(|| format!("cannot read {}", path.display()))?);
    }
    Ok(text)
}

fn module_findings(text: &str, name: &str) -> Vec<String> {
    let lines = text.lines().count();
    let variables = blocks(text, "variable").count();
    let long = (lines > LINES_MAX).then(|| format!("{name} has {lines} lines: split it"));
    let wide = (variables > VARIABLES_MAX)
        .then(|| format!("{name} has {variables} variables: group or split them"));
    long.into_iter().chain(wide).collect()
}

fn stack_findings(text: &str, name: &str) -> Vec<String> {
    let own = blocks(text, "resource");
    own.map(|block| format!("{name} wires modules, but has a {block} of its own")).collect()
}

/// The first lines of blocks of this kind.
fn blocks<'a>(text: &'a str, kind: &'a str) -> impl Iterator<Item = &'a str> {
    text.lines().filter(move |line| line.strip_prefix(kind).is_some_and(|l| l.starts_with(" \"")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn large_modules_are_named() {
        let many = "variable \"a\" {}\n".repeat(VARIABLES_MAX + 1);
        assert_eq!(module_findings(&many, "m"), ["m has 16 variables: group or split them"]);
        assert_eq!(
            module_findings(&"\n".repeat(LINES_MAX + 1), "m"),
            ["m has 251 lines: split it"]
        );
        assert!(module_findings(&"variable \"a\" {}\n".repeat(VARIABLES_MAX), "m").is_empty());
    }

    #[test]
    fn stacks_have_no_resources() {
        assert_eq!(stack_findings("module \"a\" {}\n  resource = 1\n", "s"), Vec::<String>::new());
        assert_eq!(stack_findings("resource \"a\" \"b\" {\n", "s").len(), 1);
    }
}
