//! Kubernetes: every overlay is rendered, valid, and leaves its pods the time to end in.

use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context, Result, bail, ensure};
use outrigger_testkit::TempDir;

use crate::out::say;
use crate::root::at;
use crate::{cargo, tools};

const VALIDATOR: &str = include_str!("../../infra/kubernetes-validate.txt");

/// Where the overlays are, a folder each.
const OVERLAYS: &str = "deploy/kubernetes/overlays";
/// What is applied once, before them.
const CLUSTER: &str = "deploy/kubernetes/cluster";
/// The version that manifests are checked against; preStop needs its `sleep`.
const VERSION: &str = "1.34";
/// What operators add to Kubernetes, whose schemas the validator does not have.
const FOREIGN: &[&str] = &["external-secrets.io/v1"];

/// One overlay as `kubectl apply` would see it.
#[derive(Debug)]
pub(super) struct Rendered {
    /// Its name.
    pub(super) overlay: String,
    /// Its documents.
    pub(super) documents: Vec<String>,
}

impl Rendered {
    /// All documents, or those that the validator knows, as one file.
    fn text(&self, with_foreign: bool) -> String {
        let is_foreign = |document: &str| {
            FOREIGN.iter().any(|group| field(document, "apiVersion").as_deref() == Some(*group))
        };
        let kept = self.documents.iter().filter(|document| with_foreign || !is_foreign(document));
        kept.map(String::as_str).collect::<Vec<_>>().join("---\n")
    }

    /// Writes it below the folder.
    pub(super) fn write(&self, folder: &TempDir, with_foreign: bool) -> Result<PathBuf> {
        let path = folder.path().join(format!("{}.yaml", self.overlay));
        std::fs::write(&path, self.text(with_foreign))?;
        Ok(path)
    }
}

/// Renders every overlay with `kubectl kustomize`.
///
/// # Errors
/// Says what to install when kubectl is not there; when an overlay cannot be rendered.
pub(super) fn render() -> Result<Vec<Rendered>> {
    let mut rendered = Vec::new();
    let mut folders = vec![at(CLUSTER)];
    for entry in std::fs::read_dir(at(OVERLAYS)).context(OVERLAYS)? {
        folders.push(entry?.path());
    }
    for folder in folders {
        let overlay =
            folder.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        let mut kubectl = Command::new("kubectl");
        kubectl.arg("kustomize").arg(&folder);
        let text = cargo::capture(&mut kubectl).with_context(|| {
            format!(
                "{} (needs kubectl 1.30 or later, https://kubernetes.io/docs/tasks/tools)",
                folder.display()
            )
        })?;
        let documents = text.split("\n---\n").map(|part| format!("{}\n", part.trim_end()));
        rendered.push(Rendered { overlay, documents: documents.collect() });
    }
    ensure!(rendered.len() > 1, "{OVERLAYS} has no overlay");
    rendered.sort_by(|a, b| a.overlay.cmp(&b.overlay));
    Ok(rendered)
}

/// Renders and validates every overlay.
///
/// # Errors
/// Names the overlay, and what is wrong with it.
pub(super) fn check() -> Result<()> {
    let validator = tools::python("kubernetes-validate", VALIDATOR)?;
    let folder = TempDir::new("kubernetes")?;
    for rendered in render()? {
        let path = rendered.write(&folder, false)?;
        let mut command = Command::new(&validator);
        command.args(["--strict", "--quiet", "--kubernetes-version", VERSION]).arg(path);
        cargo::pass(&mut command).with_context(|| rendered.overlay.clone())?;
        ending(&rendered).with_context(|| rendered.overlay.clone())?;
        say(&format!("{}: {} objects are valid", rendered.overlay, rendered.documents.len()));
    }
    Ok(())
}

/// The grace of each pod that serves covers what it waits before SIGTERM and what it takes after.
fn ending(rendered: &Rendered) -> Result<()> {
    let is_ours = |document: &&String| {
        field(document, "app.kubernetes.io/name").as_deref() == Some("outrigger")
            && field(document, "kind").as_deref() == Some("Deployment")
    };
    let ours: Vec<&String> = rendered.documents.iter().filter(is_ours).collect();
    if ours.is_empty() {
        return Ok(());
    }
    let settings: String = rendered
        .documents
        .iter()
        .filter(|document| field(document, "kind").as_deref() == Some("ConfigMap"))
        .map(String::as_str)
        .collect();
    let setting = |name: &str| -> Result<u64> {
        let value = field(&settings, name).with_context(|| format!("no {name} is set"))?;
        Ok(value.parse()?)
    };
    let (drain, shutdown) =
        (setting("OUTRIGGER__HTTP__DRAIN_S")?, setting("OUTRIGGER__HTTP__SHUTDOWN_S")?);
    ensure!(
        drain < shutdown,
        "http.drain_s ({drain}) leaves nothing of http.shutdown_s ({shutdown})"
    );
    for document in ours {
        let name = field(document, "name").unwrap_or_default();
        let seconds = |key: &str| -> Result<u64> {
            Ok(field(document, key).with_context(|| format!("{name} has no {key}"))?.parse()?)
        };
        let (grace, before) = (seconds("terminationGracePeriodSeconds")?, seconds("seconds")?);
        if grace < before + shutdown {
            bail!(
                "{name} has a grace of {grace} s, less than preStop ({before} s) and http.shutdown_s ({shutdown} s)"
            );
        }
    }
    Ok(())
}

/// The value of the first line with this key, at any depth, without quotes.
fn field(document: &str, key: &str) -> Option<String> {
    let mut lines = document.lines().map(str::trim_start);
    let value = lines.find_map(|line| line.strip_prefix(key)?.strip_prefix(':'))?;
    Some(value.trim().trim_matches('"').to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn overlay(grace: u64) -> Rendered {
        let settings = "kind: ConfigMap\ndata:\n  OUTRIGGER__HTTP__DRAIN_S: \"15\"\n  OUTRIGGER__HTTP__SHUTDOWN_S: \"40\"\n";
        let deployment = format!(
            "apiVersion: apps/v1\nkind: Deployment\napp.kubernetes.io/name: outrigger\nname: api\n  sleep:\n    seconds: 5\nterminationGracePeriodSeconds: {grace}\n"
        );
        let foreign = "apiVersion: external-secrets.io/v1\nkind: SecretStore\n";
        let documents = [settings, &deployment, foreign].map(str::to_owned).to_vec();
        Rendered { overlay: "test".to_owned(), documents }
    }

    #[test]
    fn a_grace_that_is_too_short_is_named() {
        assert!(ending(&overlay(45)).is_ok());
        let error = ending(&overlay(44)).unwrap_err().to_string();
        assert!(error.contains("api has a grace of 44 s"), "{error}");
    }

    #[test]
    fn what_the_validator_does_not_know_is_left_out_for_it_alone() {
        assert!(overlay(45).text(true).contains("SecretStore"));
        assert!(!overlay(45).text(false).contains("SecretStore"));
    }
}
