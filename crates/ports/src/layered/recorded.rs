//! For tests: a request whose calls are recorded.

use std::pin::pin;
use std::sync::{Arc, Mutex};

use outrigger_kernel::span::{Position, Recording, Sampling, Span, Spans, Tracer, Work, Working};
use outrigger_kernel::{SystemClock, SystemRandom, TraceParent};

#[derive(Debug, Default)]
struct Kept(Mutex<Vec<Span>>);

impl Spans for Kept {
    fn take(&self, span: Span) {
        self.0.lock().unwrap().push(span);
    }

    fn skip(&self) {}
}

#[derive(Debug)]
struct Request(Position);

impl Work for Request {
    fn ids(&self, tell: &mut dyn FnMut(&'static str, &str)) {
        tell("request.id", "req_1");
    }

    fn trace(&self) -> Option<&TraceParent> {
        Some(&self.0.trace)
    }

    fn recording(&self) -> Option<&Arc<Recording>> {
        self.0.recording.as_ref()
    }
}

/// What comes of this work, and the names and errors of its calls.
pub(crate) async fn recorded<T>(
    work: impl Future<Output = T>,
) -> (T, Vec<(String, Option<String>)>) {
    let kept = Arc::new(Kept::default());
    let sampling = Sampling { ratio: 1.0, follow_callers: false };
    let tracer = Tracer::new(kept.clone(), sampling, Arc::new(SystemClock), &SystemRandom);
    let done = Working::on(Arc::new(Request(tracer.request(None))), pin!(work)).await;
    let spans = std::mem::take(&mut *kept.0.lock().unwrap());
    let told = |span: Span| (span.name.into_owned(), span.error.map(std::borrow::Cow::into_owned));
    (done, spans.into_iter().map(told).collect())
}
