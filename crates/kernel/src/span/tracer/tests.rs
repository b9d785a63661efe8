//! What is recorded, by chance and by what callers say; and what is told of it.

use std::sync::Mutex;

use super::super::recording::CHILDREN_MAX;
use super::super::{Closing, Span, SpanKind, Work, Working, child};
use super::*;
use crate::{ManualClock, Timestamp};

/// Keeps what is recorded.
#[derive(Debug, Default)]
struct Kept(Mutex<Vec<Span>>, AtomicU64);

impl Spans for Kept {
    fn take(&self, span: Span) {
        self.0.lock().unwrap().push(span);
    }

    fn skip(&self) {
        self.1.fetch_add(1, Ordering::Relaxed);
    }
}

/// The same numbers in each run.
#[derive(Debug)]
struct Steady;

impl Random for Steady {
    fn fill(&self, bytes: &mut [u8]) {
        bytes.fill(7);
    }
}

fn tracer(ratio: f64, follow_callers: bool) -> (Arc<Kept>, Tracer) {
    let kept = Arc::new(Kept::default());
    let clock = Arc::new(ManualClock::at(Timestamp::from_secs(1_800_000_000)));
    let sampling = Sampling { ratio, follow_callers };
    (kept.clone(), Tracer::new(kept, sampling, clock, &Steady))
}

fn caller(is_sampled: bool) -> TraceParent {
    TraceParent::of([9; 16], [8; 8], is_sampled)
}

#[derive(Debug)]
struct Request(Position);

impl Work for Request {
    fn ids(&self, _: &mut dyn FnMut(&'static str, &str)) {}

    fn trace(&self) -> Option<&TraceParent> {
        Some(&self.0.trace)
    }

    fn recording(&self) -> Option<&Arc<Recording>> {
        self.0.recording.as_ref()
    }
}

/// Polls once what is ready at once.
fn at_once<T>(position: Position, work: impl Future<Output = T>) -> T {
    let mut working = Working::on(Arc::new(Request(position)), Box::pin(work));
    let mut context = std::task::Context::from_waker(std::task::Waker::noop());
    match std::pin::Pin::new(&mut working).poll(&mut context) {
        std::task::Poll::Ready(done) => done,
        std::task::Poll::Pending => panic!("it was not ready at once"),
    }
}

#[test]
fn the_ratio_is_kept_and_its_ends_are_exact() {
    for (ratio, least, most) in [(0.0, 0, 0), (1.0, 20_000, 20_000), (0.25, 4_700, 5_300)] {
        let (_, tracer) = tracer(ratio, false);
        let recorded = (0..20_000).filter(|_| tracer.request(None).recording.is_some()).count();
        assert!((least..=most).contains(&recorded), "{recorded} of 20000 at {ratio}");
    }
}

#[test]
fn ids_do_not_repeat() {
    let (_, tracer) = tracer(1.0, false);
    let ids = |_| tracer.request(None).trace.ids();
    let (traces, spans): (Vec<_>, Vec<_>) = (0..10_000).map(ids).unzip();
    let distinct = |n: usize| assert_eq!(n, 10_000);
    distinct(traces.into_iter().collect::<std::collections::BTreeSet<_>>().len());
    distinct(spans.into_iter().collect::<std::collections::BTreeSet<_>>().len());
}

#[test]
fn callers_decide_only_when_they_are_trusted_and_their_trace_goes_on_in_any_case() {
    for (ratio, follow, flag, recorded) in [
        (0.0, false, true, false),
        (1.0, false, false, true),
        (0.0, true, true, true),
        (1.0, true, false, false),
    ] {
        let (_, tracer) = tracer(ratio, follow);
        let Position { trace, recording } = tracer.request(Some(caller(flag)));
        let said = (recording.is_some(), trace.is_sampled(), trace.ids().0);
        assert_eq!(said, (recorded, recorded, [9; 16]), "{ratio} {follow} {flag}");
        assert_eq!(trace.ids().1 == [8; 8], !recorded, "who records is the parent of what follows");
    }
}

#[test]
fn a_task_is_recorded_if_what_enqueued_it_was() {
    let (_, never) = tracer(0.0, false);
    assert!(never.task(Some(caller(true))).recording.is_some());
    assert!(never.task(None).recording.is_none());
    let (_, always) = tracer(1.0, true);
    assert!(always.task(Some(caller(false))).recording.is_none());
    assert!(always.task(None).recording.is_some());
}

#[test]
fn calls_are_children_of_their_request_and_what_it_enqueues_is_in_its_trace() {
    let (kept, tracer) = tracer(1.0, false);
    let position = tracer.request(Some(caller(false)));
    let (trace, recording) = (position.trace, position.recording.clone().unwrap());
    let called = at_once(position, async {
        let mut call = child("store.commit", SpanKind::Client);
        call.note("n", || 3);
        let trace = call.trace().unwrap();
        call.end(Some("timeout"));
        drop(child("mail.send", SpanKind::Client));
        trace
    });
    let closing = Closing {
        name: "http.x".into(),
        kind: SpanKind::Server,
        was_enqueued: false,
        attributes: Vec::new(),
        error: None,
    };
    recording.end(closing);
    let spans = kept.0.lock().unwrap();
    let [commit, mail, request] = &spans[..] else { panic!("{spans:?}") };
    assert_eq!((request.id, request.parent), (trace.ids().1, Some([8; 8])));
    for (call, error) in [(commit, "timeout"), (mail, "cancelled")] {
        assert_eq!((call.trace_id, call.parent), ([9; 16], Some(request.id)));
        assert_eq!(call.error.as_deref(), Some(error));
        let inside = request.start_ns..=request.end_ns;
        assert!(inside.contains(&call.start_ns) && inside.contains(&call.end_ns));
    }
    assert_eq!(called, TraceParent::of([9; 16], commit.id, true));
    assert_eq!(commit.attributes, [("n", 3.into())]);
    assert_ne!(commit.id, mail.id);
}

#[test]
fn calls_of_what_is_not_recorded_are_nothing_and_too_many_are_counted() {
    let (kept, tracer) = tracer(1.0, true);
    at_once(tracer.request(Some(caller(false))), async {
        let mut call = child("store.get", SpanKind::Client);
        call.note("n", || -> i64 { panic!("nobody asks") });
        assert_eq!(call.trace(), None);
    });
    assert!(kept.0.lock().unwrap().is_empty());
    at_once(tracer.request(None), async {
        for _ in 0..CHILDREN_MAX + 5 {
            child("store.get", SpanKind::Client).end(None);
        }
    });
    let recorded = kept.0.lock().unwrap().len();
    assert_eq!((recorded, kept.1.load(Ordering::Relaxed)), (CHILDREN_MAX as usize, 5));
}
