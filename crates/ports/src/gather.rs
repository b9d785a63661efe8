//! Joins what many callers ask in one turn of the event loop into one question.
//!
//! A backend answers twenty keys in one command for little more than one. So the first caller of a
//! turn starts a task, which the runtime runs after everybody else who is ready has had a turn and
//! has added a key; then all are asked at once. With [`Gather::in_turns`] only so many questions are
//! under way, and whoever comes meanwhile goes with the next: what a database does with commits.
//!
//! A key is never answered by a question that was asked before the key was added, so a read sees
//! every write that was acknowledged before the read began.

use std::future::Future;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::{Semaphore, oneshot};

/// Collects keys of type `K` and hands out answers of type `A`.
#[derive(Debug)]
pub struct Gather<K, A>(Arc<Shared<K, A>>);

#[derive(Debug)]
struct Shared<K, A> {
    waiting: Mutex<Vec<(K, oneshot::Sender<A>)>>,
    turns: Option<Semaphore>,
}

impl<K: Send + 'static, A: Send + 'static> Gather<K, A> {
    /// Every turn of the event loop asks.
    pub fn unbounded() -> Self {
        Self::new(None)
    }

    /// At most `most` questions are under way.
    pub fn in_turns(most: usize) -> Self {
        Self::new(Some(Semaphore::new(most.max(1))))
    }

    fn new(turns: Option<Semaphore>) -> Self {
        Self(Arc::new(Shared { waiting: Mutex::default(), turns }))
    }

    /// The answer for this key. `ask` gets keys, this one not necessarily among them, and gives
    /// their answers in the same order. It runs on, although the caller has gone: others may wait.
    ///
    /// `None` when `ask` panicked, gave too few answers, or the runtime ends.
    ///
    /// # Panics
    /// Outside a tokio runtime.
    pub async fn answer<F, Answers>(&self, key: K, ask: F) -> Option<A>
    where
        F: FnOnce(Vec<K>) -> Answers + Send + 'static,
        Answers: Future<Output = Vec<A>> + Send,
    {
        let (sender, receiver) = oneshot::channel();
        if self.0.add(key, sender) {
            let shared = Arc::clone(&self.0);
            tokio::spawn(async move { shared.ask_all(ask).await });
        }
        receiver.await.ok()
    }
}

impl<K, A> Shared<K, A> {
    /// Says whether it is the first.
    fn add(&self, key: K, sender: oneshot::Sender<A>) -> bool {
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        waiting.push((key, sender));
        waiting.len() == 1
    }

    async fn ask_all<F, Answers>(&self, ask: F)
    where
        F: FnOnce(Vec<K>) -> Answers,
        Answers: Future<Output = Vec<A>>,
    {
        let _turn = match &self.turns {
            Some(turns) => turns.acquire().await.ok(),
            None => None,
        };
        let all = {
            let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
            let room = waiting.len();
            std::mem::replace(&mut *waiting, Vec::with_capacity(room))
        };
        let (keys, senders): (Vec<K>, Vec<_>) = all.into_iter().unzip();
        for (sender, answer) in senders.into_iter().zip(ask(keys).await) {
            let _gone = sender.send(answer);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::layered::recorded::recorded;
    use futures_util::future::join_all;
    use outrigger_kernel::span;
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::task::Poll;

    async fn doubled(keys: Vec<u32>) -> Vec<u32> {
        keys.into_iter().map(|key| key * 2).collect()
    }

    #[tokio::test]
    async fn callers_of_one_turn_share_a_question_and_each_gets_its_own_answer() {
        let gather = Gather::unbounded();
        let questions = Arc::new(AtomicUsize::new(0));
        let calls = (0..100).map(|key| {
            let questions = questions.clone();
            gather.answer(key, move |keys| async move {
                questions.fetch_add(1, Ordering::SeqCst);
                doubled(keys).await
            })
        });
        let answers: Vec<_> = join_all(calls).await.into_iter().flatten().collect();
        assert_eq!(answers, (0..100).map(|key| key * 2).collect::<Vec<_>>());
        assert_eq!(questions.load(Ordering::SeqCst), 1);
        assert_eq!(gather.answer(7, doubled).await, Some(14), "and then the next");
    }

    #[tokio::test]
    async fn in_turns_whoever_comes_during_a_question_waits_for_the_next() {
        let gather = Gather::in_turns(1);
        let (release, held) = oneshot::channel::<()>();
        let (begun, begins) = oneshot::channel();
        let first = gather.answer(1, move |keys| async move {
            let _ = begun.send(());
            let _ = held.await;
            doubled(keys).await
        });
        let others = async {
            begins.await.unwrap();
            let others = (2..10).map(|key| {
                gather.answer(key, move |keys| async move {
                    assert_eq!(keys.len(), 8, "all of them go together");
                    doubled(keys).await
                })
            });
            let (answers, ()) = tokio::join!(join_all(others), async {
                tokio::task::yield_now().await;
                release.send(()).unwrap();
            });
            answers
        };
        let (first, others) = tokio::join!(first, others);
        assert_eq!(first, Some(2));
        assert_eq!(others.into_iter().flatten().count(), 8);
    }

    #[tokio::test]
    async fn a_caller_who_goes_away_takes_nobody_along() {
        let gather = Gather::unbounded();
        {
            let mut gone = std::pin::pin!(gather.answer(1, doubled));
            let now = std::future::poll_fn(|context| Poll::Ready(gone.as_mut().poll(context)));
            assert!(now.await.is_pending());
        }
        assert_eq!(gather.answer(2, doubled).await, Some(4));
    }

    #[tokio::test]
    async fn a_question_that_fails_leaves_nobody_waiting() {
        let gather = Gather::<u32, u32>::unbounded();
        let calls = (0..3).map(|key| gather.answer(key, |_| async { vec![1] }));
        assert_eq!(join_all(calls).await, [Some(1), None, None]);
    }

    #[tokio::test]
    async fn a_question_is_no_part_of_the_work_of_any_caller() {
        let gather = Gather::unbounded();
        let id = || span::current(|_| ());
        let asked = async {
            assert!(id().is_some());
            gather.answer(1, move |_| async move { vec![id()] }).await
        };
        let (answer, calls) = recorded(asked).await;
        assert_eq!((answer, calls), (Some(None), Vec::new()));
    }
}
