//! Logs and metrics of the process.

use std::io::IsTerminal;

use anyhow::{Context, Result};
use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle};
use outrigger_domain::replicas::LATENCY_BOUNDS_S;
use tracing_subscriber::filter::LevelFilter;
use tracing_subscriber::fmt::format;
use tracing_subscriber::fmt::format::JsonFields;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

use crate::config::{Log, LogFormat};
use crate::log_line::{JSON, OfRequest, TEXT};
use crate::metric_list;

/// Bounds of the histograms of counts.
const COUNTS: [f64; 9] = [1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 128.0, 256.0];

/// Starts logging to standard error; text on a terminal, JSON elsewhere, unless told.
///
/// # Errors
/// When logging was started already.
pub(crate) fn start_logs(log: &Log) -> Result<()> {
    let level: LevelFilter = log.level.parse().context("log.level")?;
    let is_text = match log.format {
        LogFormat::Text => true,
        LogFormat::Json => false,
        LogFormat::Auto => std::io::stderr().is_terminal(),
    };
    let registry = tracing_subscriber::registry().with(level);
    if is_text {
        let ansi = std::io::stderr().is_terminal();
        let format = format().with_target(false).with_ansi(ansi);
        let layer = tracing_subscriber::fmt::layer().with_writer(std::io::stderr).with_ansi(ansi);
        registry.with(layer.event_format(OfRequest { format, end: TEXT })).try_init()?;
    } else {
        let format = format().json().flatten_event(true);
        let layer = tracing_subscriber::fmt::layer().fmt_fields(JsonFields::new());
        let layer = layer.with_writer(std::io::stderr);
        registry.with(layer.event_format(OfRequest { format, end: JSON })).try_init()?;
    }
    Ok(())
}

/// Starts collecting metrics.
///
/// # Errors
/// When that was done already.
pub(crate) fn start_metrics() -> Result<PrometheusHandle> {
    let recorder = PrometheusBuilder::new()
        .set_buckets_for_metric(Matcher::Suffix("_seconds".to_owned()), &LATENCY_BOUNDS_S)?
        .set_buckets_for_metric(Matcher::Suffix("_size".to_owned()), &COUNTS)?
        .build_recorder();
    let handle = recorder.handle();
    metrics::set_global_recorder(recorder)
        .map_err(|_| anyhow::anyhow!("metrics were started twice"))?;
    metric_list::describe();
    Ok(handle)
}
