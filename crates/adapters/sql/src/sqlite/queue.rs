//! A bounded queue between callers and the threads that serve them; takes many at once.

use std::collections::VecDeque;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

/// Why an item was not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Refused {
    /// As many wait as may.
    Full,
    /// Nobody will serve it.
    Closed,
}

/// The queue. Callers push from any thread and never wait.
#[derive(Debug)]
pub(super) struct Queue<T> {
    state: Mutex<State<T>>,
    ready: Condvar,
    most: usize,
}

#[derive(Debug)]
struct State<T> {
    items: VecDeque<T>,
    sleeping: usize,
    closed: bool,
}

impl<T> Queue<T> {
    /// A queue in which at most `most` items wait.
    pub(super) fn new(most: usize) -> Self {
        let state = State { items: VecDeque::new(), sleeping: 0, closed: false };
        Self { state: Mutex::new(state), ready: Condvar::new(), most }
    }

    /// No code that can panic runs under the lock.
    fn lock(&self) -> MutexGuard<'_, State<T>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Adds one, or says why not.
    pub(super) fn push(&self, item: T) -> Result<(), Refused> {
        let mut state = self.lock();
        if state.closed {
            return Err(Refused::Closed);
        }
        if state.items.len() >= self.most {
            return Err(Refused::Full);
        }
        state.items.push_back(item);
        let wake = state.sleeping > 0;
        drop(state);
        if wake {
            self.ready.notify_one();
        }
        Ok(())
    }

    /// Waits for at least one and moves up to `most` into `into`; false when closed and empty.
    pub(super) fn take(&self, most: usize, into: &mut Vec<T>) -> bool {
        let mut state = self.lock();
        while state.items.is_empty() {
            if state.closed {
                return false;
            }
            state.sleeping += 1;
            state = self.ready.wait(state).unwrap_or_else(PoisonError::into_inner);
            state.sleeping -= 1;
        }
        let count = most.min(state.items.len());
        into.extend(state.items.drain(..count));
        true
    }

    /// Takes no more; what waits is still served.
    pub(super) fn close(&self) {
        self.lock().closed = true;
        self.ready.notify_all();
    }

    /// Takes no more and drops what waits: nobody will serve it.
    pub(super) fn abandon(&self) {
        self.close();
        let waiting = std::mem::take(&mut self.lock().items);
        drop(waiting);
    }
}

/// Abandons the queue when the thread that serves it ends, however that happens.
#[derive(Debug)]
pub(super) struct Served<'a, T>(pub(super) &'a Queue<T>);

impl<T> Drop for Served<'_, T> {
    fn drop(&mut self) {
        self.0.abandon();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn takes_what_waits_up_to_a_number_and_refuses_what_is_too_much() {
        let queue = Queue::new(3);
        assert_eq!(
            [1, 2, 3, 4].map(|n| queue.push(n)),
            [Ok(()), Ok(()), Ok(()), Err(Refused::Full)]
        );
        let mut taken = Vec::new();
        assert!(queue.take(2, &mut taken));
        queue.close();
        assert_eq!(queue.push(5), Err(Refused::Closed));
        assert!(queue.take(2, &mut taken));
        assert!(!queue.take(2, &mut taken));
        assert_eq!(taken, [1, 2, 3]);
    }

    #[test]
    fn a_server_that_panics_leaves_nobody_waiting() {
        let queue = Queue::new(3);
        let (answer, answered) = std::sync::mpsc::channel::<()>();
        queue.push(answer).unwrap();
        let served = std::panic::catch_unwind(|| {
            let _served = Served(&queue);
            panic!("the thread ends");
        });
        assert!(served.is_err());
        assert!(answered.recv().is_err());
        assert!(queue.push(std::sync::mpsc::channel().0).is_err());
    }
}
