//! A few threads with a connection each for lists and scans, so that a long one holds up neither a
//! core nor the point reads.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::thread;

use outrigger_ports::store::StoreError;
use rusqlite::Connection;
use tokio::sync::oneshot;

use super::queue::{Queue, Refused};
use super::{SqliteOptions, open};
use crate::fault::Fault;

/// Most lists and scans that wait.
const WAITING_MAX: usize = 1024;

type Job = Box<dyn FnOnce(&Connection) + Send>;

/// The way to the reader threads. Dropping it ends them.
pub(super) struct Readers {
    queue: Arc<Queue<Job>>,
    threads: Vec<thread::JoinHandle<()>>,
}

impl std::fmt::Debug for Readers {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Readers").field("threads", &self.threads.len()).finish_non_exhaustive()
    }
}

impl Readers {
    /// Starts the threads.
    pub(super) fn start(options: &SqliteOptions) -> Result<Self, StoreError> {
        let queue: Arc<Queue<Job>> = Arc::new(Queue::new(WAITING_MAX));
        let mut readers = Self { queue, threads: Vec::new() };
        for _ in 0..options.query_threads.max(1) {
            let conn = open::reader(options)?;
            let queue = Arc::clone(&readers.queue);
            let thread = thread::Builder::new()
                .name("sqlite-reader".to_owned())
                .spawn(move || {
                    let mut job = Vec::with_capacity(1);
                    while queue.take(1, &mut job) {
                        for job in job.drain(..) {
                            // Whoever waits learns of a panic by the loss of the answer; the
                            // thread serves the next.
                            let _ = catch_unwind(AssertUnwindSafe(|| job(&conn)));
                        }
                    }
                })
                .map_err(|error| StoreError::Unavailable(Fault::cause(error.to_string())))?;
            readers.threads.push(thread);
        }
        Ok(readers)
    }

    /// Runs a read on one of the threads.
    pub(super) async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Connection) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        let (answer, answered) = oneshot::channel();
        let job: Job = Box::new(move |conn| {
            // Nobody waits any more: not worth the work.
            if !answer.is_closed() {
                let _ = answer.send(work(conn));
            }
        });
        let unavailable = |what: &str| StoreError::Unavailable(Fault::cause(what));
        self.queue.push(job).map_err(|refused| match refused {
            Refused::Full => unavailable("too many lists wait already"),
            Refused::Closed => unavailable("the readers of the database have ended"),
        })?;
        answered.await.unwrap_or_else(|_| Err(unavailable("the reader of the database has ended")))
    }
}

impl Drop for Readers {
    fn drop(&mut self) {
        self.queue.close();
        for thread in self.threads.drain(..) {
            // A panic there was reported by the thread itself.
            let _ = thread.join();
        }
    }
}
