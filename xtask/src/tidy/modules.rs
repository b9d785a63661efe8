//! The order of the modules inside `domain`: each may use those before it, none after it.

use super::finding::Finding;
use super::scan::references;
use super::tree::{File, Tree};

const DOMAIN: &str = "crates/domain/src/";
/// Left to right: right may use left. Analytics is beside the row: it may use audit only.
const ORDER: &[&str] =
    &["audit", "replicas", "tasks", "notifications", "accounts", "auth", "files", "records"];
const ANALYTICS: &str = "analytics";
/// The one file that builds a handle per module, so it may use them all.
const SERVICES: &str = "services";
/// What a job is given: the services, as a handler is. It hands them on and calls none.
const JOB_CONTEXT: &str = "tasks/job";

/// Checks every file of the domain, and that nobody re-exports ports.
pub(super) fn check(tree: &Tree) -> Vec<Finding> {
    let files = tree.rust().filter(|file| file.path.starts_with(DOMAIN));
    files.flat_map(|file| of_file(file).into_iter().chain(exported_ports(file))).collect()
}

fn of_file(file: &File) -> Vec<Finding> {
    let inner = file.path[DOMAIN.len()..].trim_end_matches(".rs");
    let path: Vec<&str> = inner.split('/').filter(|part| *part != "mod").collect();
    let user = path[0];
    if user == SERVICES || user == "lib" {
        return Vec::new();
    }
    let mut findings = Vec::new();
    for reference in references(&file.text, &path) {
        let used = reference.name.as_str();
        let is_services = used == SERVICES || used == "Services";
        if is_services && inner == JOB_CONTEXT {
            continue;
        }
        let problem = if is_services {
            Some(format!("{user} must not use services.rs"))
        } else if !may_use(user, used) {
            Some(format!("{user} must not use {used}, which comes after it"))
        } else {
            None
        };
        findings.extend(problem.map(|what| {
            let remedy = "a module uses those before it only (the order stands in \
                          crates/domain/src/lib.rs): move the shared part down, or pass it in";
            Finding::new(&file.path, reference.line, what, remedy)
        }));
    }
    findings
}

fn may_use(user: &str, used: &str) -> bool {
    let place = |module: &str| ORDER.iter().position(|name| *name == module);
    if user == used || (place(used).is_none() && used != ANALYTICS) {
        return true; // itself, or a file at the root, which is below all
    }
    if user == ANALYTICS {
        return used == ORDER[0];
    }
    match (place(user), place(used)) {
        (Some(user), Some(used)) => used < user,
        _ => false, // a file at the root uses no module, and nobody uses analytics
    }
}

/// The layers above must name the ports themselves, so that the graph of crates stays true.
fn exported_ports(file: &File) -> Vec<Finding> {
    let lines = file.text.lines().enumerate();
    let exports =
        lines.filter(|(_, line)| line.trim_start().starts_with("pub use outrigger_ports"));
    exports
        .map(|(index, _)| {
            let what = "the domain must not re-export ports";
            Finding::new(&file.path, index + 1, what, "give the layer above a type of the domain")
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tidy::finding::texts;

    fn found(path: &str, text: &str) -> Vec<String> {
        texts(&check(&Tree::of(&[(path, text)])))
    }

    #[test]
    fn right_may_use_left_and_not_the_other_way_round() {
        let path = "crates/domain/src/auth/login.rs";
        assert!(found(path, "use crate::{accounts::A, audit::B, admission, auth::C};").is_empty());
        assert_eq!(
            found(path, "use crate::audit;\nuse crate::records::Records;"),
            ["crates/domain/src/auth/login.rs:2: auth must not use records, which comes after it"]
        );
    }

    #[test]
    fn a_way_round_through_super_is_seen() {
        assert_eq!(found("crates/domain/src/audit/mod.rs", "use super::auth::A;").len(), 1);
        assert!(found("crates/domain/src/audit/log.rs", "use super::auth::A;").is_empty());
    }

    #[test]
    fn files_at_the_root_are_below_all_modules() {
        assert_eq!(found("crates/domain/src/admission.rs", "use crate::audit::A;").len(), 1);
        assert!(found("crates/domain/src/admission.rs", "use crate::ports::Ports;").is_empty());
    }

    #[test]
    fn only_services_sees_all_and_nobody_sees_services() {
        let all = "use crate::{audit, records};";
        assert!(found("crates/domain/src/services.rs", all).is_empty());
        assert_eq!(found("crates/domain/src/records/a.rs", "use crate::services::S;").len(), 1);
        assert_eq!(found("crates/domain/src/records/a.rs", "use crate::Services;").len(), 1);
    }

    #[test]
    fn analytics_uses_audit_only() {
        let path = "crates/domain/src/analytics/mod.rs";
        assert!(found(path, "use crate::audit::A;").is_empty());
        assert_eq!(found(path, "use crate::accounts::A;").len(), 1);
        assert_eq!(found("crates/domain/src/records/a.rs", "use crate::analytics::A;").len(), 1);
    }

    #[test]
    fn ports_are_not_handed_on() {
        assert_eq!(found("crates/domain/src/lib.rs", "pub use outrigger_ports::store;").len(), 1);
    }
}
