//! `cargo xtask audit`: the licences, sources and duplicates of everything that Cargo.lock brings
//! in, by the lists in deny.toml. The same lists are read by cargo-deny, which besides asks for
//! known vulnerabilities, where it is installed and may use the network.

mod expression;
mod policy;

use std::collections::{BTreeMap, HashSet};

use anyhow::{Context, Result, bail};
use outrigger_testkit::find_program;

use crate::cargo;
use crate::metadata::{self, Package};
use crate::out::say;
use crate::root::at;
use policy::Policy;

const REGISTRY: &str = "registry+https://github.com/rust-lang/crates.io-index";

/// Checks what is used on the platforms of deny.toml, then runs cargo-deny if it is there.
///
/// # Errors
/// When something is against the lists: each finding stands on standard output.
pub(crate) fn run() -> Result<()> {
    let text = std::fs::read_to_string(at("deny.toml")).context("cannot read deny.toml")?;
    let policy = Policy::parse(&text)?;
    let packages = used(&policy.platforms)?;
    let findings = findings(&policy, &packages);
    for finding in &findings {
        say(finding);
    }
    say(&format!("audit: {} crates, {} findings", packages.len(), findings.len()));
    if !findings.is_empty() {
        bail!("audit has {} findings", findings.len());
    }
    vulnerabilities()
}

/// The packages in use on any of the platforms, each once.
fn used(platforms: &[String]) -> Result<Vec<Package>> {
    let mut packages = BTreeMap::new();
    for platform in platforms {
        // `cargo metadata` counts crates that a feature could bring in but nobody asks for;
        // `cargo tree` lists what is really compiled.
        let args = ["tree", "--workspace", "--locked", "--prefix=none", "--format={p}"];
        let mut command = cargo::command(&args);
        let list =
            cargo::capture(command.args(["--edges=normal,build,dev", "--target", platform]))?;
        let used: HashSet<(&str, &str)> = list.lines().filter_map(named).collect();
        for package in metadata::all(platform)?.packages {
            if used.contains(&(package.name.as_str(), package.version.as_str())) {
                packages.insert(package.id.clone(), package);
            }
        }
    }
    Ok(packages.into_values().collect())
}

/// The name and version in `serde v1.0.0 (proc-macro)`.
fn named(line: &str) -> Option<(&str, &str)> {
    let mut words = line.split_whitespace();
    Some((words.next()?, words.next()?.strip_prefix('v')?))
}

fn findings(policy: &Policy, packages: &[Package]) -> Vec<String> {
    let mut findings: Vec<String> = packages.iter().flat_map(|p| of_package(policy, p)).collect();
    findings.extend(duplicates(policy, packages));
    findings.sort();
    findings
}

fn of_package(policy: &Policy, package: &Package) -> Vec<String> {
    let name = format!("{} {}", package.name, package.version);
    let mut findings = Vec::new();
    match package.license.as_deref().map(|text| expression::allowed(text, &policy.licenses)) {
        Some(Ok(true)) => {}
        Some(Ok(false)) => findings.push(format!(
            "deny.toml:1: {name} is under {}, which is not allowed; use another library, or add \
             the licence to licenses.allow after reading it",
            package.license.as_deref().unwrap_or_default()
        )),
        Some(Err(error)) => findings.push(format!("deny.toml:1: {name}: {error:#}")),
        None => findings.push(format!("deny.toml:1: {name} names no licence; use another library")),
    }
    if package.source.as_deref().is_some_and(|source| source != REGISTRY) {
        let source = package.source.as_deref().unwrap_or_default();
        findings.push(format!("Cargo.lock:1: {name} comes from {source}; use a released version"));
    }
    if let Some(reason) = policy.banned.get(&package.name) {
        findings.push(format!(
            "Cargo.lock:1: {name} is banned: {reason}; find who brings it in with: cargo tree -i {}",
            package.name
        ));
    }
    findings
}

