//! Where spans wait to be sent.

use metrics::Counter;
use outrigger_kernel::{Span, Spans};
use tokio::sync::mpsc;

/// So many spans wait at most: some 5 MB.
pub(crate) const SPANS_MAX: usize = 8_192;

/// Counts what did not reach the collector, by why.
pub(crate) fn dropped(reason: &'static str) -> Counter {
    metrics::counter!("outrigger_spans_dropped_total", "reason" => reason)
}

/// Takes spans until it is full; then it drops and counts them in
/// `outrigger_spans_dropped_total{reason}`.
#[derive(Debug)]
pub(crate) struct Buffer {
    sender: mpsc::Sender<Span>,
    full: Counter,
    skipped: Counter,
}

impl Buffer {
    /// A buffer, and the end that it is emptied at.
    pub(crate) fn new() -> (Self, mpsc::Receiver<Span>) {
        let (sender, receiver) = mpsc::channel(SPANS_MAX);
        (
            Self { sender, full: dropped("buffer_full"), skipped: dropped("too_many_calls") },
            receiver,
        )
    }
}

impl Spans for Buffer {
    fn take(&self, span: Span) {
        if self.sender.try_send(span).is_err() {
            self.full.increment(1);
        }
    }

    fn skip(&self) {
        self.skipped.increment(1);
    }
}
