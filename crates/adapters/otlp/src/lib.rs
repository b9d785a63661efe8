//! Spans to a collector, over OTLP 1 (protobuf over HTTP).
//!
//! Who ends a span only puts it into a buffer (8,192 spans). A thread of its own sends what is there
//! in batches ([`Exporter`]), so a collector that is slow or away costs spans, which are counted, and
//! no request.

mod buffer;
mod collector;
mod encode;
mod exporter;

pub use collector::{Collector, Refusal};
pub use encode::Resource;
pub use exporter::Exporter;