/// More than one version of a crate, unless reviewed; and reviews that are needed no more.
fn duplicates(policy: &Policy, packages: &[Package]) -> Vec<String> {
    let mut versions: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for package in packages {
        versions.entry(&package.name).or_default().push(&package.version);
    }
    let reviewed = |name: &str, version: &str| {
        policy.duplicates.iter().any(|(n, v)| n == name && v == version)
    };
    let mut findings = Vec::new();
    for (name, versions) in versions.iter().filter(|(_, versions)| versions.len() > 1) {
        let left = versions.iter().filter(|version| !reviewed(name, version)).count();
        if left > 1 {
            findings.push(format!(
                "Cargo.lock:1: {name} is there as {}; bring the users to one version, or add the \
                 older ones to bans.skip in deny.toml with a reason",
                versions.join(" and ")
            ));
        }
    }
    for (name, version) in &policy.duplicates {
        let there = versions.get(name.as_str());
        let needed = there.is_some_and(|all| all.len() > 1 && all.contains(&version.as_str()));
        if !needed {
            findings.push(format!(
                "deny.toml:1: bans.skip lists {name}@{version}, which is no duplicate any more; \
                 delete the entry"
            ));
        }
    }
    findings
}

/// Advisories need a database from the network, so they are another program's work.
fn vulnerabilities() -> Result<()> {
    if find_program(&["cargo-deny"], &[]).is_none() {
        say("not run: known vulnerabilities (no cargo-deny here; the workflow on GitHub runs it)");
        return Ok(());
    }
    cargo::pass(&mut cargo::command(&["deny", "check", "bans", "licenses", "sources"]))?;
    if cargo::pass(&mut cargo::command(&["deny", "fetch"])).is_err() {
        say("not run: known vulnerabilities (no advisories without the network; the workflow on \
             GitHub runs it)");
        return Ok(());
    }
    cargo::pass(&mut cargo::command(&["deny", "check", "--disable-fetch", "advisories"]))
}

#[cfg(test)]
mod tests {
    use super::*;

    const POLICY: &str = r#"
        [graph]
        targets = ["a"]
        [licenses]
        allow = ["MIT"]
        [bans]
        deny = [{ crate = "openssl", reason = "one TLS" }]
        skip = [{ crate = "old@1.0.0", reason = "x still needs it" }]
        [sources]
    "#;

    fn package(name: &str, version: &str) -> Package {
        Package {
            id: format!("{name}@{version}"),
            name: name.into(),
            version: version.into(),
            license: Some("MIT OR Apache-2.0".into()),
            source: Some(REGISTRY.into()),
            manifest_path: "/x/Cargo.toml".into(),
            dependencies: Vec::new(),
            targets: Vec::new(),
        }
    }

    fn found(packages: &[Package]) -> Vec<String> {
        let policy = Policy::parse(POLICY).unwrap();
        let mut all = vec![package("old", "1.0.0"), package("old", "2.0.0")];
        all.extend(packages.iter().cloned());
        findings(&policy, &all)
    }

    #[test]
    fn what_is_in_the_lists_is_fine() {
        let own = Package { source: None, ..package("outrigger", "0.1.0") };
        assert_eq!(found(&[package("serde", "1.0.0"), own]), [""; 0]);
    }

    #[test]
    fn each_breach_is_named() {
        let bad = Package { license: Some("GPL-3.0-only".into()), ..package("a", "1.0.0") };
        assert!(found(&[bad])[0].contains("a 1.0.0 is under GPL-3.0-only"));
        let bad = Package { license: None, ..package("a", "1.0.0") };
        assert!(found(&[bad])[0].contains("a 1.0.0 names no licence"));
        let bad = Package { source: Some("git+https://x".into()), ..package("a", "1.0.0") };
        assert!(found(&[bad])[0].contains("a 1.0.0 comes from git+https://x"));
        assert!(found(&[package("openssl", "1.0.0")])[0].contains("banned: one TLS"));
        let two = [package("b", "1.0.0"), package("b", "2.0.0")];
        assert!(found(&two)[0].contains("b is there as 1.0.0 and 2.0.0"));
        let three = [package("old", "3.0.0")];
        assert!(found(&three)[0].contains("old is there as 1.0.0 and 2.0.0 and 3.0.0"));
    }

    #[test]
    fn a_review_that_is_needed_no_more_is_named() {
        let policy = Policy::parse(POLICY).unwrap();
        let found = findings(&policy, &[package("old", "2.0.0")]);
        assert!(found[0].contains("old@1.0.0, which is no duplicate any more"), "{found:?}");
    }
}
