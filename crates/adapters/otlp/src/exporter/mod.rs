//! The thread that sends spans.

use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

use bytes::Bytes;
use outrigger_kernel::{Span, Spans};
use tokio::sync::{mpsc, watch};
use tokio::time::{Instant, sleep, timeout_at};

use crate::buffer::{Buffer, dropped};
use crate::collector::{Collector, Refusal};
use crate::encode::request;

/// Most spans of one request: some 500 KB.
const BATCH_MAX: usize = 2_048;
/// The buffer is looked at so often. Who ends a span wakes nobody.
const LOOK: Duration = Duration::from_millis(100);
/// A span waits so long for others to travel with.
const GATHER: Duration = Duration::from_secs(1);
/// One request may take so long.
const SEND_WITHIN: Duration = Duration::from_secs(5);
/// Pauses before a batch is tried again; then it is dropped.
const PAUSES: [Duration; 2] = [Duration::from_millis(500), Duration::from_secs(2)];
/// The longest pause that a collector may ask for.
const PAUSE_MAX: Duration = Duration::from_secs(10);

/// Sends what is in its buffer, on a thread and a runtime of its own.
#[derive(Debug)]
pub struct Exporter {
    thread: JoinHandle<()>,
    stop: watch::Sender<Option<Instant>>,
}

impl Exporter {
    /// Starts sending to this collector what is put into the buffer. Counts what was taken in
    /// `outrigger_spans_exported_total`.
    ///
    /// # Errors
    /// When the thread or its runtime cannot be had.
    pub fn start(collector: Collector) -> std::io::Result<(Arc<dyn Spans>, Self)> {
        let (buffer, spans) = Buffer::new();
        let (stop, stopped) = watch::channel(None);
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let run = move || {
            runtime.block_on(Sender::new(collector, spans).run(stopped));
            // A name that is being looked up is not waited for.
            runtime.shutdown_background();
        };
        let thread = std::thread::Builder::new().name("traces".to_owned()).spawn(run)?;
        Ok((Arc::new(buffer), Self { thread, stop }))
    }

    /// Sends what is left, as far as this time allows, and waits for the end of that.
    pub fn stop(self, within: Duration) {
        self.stop.send_replace(Some(Instant::now() + within));
        let _ = self.thread.join();
    }
}

struct Sender {
    collector: Collector,
    spans: mpsc::Receiver<Span>,
    batch: Vec<Span>,
    is_away: bool,
}

impl Sender {
    fn new(collector: Collector, spans: mpsc::Receiver<Span>) -> Self {
        Self { collector, spans, batch: Vec::new(), is_away: false }
    }

    async fn run(mut self, mut stop: watch::Receiver<Option<Instant>>) {
        let end = tokio::select! {
            stopped = stop.wait_for(Option::is_some) => stopped.ok().and_then(|at| *at),
            never = self.keep_sending() => match never {},
        };
        if timeout_at(end.unwrap_or_else(Instant::now), self.flush()).await.is_err() {
            self.take();
            let left = self.batch.len() + self.spans.len();
            dropped("away").increment(left as u64);
            tracing::warn!(spans = left, "the process ends before its spans were sent");
        }
    }

    /// May be dropped at any pause: what was not sent is still in the batch.
    async fn keep_sending(&mut self) -> std::convert::Infallible {
        let mut since = None;
        loop {
            self.take();
            let begun = (!self.batch.is_empty()).then(|| *since.get_or_insert_with(Instant::now));
            let is_due = begun.is_some_and(|begun| begun.elapsed() >= GATHER);
            if is_due || self.batch.len() == BATCH_MAX {
                self.deliver(&PAUSES).await;
                since = None;
            } else {
                sleep(LOOK).await;
            }
        }
    }

    /// Sends what is there, each batch once.
    async fn flush(&mut self) {
        self.take();
        while !self.batch.is_empty() {
            self.deliver(&[]).await;
            self.take();
        }
    }

    /// Fills the batch up.
    fn take(&mut self) {
        while self.batch.len() < BATCH_MAX
            && let Ok(span) = self.spans.try_recv()
        {
            self.batch.push(span);
        }
    }

    /// Sends the batch, again after each of these pauses, and drops it when that does not help.
    async fn deliver(&mut self, pauses: &[Duration]) {
        let body = Bytes::from(request(&self.collector.resource, &self.batch));
        let mut pauses = pauses.iter();
        let sent = loop {
            match self.collector.send(body.clone(), SEND_WITHIN).await {
                Err(Refusal::Away(why, asked)) => {
                    self.note(Some(&why));
                    let Some(pause) = pauses.next() else { break None };
                    sleep(asked.unwrap_or(*pause).min(PAUSE_MAX)).await;
                }
                Err(Refusal::Refused(why)) => {
                    self.note(Some(&why));
                    break None;
                }
                Ok(rejected) => {
                    self.note(None);
                    break Some(rejected);
                }
            }
        };
        let spans = self.batch.len() as u64;
        self.batch.clear();
        let rejected = sent.map(|rejected| rejected.min(spans));
        metrics::counter!("outrigger_spans_exported_total")
            .increment(rejected.map_or(0, |rejected| spans - rejected));
        dropped("rejected").increment(rejected.unwrap_or(0));
        dropped("away").increment(if rejected.is_none() { spans } else { 0 });
    }

    /// Says in the log that the collector is away or back; once.
    fn note(&mut self, why: Option<&str>) {
        match why {
            Some(why) if !self.is_away => {
                tracing::warn!(
                    source = why,
                    "spans cannot be sent; they are dropped until they can"
                );
            }
            None if self.is_away => tracing::info!("spans can be sent again"),
            _ => {}
        }
        self.is_away = why.is_some();
    }
}

#[cfg(test)]
mod tests;
