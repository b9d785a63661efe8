//! Traces over OTLP: what is in them, what is recorded, and that nobody waits for their collector.

mod away;
mod contents;
mod sampling;

use std::collections::BTreeSet;
use std::time::Duration;

use outrigger_testkit::{SentSpan, SpanSink, eventually};

use crate::support::ServerOptions;

/// Spans are sent within a second; this machine may be slow.
const PATIENCE: Duration = Duration::from_secs(60);

/// A server that sends its spans there.
fn traced(options: ServerOptions, url: &str) -> ServerOptions {
    options.set("OUTRIGGER__TRACES__ENDPOINT", url)
}

/// The spans so far, each once: what the collector was slow to confirm is sent again.
fn spans(sink: &SpanSink) -> anyhow::Result<Vec<SentSpan>> {
    let mut seen = BTreeSet::new();
    let mut spans = sink.spans()?;
    spans.retain(|span| seen.insert(span.id.clone()));
    Ok(spans)
}

/// The spans of this trace, as soon as all of these names are among them.
#[track_caller]
fn trace(sink: &SpanSink, trace_id: &str, names: &[&str]) -> Vec<SentSpan> {
    let complete = eventually("the spans of a trace", PATIENCE, || {
        let mut spans = spans(sink)?;
        spans.retain(|span| span.trace_id == trace_id);
        let has = |name: &&str| spans.iter().any(|span| span.name == **name);
        match names.iter().find(|name| !has(name)) {
            None => Ok(spans),
            Some(name) => anyhow::bail!("no {name} among {spans:#?}"),
        }
    });
    complete.unwrap()
}

/// The one span of this name.
#[track_caller]
fn one<'a>(spans: &'a [SentSpan], name: &str) -> &'a SentSpan {
    let mut named = spans.iter().filter(|span| span.name == name);
    match (named.next(), named.next()) {
        (Some(span), None) => span,
        _ => panic!("not one {name} in {spans:#?}"),
    }
}
