//! Terraform with the real provider of AWS, on an emulator and a copy of the files: nothing of it can
//! reach an account or leave anything in the repository.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Mutex, PoisonError};

use anyhow::Result;
use outrigger_testkit::TempDir;

use super::emulator::Emulator;
use super::folders::stacks;
use super::{FOLDER, SETTINGS, program};
use crate::root::at;
use crate::{cargo, tools};

/// Where systems keep mirrors of providers, for machines that do not reach the registry.
const MIRRORS: &[&str] =
    &["/usr/local/share/terraform/plugins", "/usr/share/terraform/plugins", "/opt/tf-plugins"];

/// Keeps the state of a stack in its folder.
const LOCAL_STATE: &str = "terraform {\n  backend \"local\" {}\n}\n";

/// The copy, and the emulator that everything is done on.
#[derive(Debug)]
pub(super) struct Real {
    folder: TempDir,
    emulator: Emulator,
}

impl Real {
    /// Copies the files and starts the emulator.
    ///
    /// # Errors
    /// When the emulator cannot be had or does not start.
    pub(super) fn start() -> Result<Self> {
        let folder = TempDir::new("tf")?;
        copy(&at(FOLDER), &folder.join("terraform"))?;
        for stack in stacks(&folder.join("terraform"))? {
            std::fs::write(stack.join("local_override.tf"), LOCAL_STATE)?;
        }
        std::fs::write(folder.join("terraform.rc"), provider_settings()?)?;
        let emulator = Emulator::start(&folder.join("emulator.log"))?;
        Ok(Self { folder, emulator })
    }

    /// The copy of all modules and stacks.
    pub(super) fn root(&self) -> PathBuf {
        self.folder.join("terraform")
    }

    /// Terraform in a folder of the copy.
    pub(super) fn terraform(&self, folder: &Path) -> Result<Command> {
        let mut command = program(folder)?;
        command
            .env(SETTINGS, self.folder.join("terraform.rc"))
            .env("AWS_ENDPOINT_URL", self.emulator.url())
            .env("AWS_ACCESS_KEY_ID", "test")
            .env("AWS_SECRET_ACCESS_KEY", "test")
            .env("AWS_EC2_METADATA_DISABLED", "true")
            .env_remove("AWS_PROFILE")
            .env_remove("AWS_SESSION_TOKEN");
        Ok(command)
    }

    /// Prepares a folder of the copy.
    pub(super) fn init(&self, folder: &Path) -> Result<()> {
        init(self.terraform(folder)?)
    }
}

/// Prepares the folder of this Terraform. One at a time: all of them fill one cache of providers, and it is
/// not made for several at once.
pub(super) fn init(mut terraform: Command) -> Result<()> {
    static TURN: Mutex<()> = Mutex::new(());
    let _turn = TURN.lock().unwrap_or_else(PoisonError::into_inner);
    // For a registry that is slow.
    terraform.env("TF_REGISTRY_CLIENT_TIMEOUT", "60").env("TF_REGISTRY_DISCOVERY_RETRY", "5");
    cargo::capture(terraform.args(["init", "-input=false", "-no-color"])).map(drop)
}

/// Terraform's settings: providers come from a mirror where there is one, else from the registry, once.
fn provider_settings() -> Result<String> {
    let quoted = |path: &Path| serde_json::to_string(&path.to_string_lossy());
    Ok(match MIRRORS.iter().map(Path::new).find(|path| path.is_dir()) {
        Some(mirror) => {
            let path = quoted(mirror)?;
            format!(
                "provider_installation {{\n  filesystem_mirror {{\n    path = {path}\n  }}\n}}\n"
            )
        }
        None => {
            let cache = tools::cache()?.join("terraform-providers");
            std::fs::create_dir_all(&cache)?;
            format!("plugin_cache_dir = {}\n", quoted(&cache)?)
        }
    })
}

/// Copies what is below a folder, without what Terraform keeps there.
fn copy(from: &Path, to: &Path) -> Result<()> {
    std::fs::create_dir_all(to)?;
    for entry in std::fs::read_dir(from)? {
        let entry = entry?;
        if entry.file_name().to_string_lossy().starts_with(".terraform") {
            continue;
        }
        let target = to.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            copy(&entry.path(), &target)?;
        } else {
            std::fs::copy(entry.path(), target)?;
        }
    }
    Ok(())
}
