//! Which crate may see which: the graph of DESIGN section 4.

use super::finding::Finding;
use super::tree::Tree;
use crate::metadata::{Package, relative};

/// What one crate may depend on.
struct Edges {
    package: &'static str,
    may_use: &'static [&'static str],
    /// In its tests, besides.
    tests_may_use: &'static [&'static str],
}

const fn edges(
    package: &'static str,
    may_use: &'static [&'static str],
    tests_may_use: &'static [&'static str],
) -> Edges {
    Edges { package, may_use, tests_may_use }
}

const KERNEL: &str = "outrigger-kernel";
const PORTS: &str = "outrigger-ports";
const DOMAIN: &str = "outrigger-domain";
const HTTP: &str = "outrigger-http";
const WORKER: &str = "outrigger-worker";
const EMBEDDED: &str = "outrigger-embedded";
const SQL: &str = "outrigger-sql";
const REDIS: &str = "outrigger-redis";
const MAIL: &str = "outrigger-mail";
const DYNAMODB: &str = "outrigger-dynamodb";
const OBJECTS: &str = "outrigger-objects";
const MONGODB: &str = "outrigger-mongodb";
const OTLP: &str = "outrigger-otlp";
const WEB: &str = "outrigger-web";
const ARCHIVE: &str = "outrigger-archive";
const CLOUD: &str = "outrigger-cloud";
const CONFORMANCE: &str = "outrigger-conformance";
const TESTKIT: &str = "outrigger-testkit";
const OUTRIGGER: &str = "outrigger";

/// kernel <- ports <- domain <- http; an adapter knows kernel and ports; only `outrigger` sees
/// adapters; only tests see the conformance suites and the kit of real servers.
const GRAPH: &[Edges] = &[
    edges(KERNEL, &[], &[]),
    edges(PORTS, &[KERNEL], &[]),
    edges(DOMAIN, &[KERNEL, PORTS], &[EMBEDDED]),
    edges(HTTP, &[KERNEL, DOMAIN], &[]),
    edges(WORKER, &[KERNEL, PORTS, DOMAIN], &[EMBEDDED]),
    edges(EMBEDDED, &[KERNEL, PORTS], &[CONFORMANCE, TESTKIT]),
    // The memory store is the model that the real ones are compared with.
    edges(SQL, &[KERNEL, PORTS], &[CONFORMANCE, TESTKIT, EMBEDDED]),
    edges(DYNAMODB, &[KERNEL, PORTS, CLOUD], &[CONFORMANCE, TESTKIT, EMBEDDED]),
    edges(MONGODB, &[KERNEL, PORTS], &[CONFORMANCE, TESTKIT, EMBEDDED]),
    edges(REDIS, &[KERNEL, PORTS], &[CONFORMANCE, TESTKIT]),
    // What adapters of clouds have in common.
    edges(CLOUD, &[KERNEL, PORTS], &[TESTKIT]),
    edges(MAIL, &[KERNEL, PORTS, CLOUD], &[CONFORMANCE, TESTKIT]),
    edges(OBJECTS, &[KERNEL, PORTS, CLOUD], &[CONFORMANCE, TESTKIT]),
    edges(WEB, &[PORTS], &[TESTKIT]),
    edges(OTLP, &[KERNEL, PORTS], &[]),
    // An archive of one store must fit any other, so it may not know one; its tests know all.
    edges(ARCHIVE, &[KERNEL, PORTS], &[TESTKIT, EMBEDDED, SQL, DYNAMODB, MONGODB]),
    edges(CONFORMANCE, &[KERNEL, PORTS], &[]),
    edges(TESTKIT, &[], &[]),
    edges(
        OUTRIGGER,
        &[
            KERNEL, PORTS, DOMAIN, HTTP, WORKER, EMBEDDED, SQL, DYNAMODB, MONGODB, REDIS, OBJECTS,
            MAIL, WEB, OTLP, CLOUD, ARCHIVE,
        ],
        &[TESTKIT],
    ),
    edges("xtask", &[TESTKIT], &[]),
    edges("outrigger-bench-driver", &[TESTKIT], &[]),
    edges("outrigger-bench-floor", &[], &[]),
    edges("notes", &[OUTRIGGER], &[TESTKIT]),
];

