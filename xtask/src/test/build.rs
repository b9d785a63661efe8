//! Builds everything before anything is tested, and learns which test program is which.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use serde::Deserialize;

use super::mongodb::MongoTests;
use crate::{cargo, generate, metadata};

/// What was built.
#[derive(Debug)]
pub(super) struct Build {
    /// The binary of the product.
    pub(super) program: PathBuf,
    /// The suite that a test program belongs to, by the program's file name.
    suites: HashMap<String, String>,
}

/// One line of cargo's answer.
#[derive(Debug, Deserialize)]
struct Message {
    package_id: Option<String>,
    target: Option<Target>,
    executable: Option<PathBuf>,
}

#[derive(Debug, Deserialize)]
struct Target {
    name: String,
    kind: Vec<String>,
}

/// Builds the whole workspace with its tests and examples.
///
/// # Errors
/// When something does not build.
pub(super) fn all(mongo: &MongoTests) -> Result<Build> {
    let metadata = metadata::workspace()?;
    let args = ["build", "--workspace", "--all-targets", "--message-format"];
    let mut command = cargo::command(&args);
    command.arg("json-render-diagnostics").args(cargo::FULL).args(mongo.packages());
    let answer = cargo::capture(&mut command)?;
    let names = metadata.workspace_members.iter().map(|id| {
        let package = metadata.packages.iter().find(|package| package.id == *id);
        (id.as_str(), package.map_or("", |package| package.name.as_str()))
    });
    let suites = read(&answer, &names.collect())?;
    Ok(Build { program: generate::program(&metadata.target_directory), suites })
}

fn read(answer: &str, names: &HashMap<&str, &str>) -> Result<HashMap<String, String>> {
    let mut suites = HashMap::new();
    for line in answer.lines().filter(|line| line.starts_with('{')) {
        let message: Message =
            serde_json::from_str(line).context("cargo's messages have changed their form")?;
        let (Some(id), Some(target), Some(executable)) =
            (message.package_id, message.target, message.executable)
        else {
            continue;
        };
        let package = names.get(id.as_str()).copied().unwrap_or_default();
        let suite = match target.kind.first().map(String::as_str) {
            Some("test") => format!("{package}: tests/{}", target.name),
            Some("bin") => format!("{package}: bin {}", target.name),
            Some("example") => format!("{package}: example {}", target.name),
            _ => format!("{package}: unit"),
        };
        suites.insert(file_name(&executable), suite);
    }
    Ok(suites)
}

impl Build {
    /// The name of the suite in this test program.
    pub(super) fn suite(&self, program: &str) -> String {
        let name = file_name(Path::new(program));
        self.suites.get(&name).cloned().unwrap_or(name)
    }
}

fn file_name(path: &Path) -> String {
    path.file_name().unwrap_or_default().to_string_lossy().into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn programs_are_known_by_package_and_target() {
        let answer = concat!(
            "{\"reason\":\"compiler-artifact\",\"package_id\":\"p1\",\"target\":{\"name\":\"it\",\"kind\":[\"test\"]},\"executable\":\"/t/deps/it-1\"}\n",
            "{\"reason\":\"compiler-artifact\",\"package_id\":\"p1\",\"target\":{\"name\":\"k\",\"kind\":[\"lib\"]},\"executable\":null}\n",
            "{\"reason\":\"build-finished\",\"success\":true}\n",
        );
        let suites = read(answer, &HashMap::from([("p1", "outrigger-sql")])).unwrap();
        let build = Build { program: PathBuf::new(), suites };
        assert_eq!(build.suite("target/debug/deps/it-1"), "outrigger-sql: tests/it");
        assert_eq!(build.suite("target/debug/deps/x-2"), "x-2");
    }
}
