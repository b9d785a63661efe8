//! A line of the log: what the library writes, and which request it is about.

use std::fmt::{self, Write};

use outrigger_http::current::current;
use outrigger_http::request_info::RequestInfo;
use tracing::{Event, Subscriber};
use tracing_subscriber::fmt::format::Writer;
use tracing_subscriber::fmt::{FmtContext, FormatEvent, FormatFields};
use tracing_subscriber::registry::LookupSpan;

/// How the fields of the request are added to a line that ends with `closing`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct End {
    closing: &'static str,
    add: fn(&mut String, &RequestInfo) -> fmt::Result,
}

/// For lines that are JSON objects.
pub(crate) const JSON: End = End { closing: "}\n", add: add_json };
/// For lines of text.
pub(crate) const TEXT: End = End { closing: "\n", add: add_text };

/// Adds `request.id` and `trace.id` to each line that is written while a request is worked on.
#[derive(Debug)]
pub(crate) struct OfRequest<F> {
    pub(crate) format: F,
    pub(crate) end: End,
}

impl<S, N, F> FormatEvent<S, N> for OfRequest<F>
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    N: for<'a> FormatFields<'a> + 'static,
    F: FormatEvent<S, N>,
{
    fn format_event(
        &self,
        context: &FmtContext<'_, S, N>,
        mut writer: Writer<'_>,
        event: &Event<'_>,
    ) -> fmt::Result {
        let mut line = String::new();
        self.format.format_event(context, Writer::new(&mut line), event)?;
        current(|info| self.end.close(&mut line, info)).unwrap_or(Ok(()))?;
        writer.write_str(&line)
    }
}

impl End {
    fn close(self, line: &mut String, info: &RequestInfo) -> fmt::Result {
        let Some(open) = line.strip_suffix(self.closing) else { return Ok(()) };
        line.truncate(open.len());
        (self.add)(line, info)?;
        line.write_str(self.closing)
    }
}

/// Neither id needs escaping: they are letters, digits, `-` and `_`.
fn add_json(line: &mut String, info: &RequestInfo) -> fmt::Result {
    write!(line, ",\"request.id\":\"{}\"", info.request_id)?;
    match &info.trace {
        Some(trace) => write!(line, ",\"trace.id\":\"{}\"", trace.trace_id()),
        None => Ok(()),
    }
}

fn add_text(line: &mut String, info: &RequestInfo) -> fmt::Result {
    write!(line, " request.id={}", info.request_id)?;
    match &info.trace {
        Some(trace) => write!(line, " trace.id={}", trace.trace_id()),
        None => Ok(()),
    }
}
