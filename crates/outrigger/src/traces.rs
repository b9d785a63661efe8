//! Traces: where spans are sent, and who makes them.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anyhow::{Context, Result};
use outrigger_kernel::span::{Sampling, Spans, Tracer};
use outrigger_otlp::{Collector, Exporter};

use crate::compose::{Backends, web_client};
use crate::config::{Config, Environment};

/// What is left at the end is sent within this.
const FLUSH: Duration = Duration::from_secs(2);

/// The spans of this process, if they are collected.
#[derive(Debug)]
pub(crate) struct Traces {
    spans: Option<Arc<dyn Spans>>,
    sampling: Sampling,
    exporter: Mutex<Option<Exporter>>,
}

impl Traces {
    /// Starts sending what is recorded, if that was asked for. The collector need not be there.
    ///
    /// # Errors
    /// Names the setting that cannot work.
    pub(crate) fn start(config: &Config, replica: &str) -> Result<Self> {
        let sampling =
            Sampling { ratio: config.traces.sample, follow_callers: config.traces.follow_callers };
        let (mut spans, mut exporter) = (None::<Arc<dyn Spans>>, None);
        if let Some(collector) = collector(config, replica)? {
            let (buffer, sending) = Exporter::start(collector).context("traces")?;
            (spans, exporter) = (Some(buffer), Some(sending));
        }
        Ok(Self { spans, sampling, exporter: Mutex::new(exporter) })
    }

    /// For the calling thread, if spans are collected.
    pub(crate) fn tracer(&self, backends: &Backends) -> Option<Tracer> {
        let spans = self.spans.clone()?;
        Some(Tracer::new(spans, self.sampling, backends.clock(), &*backends.random()))
    }

    /// Sends what is left, once; blocks for a while.
    pub(crate) fn stop(&self) {
        let exporter = self.exporter.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(exporter) = exporter {
            exporter.stop(FLUSH);
        }
    }
}

/// The collector of the settings, if there is one.
///
/// # Errors
/// Names the setting that cannot work.
pub(crate) fn collector(config: &Config, replica: &str) -> Result<Option<Collector>> {
    let traces = &config.traces;
    if traces.endpoint.is_empty() {
        return Ok(None);
    }
    // It is named by whoever runs this, and usually stands on a private network.
    let http = Arc::new(web_client("traces", &traces.ca_file, true)?);
    let environment = match config.deployment.environment {
        Environment::Development => "development",
        Environment::Production => "production",
    };
    let version = env!("CARGO_PKG_VERSION");
    let resource = [
        ("service.name", traces.service.as_str()),
        ("service.version", version),
        ("service.instance.id", replica),
        ("deployment.environment.name", environment),
        ("outrigger.roles", &config.roles().join("+")),
        ("telemetry.sdk.name", "outrigger"),
        ("telemetry.sdk.language", "rust"),
        ("telemetry.sdk.version", version),
    ];
    let resource = resource.map(|(name, value)| (name, value.to_owned())).into();
    let collector = Collector::new(http, &traces.endpoint, traces.headers.live(), resource);
    Ok(Some(collector.map_err(|why| anyhow::anyhow!(why))?))
}
