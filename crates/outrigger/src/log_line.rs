//! A line of the log: what the library writes, and which request or task it is about.

use std::fmt::{self, Write};

use outrigger_kernel::TraceParent;
use outrigger_kernel::span::{Work, current};
use tracing::{Event, Subscriber};
use tracing_subscriber::fmt::format::Writer;
use tracing_subscriber::fmt::{FmtContext, FormatEvent, FormatFields};
use tracing_subscriber::registry::LookupSpan;

/// How the fields of a request or task are added to a line that ends with `closing`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct End {
    closing: &'static str,
    add: fn(&mut String, &'static str, &str) -> fmt::Result,
}

/// For lines that are JSON objects.
pub(crate) const JSON: End = End { closing: "}\n", add: add_json };
/// For lines of text.
pub(crate) const TEXT: End = End { closing: "\n", add: add_text };

/// Adds `request.id`, `trace.id` and for tasks `task.id` and `task.kind` to each line that is written
/// while a request or a task is worked on.
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
        current(|work| self.end.close(&mut line, work)).unwrap_or(Ok(()))?;
        writer.write_str(&line)
    }
}

impl End {
    fn close(self, line: &mut String, work: &dyn Work) -> fmt::Result {
        let Some(open) = line.strip_suffix(self.closing) else { return Ok(()) };
        line.truncate(open.len());
        let mut added = Ok(());
        work.ids(&mut |name, id| added = added.and_then(|()| (self.add)(line, name, id)));
        added?;
        if let Some(trace) = work.trace().map(TraceParent::trace_id) {
            (self.add)(line, "trace.id", trace)?;
        }
        line.write_str(self.closing)
    }
}

/// No id needs escaping: they are letters, digits, `.`, `-` and `_`.
fn add_json(line: &mut String, name: &'static str, id: &str) -> fmt::Result {
    write!(line, ",\"{name}\":\"{id}\"")
}

fn add_text(line: &mut String, name: &'static str, id: &str) -> fmt::Result {
    write!(line, " {name}={id}")
}
