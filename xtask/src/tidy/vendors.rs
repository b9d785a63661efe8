//! Which crate may see which outside library: drivers only in adapters, HTTP only in the outer
//! layers, nothing that does I/O in the kernel.

use super::edges::line_of;
use super::finding::Finding;
use super::tree::Tree;
use crate::metadata::relative;

/// A library, and the only crates of ours that may name it. `bench` and examples are free.
struct Vendor {
    library: &'static str,
    users: &'static [&'static str],
}

const fn vendor(library: &'static str, users: &'static [&'static str]) -> Vendor {
    Vendor { library, users }
}

const OUTER: &[&str] = &["outrigger-http", "outrigger"];
/// Who speaks HTTP over connections of its own.
const CONNECTIONS: &[&str] =
    &["outrigger-http", "outrigger", "outrigger-cloud", "outrigger-objects", "outrigger-web"];
/// Where `anyhow` is right: programs and what only tests use.
const PROGRAMS: &[&str] = &["outrigger", "outrigger-testkit", "xtask"];

const VENDORS: &[Vendor] = &[
    vendor("rusqlite", &["outrigger-sql"]),
    vendor("tokio-postgres", &["outrigger-sql"]),
    vendor("tokio-postgres-rustls", &["outrigger-sql"]),
    vendor("redis", &["outrigger-redis"]),
    vendor("aws-config", &["outrigger-dynamodb", "outrigger-cloud"]),
    vendor("aws-sigv4", &["outrigger-objects", "outrigger-cloud"]),
    vendor("aws-sdk-dynamodb", &["outrigger-dynamodb"]),
    vendor("object_store", &["outrigger-objects"]),
    vendor("mongodb", &["outrigger-mongodb"]),
    vendor("lettre", &["outrigger-mail"]),
    vendor("axum", OUTER),
    vendor("hyper", CONNECTIONS),
    vendor("hyper-util", CONNECTIONS),
    vendor("tower", OUTER),
    vendor("tower-http", OUTER),
    vendor("aide", &["outrigger-http"]),
    vendor("clap", &["outrigger"]),
    vendor("tracing-subscriber", &["outrigger"]),
    vendor("metrics-exporter-prometheus", &["outrigger"]),
    vendor("anyhow", PROGRAMS),
];

/// The kernel is pure: no runtime, no network, no spans.
const NOT_IN_KERNEL: &[&str] = &["tokio", "tracing", "metrics", "async-trait", "futures-util"];

/// Refuses libraries where they do not belong.
pub(super) fn check(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    for package in &tree.packages {
        let manifest = relative(&package.manifest_path);
        if manifest.starts_with("bench/") || manifest.starts_with("examples/") {
            continue;
        }
        for dependency in &package.dependencies {
            let name = dependency.name.as_str();
            let in_tests = dependency.kind.as_deref() == Some("dev");
            let listed = VENDORS.iter().find(|vendor| vendor.library == name);
            let foreign = listed.is_some_and(|v| !v.users.contains(&package.name.as_str()));
            let impure = package.name == "outrigger-kernel" && NOT_IN_KERNEL.contains(&name);
            if !in_tests && (foreign || impure) {
                findings.push(Finding::new(
                    &manifest,
                    line_of(tree, &manifest, name),
                    format!("{} must not use the library {name}", package.name),
                    "keep it behind a port (see xtask/src/tidy/vendors.rs for who may use it)",
                ));
            }
        }
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tidy::finding::texts;

    #[test]
    fn drivers_stay_in_their_adapters() {
        let tree = Tree::default()
            .with("outrigger-sql", "s", &["rusqlite"])
            .with("outrigger-domain", "d", &["rusqlite", "serde", "axum", "dev:anyhow"])
            .with("floor", "bench/floor", &["axum", "redis"]);
        assert_eq!(
            texts(&check(&tree)),
            [
                "d/Cargo.toml:1: outrigger-domain must not use the library rusqlite",
                "d/Cargo.toml:1: outrigger-domain must not use the library axum",
            ]
        );
    }

    #[test]
    fn the_kernel_has_no_runtime() {
        let tree = Tree::default().with("outrigger-kernel", "k", &["serde", "tokio"]);
        assert_eq!(
            texts(&check(&tree)),
            ["k/Cargo.toml:1: outrigger-kernel must not use the library tokio"]
        );
    }
}
