//! Where spans arrive: a sink that reads what it is sent, and a real collector.

mod decode;
mod rotel;

use std::collections::BTreeMap;
use std::io::Read;

use anyhow::{Context, Result, ensure};
use flate2::read::GzDecoder;

use crate::{Received, Receiver};

pub use rotel::Rotel;

/// A span as it was sent.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SentSpan {
    /// In hexadecimal digits, as all ids here.
    pub trace_id: String,
    /// Its own id.
    pub id: String,
    /// The id of its parent, or nothing.
    pub parent: String,
    /// The spans that it is linked to, each with its trace.
    pub links: Vec<(String, String)>,
    /// Its name.
    pub name: String,
    /// 2 for a server, 3 for a client, 5 for a consumer.
    pub kind: u64,
    /// In nanoseconds since 1970.
    pub start_ns: u64,
    /// In nanoseconds since 1970.
    pub end_ns: u64,
    /// Texts, and numbers as texts.
    pub attributes: BTreeMap<String, String>,
    /// The message of its status, if that is an error.
    pub error: Option<String>,
    /// The attributes of the process that has sent it.
    pub resource: BTreeMap<String, String>,
}

/// Takes spans over OTLP/HTTP; it runs until the process ends.
#[derive(Clone, Debug)]
pub struct SpanSink(Receiver);

impl SpanSink {
    /// Starts one on any free port.
    ///
    /// # Errors
    /// When it cannot listen.
    pub fn start() -> Result<Self> {
        Receiver::start().map(Self)
    }

    /// What `traces.endpoint` is set to.
    pub fn url(&self) -> String {
        self.0.url("")
    }

    /// The web server that it is: how it answers, and what it got.
    pub fn receiver(&self) -> &Receiver {
        &self.0
    }

    /// All spans so far, as they came.
    ///
    /// # Errors
    /// When something else was sent.
    pub fn spans(&self) -> Result<Vec<SentSpan>> {
        let mut spans = Vec::new();
        for request in self.0.received() {
            spans.extend(read(&request).context("a request is not OTLP/HTTP in protobuf")?);
        }
        Ok(spans)
    }

    /// Everything that was sent, as far as it is text: for what must not be in there.
    pub fn text(&self) -> String {
        let texts = self.0.received().into_iter().map(|request| request.body);
        texts.map(|body| String::from_utf8_lossy(&body).into_owned()).collect()
    }
}

fn read(request: &Received) -> Result<Vec<SentSpan>> {
    let (place, kind) = (format!("{} {}", request.method, request.path), "application/x-protobuf");
    ensure!(place == "POST /v1/traces", "it came to {place}");
    ensure!(request.header("content-type") == kind, "it is {:?}", request.header("content-type"));
    if request.header("content-encoding") != "gzip" {
        return decode::spans(&request.body);
    }
    let mut body = Vec::new();
    GzDecoder::new(&*request.body).read_to_end(&mut body)?;
    decode::spans(&body)
}
