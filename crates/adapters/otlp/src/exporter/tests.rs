//! What becomes of spans when the collector takes them, refuses them, or is away.

use std::sync::Mutex;
use std::time::Duration;

use async_trait::async_trait;
use metrics_exporter_prometheus::PrometheusBuilder;
use outrigger_kernel::span::SpanKind;
use outrigger_ports::http_client::{HttpAnswer, HttpClient, HttpFault, HttpRequest};
use outrigger_ports::secrets::fixed;

use super::*;
use crate::buffer::SPANS_MAX;

/// What the collector does, one after the other; then it takes everything.
#[derive(Clone, Copy, Debug)]
enum Does {
    Takes,
    Rejects300,
    Answers(u16),
    Breaks,
    Hangs,
}

/// A collector.
#[derive(Debug)]
struct Scripted(Mutex<Vec<Does>>, Mutex<usize>);

#[async_trait]
impl HttpClient for Scripted {
    async fn send(&self, request: HttpRequest) -> Result<HttpAnswer, HttpFault> {
        assert_eq!(request.url, "http://collector/v1/traces");
        *self.1.lock().unwrap() += 1;
        let next = self.0.lock().unwrap().pop().unwrap_or(Does::Takes);
        let (status, body) = match next {
            Does::Takes => (200, Bytes::new()),
            Does::Rejects300 => (200, Bytes::from_static(b"\x0a\x03\x08\xac\x02")),
            Does::Answers(status) => (status, Bytes::new()),
            Does::Breaks => return Err(HttpFault::Connection("reset".to_owned())),
            Does::Hangs => {
                sleep(request.timeout).await;
                return Err(HttpFault::TimedOut);
            }
        };
        Ok(HttpAnswer { status, headers: Vec::new(), body, is_cut: false })
    }
}

fn span() -> Span {
    Span {
        trace_id: [1; 16],
        id: [2; 8],
        parent: None,
        caused_by: None,
        name: "a".into(),
        kind: SpanKind::Client,
        start_ns: 1,
        end_ns: 2,
        attributes: Vec::new(),
        error: None,
    }
}

/// Ends so many spans while the collector does this, for so long; what the metrics say then, and how
/// many requests there were.
fn metrics_after(does: &[Does], spans: usize, run_for: Duration) -> (String, usize) {
    let recorder = PrometheusBuilder::new().build_recorder();
    let http =
        Arc::new(Scripted(Mutex::new(does.iter().rev().copied().collect()), Mutex::default()));
    let headers = fixed(String::new());
    let collector = Collector::new(http.clone(), "http://collector/", headers, Vec::new()).unwrap();
    let runtime =
        tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build();
    metrics::with_local_recorder(&recorder, || {
        runtime.unwrap().block_on(async {
            let (buffer, receiver) = Buffer::new();
            let (stop, stopped) = watch::channel(None);
            (0..spans).for_each(|_| buffer.take(span()));
            let sending = Sender::new(collector, receiver).run(stopped);
            let stopping = async {
                sleep(run_for).await;
                stop.send_replace(Some(Instant::now() + Duration::from_secs(2)));
            };
            tokio::join!(sending, stopping);
        });
    });
    let asked = *http.1.lock().unwrap();
    (recorder.handle().render(), asked)
}

fn assert_counted(metrics: &str, taken: usize, dropped: &[(&str, usize)]) {
    let mut lines = vec![format!("outrigger_spans_exported_total {taken}")];
    lines.extend(dropped.iter().map(|(reason, count)| {
        format!("outrigger_spans_dropped_total{{reason=\"{reason}\"}} {count}")
    }));
    for line in lines {
        assert!(metrics.lines().any(|known| known == line), "{line} is not in\n{metrics}");
    }
}

const LONG: Duration = Duration::from_secs(120);

#[test]
fn all_is_sent_in_batches_and_what_is_too_much_for_the_buffer_is_counted() {
    let (metrics, asked) = metrics_after(&[], SPANS_MAX + 10, LONG);
    assert_counted(&metrics, SPANS_MAX, &[("buffer_full", 10), ("away", 0)]);
    assert_eq!(asked, SPANS_MAX / BATCH_MAX);
}

#[test]
fn a_collector_that_may_come_back_is_tried_again_and_then_given_up() {
    for fault in [Does::Answers(503), Does::Breaks, Does::Hangs] {
        let (metrics, asked) = metrics_after(&[fault; 2], 5, LONG);
        assert_counted(&metrics, 5, &[("away", 0)]);
        assert_eq!(asked, 3);
        let (metrics, asked) = metrics_after(&[fault; 3], 5, LONG);
        assert_counted(&metrics, 0, &[("away", 5)]);
        assert_eq!(asked, 3);
    }
}

#[test]
fn what_is_refused_for_good_is_not_tried_again() {
    for status in [400, 401, 404, 413] {
        let (metrics, asked) = metrics_after(&[Does::Answers(status)], 5, LONG);
        assert_counted(&metrics, 0, &[("away", 5)]);
        assert_eq!(asked, 1);
    }
    let (metrics, _) = metrics_after(&[Does::Rejects300], 500, LONG);
    assert_counted(&metrics, 200, &[("rejected", 300), ("away", 0)]);
}

#[test]
fn what_is_left_at_the_end_is_sent_within_the_time_for_it() {
    let (metrics, asked) = metrics_after(&[], 5, Duration::ZERO);
    assert_counted(&metrics, 5, &[("away", 0)]);
    assert_eq!(asked, 1);
    // One that hangs keeps nobody.
    let (metrics, asked) = metrics_after(&[Does::Hangs; 9], 5, Duration::from_secs(2));
    assert!(metrics.contains("outrigger_spans_dropped_total{reason=\"away\"} 5"), "{metrics}");
    assert_eq!(asked, 2);
}