/// Refuses every edge between our crates that is not in the graph, and crates that it lacks.
pub(super) fn check(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    let ours: Vec<&str> = tree.packages.iter().map(|package| package.name.as_str()).collect();
    for package in &tree.packages {
        let manifest = relative(&package.manifest_path);
        let Some(edges) = GRAPH.iter().find(|edges| edges.package == package.name) else {
            findings.push(Finding::new(
                &manifest,
                1,
                format!("the crate {} is not in the graph", package.name),
                "a new crate needs a sentence \"it must not be able to import …\": write an ADR \
                 and add it to xtask/src/tidy/edges.rs",
            ));
            continue;
        };
        findings.extend(forbidden(package, edges, &ours).map(|name| {
            Finding::new(
                &manifest,
                line_of(tree, &manifest, name),
                format!("{} must not depend on {name}", package.name),
                "turn the dependency round with a port, or move the code",
            )
        }));
    }
    findings
}

fn forbidden<'a>(
    package: &'a Package,
    edges: &'a Edges,
    ours: &'a [&str],
) -> impl Iterator<Item = &'a str> {
    let dependencies = package.dependencies.iter();
    let of_ours = dependencies.filter(|dependency| ours.contains(&dependency.name.as_str()));
    of_ours.filter_map(|dependency| {
        let name = dependency.name.as_str();
        let in_tests = dependency.kind.as_deref() == Some("dev");
        let allowed =
            edges.may_use.contains(&name) || (in_tests && edges.tests_may_use.contains(&name));
        (!allowed).then_some(name)
    })
}

/// The line of a Cargo.toml that names the dependency, or 1.
pub(super) fn line_of(tree: &Tree, manifest: &str, dependency: &str) -> usize {
    let text = tree.file(manifest).map_or("", |file| file.text.as_str());
    let found = text.lines().position(|line| {
        line.strip_prefix(dependency).is_some_and(|rest| rest.starts_with(['.', ' ', '=']))
    });
    found.map_or(1, |index| index + 1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tidy::finding::texts;

    #[test]
    fn a_handler_cannot_reach_a_store() {
        let manifest =
            "[dependencies]\noutrigger-domain.workspace = true\noutrigger-ports.workspace = true\n";
        let tree = Tree::of(&[("crates/http/Cargo.toml", manifest)])
            .with(PORTS, "crates/ports", &[KERNEL])
            .with(DOMAIN, "crates/domain", &[PORTS, "serde"])
            .with(HTTP, "crates/http", &[DOMAIN, PORTS]);
        let found = texts(&check(&tree));
        assert_eq!(
            found,
            ["crates/http/Cargo.toml:3: outrigger-http must not depend on outrigger-ports"]
        );
    }

    #[test]
    fn adapters_do_not_know_each_other_and_tests_stay_in_tests() {
        let tree = Tree::default()
            .with(EMBEDDED, "a", &[])
            .with(CONFORMANCE, "c", &[])
            .with(SQL, "s", &["dev:outrigger-embedded", "outrigger-conformance"])
            .with(REDIS, "r", &["dev:outrigger-embedded"]);
        let found = texts(&check(&tree));
        assert_eq!(
            found,
            [
                "s/Cargo.toml:1: outrigger-sql must not depend on outrigger-conformance",
                "r/Cargo.toml:1: outrigger-redis must not depend on outrigger-embedded",
            ]
        );
    }

    #[test]
    fn a_new_crate_is_asked_for_its_reason() {
        let tree = Tree::default().with("outrigger-extra", "crates/extra", &[]);
        assert_eq!(
            texts(&check(&tree)),
            ["crates/extra/Cargo.toml:1: the crate outrigger-extra is not in the graph"]
        );
    }
}
