//! What the queues of one process tell each other: that there is something new, and which tasks
//! somebody is just about to claim.

use std::collections::HashSet;
use std::hash::{BuildHasher, BuildHasherDefault, DefaultHasher};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::Notify;

/// Queues share this many counters.
const SLOTS: usize = 64;

/// Shared by all handles to one queue in a process, so that what one thread enqueues wakes a worker
/// on another at once.
#[derive(Clone, Debug, Default)]
pub struct Wakeups(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    notify: Notify,
    news: [AtomicU64; SLOTS],
    reserved: Mutex<HashSet<String>>,
}

impl Default for Shared {
    fn default() -> Self {
        Self { notify: Notify::new(), news: counters(), reserved: Mutex::default() }
    }
}

fn counters() -> [AtomicU64; SLOTS] {
    std::array::from_fn(|_| AtomicU64::new(0))
}

fn slot(queue: &str) -> usize {
    let hash = BuildHasherDefault::<DefaultHasher>::default().hash_one(queue);
    usize::try_from(hash % SLOTS as u64).unwrap_or(0)
}

impl Wakeups {
    /// How much news of this queue there was so far.
    pub(super) fn news(&self, queue: &str) -> u64 {
        self.0.news[slot(queue)].load(Ordering::SeqCst)
    }

    /// There is something to claim in this queue.
    pub(super) fn wake(&self, queue: &str) {
        self.0.news[slot(queue)].fetch_add(1, Ordering::SeqCst);
        self.0.notify.notify_waiters();
    }

    /// The next news of any queue.
    pub(super) fn next(&self) -> tokio::sync::futures::Notified<'_> {
        self.0.notify.notified()
    }

    /// Keeps for the caller those of the tasks that nobody in this process is about to claim, up to
    /// `most` of them; drop it when they are claimed.
    pub(super) fn reserve<T>(
        &self,
        tasks: Vec<T>,
        most: usize,
        id: impl Fn(&T) -> &str,
    ) -> (Vec<T>, Reserved) {
        let mut reserved = self.0.reserved.lock().unwrap_or_else(PoisonError::into_inner);
        let mut free = Vec::new();
        let mut ids = Vec::new();
        for task in tasks {
            if free.len() == most {
                break;
            }
            if reserved.insert(id(&task).to_owned()) {
                ids.push(id(&task).to_owned());
                free.push(task);
            }
        }
        (free, Reserved { wakeups: self.clone(), ids })
    }

    /// How many tasks are reserved.
    pub(super) fn reserved(&self) -> usize {
        self.0.reserved.lock().unwrap_or_else(PoisonError::into_inner).len()
    }
}

/// Tasks that are reserved until this is dropped.
#[derive(Debug)]
pub(super) struct Reserved {
    wakeups: Wakeups,
    ids: Vec<String>,
}

impl Drop for Reserved {
    fn drop(&mut self) {
        let mut reserved = self.wakeups.0.reserved.lock().unwrap_or_else(PoisonError::into_inner);
        for id in &self.ids {
            reserved.remove(id);
        }
    }
}

/// What one handle has seen of the news when it last claimed in vain.
#[derive(Debug)]
pub(super) struct Seen([AtomicU64; SLOTS]);

impl Default for Seen {
    fn default() -> Self {
        Self(counters())
    }
}

impl Seen {
    /// A claim that began when there was so much news has taken all that there was.
    pub(super) fn all(&self, queue: &str, news: u64) {
        self.0[slot(queue)].fetch_max(news, Ordering::SeqCst);
    }

    /// Whether there is something that no claim has looked for.
    pub(super) fn is_behind(&self, wakeups: &Wakeups, queue: &str) -> bool {
        self.0[slot(queue)].load(Ordering::SeqCst) < wakeups.news(queue)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_task_is_reserved_once_until_it_is_let_go() {
        let wakeups = Wakeups::default();
        let ids = || vec!["a".to_owned(), "b".to_owned(), "c".to_owned()];
        let (first, kept) = wakeups.reserve(ids(), 2, String::as_str);
        let (second, _kept) = wakeups.clone().reserve(ids(), 2, String::as_str);
        assert_eq!((first, second), (vec!["a".into(), "b".into()], vec!["c".into()]));
        drop(kept);
        assert_eq!(wakeups.reserve(ids(), 3, String::as_str).0.len(), 2);
    }
}
