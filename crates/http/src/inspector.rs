//! What the console is told of the process by the crate that has put it together.

use std::fmt::Debug;

use futures_util::future::BoxFuture;
use schemars::JsonSchema;
use serde::Serialize;

/// Knows the settings and all backends of the process.
pub trait Inspector: Debug + Send + Sync {
    /// The settings in force, as TOML, without secrets.
    fn settings(&self) -> &str;

    /// The default settings, as TOML with comments.
    fn defaults(&self) -> &str;

    /// Asks each backend, and looks at the settings.
    fn examine(&self) -> BoxFuture<'_, Examination>;
}

/// What was found.
#[derive(Clone, Debug, Default, Serialize, JsonSchema)]
pub struct Examination {
    /// Each backend.
    pub backends: Vec<Examined>,
    /// What somebody should do something about.
    pub findings: Vec<Finding>,
}

/// One backend.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct Examined {
    /// What it is for.
    pub name: String,
    /// Whether it answers.
    pub ok: bool,
    /// How long that took, in milliseconds; null when it does not.
    pub latency_ms: Option<f64>,
    /// What it says it is.
    pub version: String,
    /// What else is worth knowing, as pairs.
    pub facts: Vec<(String, String)>,
}

/// Something that somebody should do something about.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct Finding {
    /// Whether it must be changed, or only should.
    pub severity: FindingSeverity,
    /// What it is, and what to do.
    pub message: String,
}

/// How bad it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum FindingSeverity {
    /// It must be changed.
    Error,
    /// It should be looked at.
    Warning,
}
