//! Settings: default.toml <- outrigger.toml <- environment <- command line.
//!
//! `config/default.toml` is the base layer, the list of what can be set, and the manual at once.

mod layers;
mod production;
mod secrets;
mod sections;
mod show;
mod vault;
mod webhooks;

use anyhow::{Context, Result};
use std::path::Path;

pub use production::insecurities;
pub use secrets::Sensitive;
pub use sections::{
    Admin, Auth, Blobs, Cache, Config, Database, Deployment, Environment, Files, Http, Log,
    LogFormat, Mail, Notifications, QueueOn, Records, Redis, Role, Secrets, Tasks, Traces,
    VerifyEmailWord, Webhooks, Worker,
};
pub use show::redact_url;
pub use webhooks::NamedSecret;

/// The base layer.
pub const DEFAULTS: &str = include_str!("../../../../config/default.toml");

/// Where settings come from besides the defaults.
#[derive(Clone, Debug, Default)]
pub struct Sources {
    /// `--config FILE`; without it `outrigger.toml` is read if it is there.
    pub file: Option<std::path::PathBuf>,
    /// The environment.
    pub environment: Vec<(String, String)>,
    /// `--set KEY=VALUE`, and flags that stand for settings.
    pub flags: Vec<(String, String)>,
}

impl Sources {
    /// The process's environment, and what the command line says.
    #[expect(clippy::disallowed_methods, reason = "the one place that reads the environment")]
    pub fn of_process(file: Option<std::path::PathBuf>, flags: Vec<(String, String)>) -> Self {
        Self { file, environment: std::env::vars().collect(), flags }
    }
}

/// The settings, and how they may be shown.
#[derive(Clone, Debug)]
pub struct Loaded {
    /// The settings.
    pub config: Config,
    /// The same as TOML, without secrets.
    pub shown: String,
}

/// Reads all layers, checks them and resolves references to secrets.
///
/// # Errors
/// One line that names the setting, where it was set, and what is wrong with it.
pub fn load(sources: &Sources) -> Result<Loaded> {
    let mut table = layers::Layered::new(DEFAULTS)?;
    match &sources.file {
        Some(path) => table.add_file(path)?,
        None if Path::new("outrigger.toml").exists() => {
            table.add_file(Path::new("outrigger.toml"))?;
        }
        None => {}
    }
    table.add_environment(&sources.environment)?;
    for (key, value) in &sources.flags {
        table.set(key, value, "the command line")?;
    }
    let shown = show::shown_values(table.values());
    let mut config: Config = table.finish().context("a setting has a value that is not known")?;
    config.check()?;
    config.resolve(&sources.environment)?;
    Ok(Loaded { config, shown })
}
