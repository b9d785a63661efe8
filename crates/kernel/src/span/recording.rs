//! What is being recorded: a request or task, and the calls that it makes.

use std::borrow::Cow;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::time::{Duration, Instant};

use super::current::current;
use super::tracer::mix;
use super::{Span, SpanKind, Spans, Value};
use crate::time::Timestamp;
use crate::trace::TraceParent;

/// So many calls of one request or task are recorded: an import of a million records must not
/// crowd out everything else.
pub(super) const CHILDREN_MAX: u32 = 128;

/// A request or task that is recorded.
#[derive(Debug)]
pub struct Recording {
    spans: Arc<dyn Spans>,
    trace_id: [u8; 16],
    id: [u8; 8],
    parent: Option<[u8; 8]>,
    began: Instant,
    start_ns: u64,
    children: AtomicU32,
    /// What is done after it has ended, such as telling the queue, is no part of it.
    has_ended: AtomicBool,
}

/// How a request or task has ended.
#[derive(Debug)]
pub struct Closing {
    /// Such as `http.records.create`.
    pub name: Cow<'static, str>,
    /// Which side of a call it was.
    pub kind: SpanKind,
    /// Whether its parent is what has enqueued it.
    pub was_enqueued: bool,
    /// What is known of it.
    pub attributes: Vec<(&'static str, Value)>,
    /// The code of what went wrong, if something did.
    pub error: Option<Cow<'static, str>>,
}

impl Recording {
    pub(super) fn begin(
        spans: Arc<dyn Spans>,
        (trace_id, id): ([u8; 16], [u8; 8]),
        parent: Option<[u8; 8]>,
        now: Timestamp,
    ) -> Self {
        let micros = u64::try_from(now.as_micros()).unwrap_or(0);
        let (began, start_ns) = (Instant::now(), micros.saturating_mul(1_000));
        let (children, has_ended) = (AtomicU32::new(0), AtomicBool::new(false));
        Self { spans, trace_id, id, parent, began, start_ns, children, has_ended }
    }

    /// Tells of the whole, once, when it has ended.
    pub fn end(&self, closing: Closing) {
        let Closing { name, kind, was_enqueued, attributes, error } = closing;
        self.has_ended.store(true, Ordering::Relaxed);
        self.spans.take(Span {
            trace_id: self.trace_id,
            id: self.id,
            parent: self.parent,
            caused_by: self.parent.filter(|_| was_enqueued),
            name,
            kind,
            start_ns: self.start_ns,
            end_ns: self.at(Instant::now()),
            attributes,
            error,
        });
    }

    /// By the clock that does not jump, from where the whole began.
    fn at(&self, instant: Instant) -> u64 {
        let since: Duration = instant.saturating_duration_since(self.began);
        self.start_ns.saturating_add(u64::try_from(since.as_nanos()).unwrap_or(u64::MAX))
    }

    /// The id of another call, if there is room for it.
    fn next_child(&self) -> Option<[u8; 8]> {
        if self.has_ended.load(Ordering::Relaxed) {
            return None;
        }
        let number = self.children.fetch_add(1, Ordering::Relaxed).saturating_add(1);
        if number > CHILDREN_MAX {
            self.spans.skip();
            return None;
        }
        let id = mix(u64::from_be_bytes(self.id).wrapping_add(u64::from(number)));
        Some(id.max(1).to_be_bytes())
    }
}

/// A call that a request or task makes. What becomes of it is told by [`Child::end`]; one that is
/// dropped without was cancelled.
#[derive(Debug)]
pub struct Child(Option<Box<Open>>);

#[derive(Debug)]
struct Open {
    recording: Arc<Recording>,
    id: [u8; 8],
    name: &'static str,
    kind: SpanKind,
    began: Instant,
    attributes: Vec<(&'static str, Value)>,
}

/// Begins a call of what this thread works on, if that is recorded.
pub fn child(name: &'static str, kind: SpanKind) -> Child {
    let recording = current(|work| work.recording().cloned()).flatten();
    Child(recording.and_then(|recording| {
        let id = recording.next_child()?;
        let (began, attributes) = (Instant::now(), Vec::new());
        Some(Box::new(Open { recording, id, name, kind, began, attributes }))
    }))
}

impl Child {
    /// The `traceparent` for whoever is called, if this is recorded.
    pub fn trace(&self) -> Option<TraceParent> {
        let open = self.0.as_ref()?;
        Some(TraceParent::of(open.recording.trace_id, open.id, true))
    }

    /// Adds what is known of the call; `value` is asked for only when it is recorded.
    pub fn note<V: Into<Value>>(&mut self, name: &'static str, value: impl FnOnce() -> V) {
        if let Some(open) = &mut self.0 {
            open.attributes.push((name, value().into()));
        }
    }

    /// It has ended; with this code if it went wrong.
    pub fn end(mut self, error: Option<&'static str>) {
        if let Some(open) = self.0.take() {
            open.tell(error);
        }
    }
}

impl Drop for Child {
    fn drop(&mut self) {
        if let Some(open) = self.0.take() {
            open.tell(Some("cancelled"));
        }
    }
}

impl Open {
    fn tell(self, error: Option<&'static str>) {
        let Self { recording, id, name, kind, began, attributes } = self;
        let (start_ns, end_ns) = (recording.at(began), recording.at(Instant::now()));
        recording.spans.take(Span {
            trace_id: recording.trace_id,
            id,
            parent: Some(recording.id),
            caused_by: None,
            name: Cow::Borrowed(name),
            kind,
            start_ns,
            end_ns,
            attributes,
            error: error.map(Cow::Borrowed),
        });
    }
}

/// Makes a call as a [`child`]; `code` names what went wrong.
///
/// # Errors
/// Those of the call.
pub async fn within<T, E>(
    name: &'static str,
    code: impl FnOnce(&E) -> &'static str,
    call: impl Future<Output = Result<T, E>>,
) -> Result<T, E> {
    let child = child(name, SpanKind::Client);
    let result = call.await;
    child.end(result.as_ref().err().map(code));
    result
}
