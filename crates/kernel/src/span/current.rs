//! What this thread works on right now, for log lines and spans from deep inside.
//!
//! As cheap as can be: a future sets a pointer each time that it is polled, and takes it back when
//! the poll ends. No allocation.

use std::cell::RefCell;
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use super::Recording;
use crate::trace::TraceParent;

/// A request or a task.
pub trait Work: fmt::Debug + Send + Sync {
    /// Tells the names and ids that its log lines carry: letters, digits, `.`, `-` and `_` only.
    fn ids(&self, tell: &mut dyn FnMut(&'static str, &str));

    /// The trace that it belongs to, if any.
    fn trace(&self) -> Option<&TraceParent>;

    /// Where its spans go, if it is recorded.
    fn recording(&self) -> Option<&Arc<Recording>>;
}

thread_local! {
    static CURRENT: RefCell<Option<Arc<dyn Work>>> = const { RefCell::new(None) };
}

/// What `look` makes of what this thread works on; `None` when it works on nothing.
pub fn current<T>(look: impl FnOnce(&dyn Work) -> T) -> Option<T> {
    CURRENT.with(|current| current.try_borrow().ok()?.as_deref().map(look))
}

/// A future that is work on something. It is pinned as a whole, so the inner one must be `Unpin`.
#[derive(Debug)]
pub struct Working<F> {
    /// Taken out while it is polled.
    work: Option<Arc<dyn Work>>,
    inner: F,
}

impl<F> Working<F> {
    /// `inner` is part of this work.
    pub fn on(work: Arc<dyn Work>, inner: F) -> Self {
        Self { work: Some(work), inner }
    }
}

impl<F: Future + Unpin> Future for Working<F> {
    type Output = F::Output;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<F::Output> {
        let this = &mut *self;
        let _entered = Entered::new(&mut this.work);
        Pin::new(&mut this.inner).poll(context)
    }
}

/// While this lives, the work is the current one; also a panic ends that.
struct Entered<'a> {
    slot: &'a mut Option<Arc<dyn Work>>,
}

impl<'a> Entered<'a> {
    fn new(slot: &'a mut Option<Arc<dyn Work>>) -> Self {
        CURRENT.with(|current| std::mem::swap(&mut *current.borrow_mut(), slot));
        Self { slot }
    }
}

impl Drop for Entered<'_> {
    fn drop(&mut self) {
        CURRENT.with(|current| std::mem::swap(&mut *current.borrow_mut(), self.slot));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::task::Waker;

    #[derive(Debug)]
    struct Named(&'static str);

    impl Work for Named {
        fn ids(&self, tell: &mut dyn FnMut(&'static str, &str)) {
            tell("request.id", self.0);
        }

        fn trace(&self) -> Option<&TraceParent> {
            None
        }

        fn recording(&self) -> Option<&Arc<Recording>> {
            None
        }
    }

    fn id() -> Option<String> {
        let mut id = String::new();
        current(|work| work.ids(&mut |_, text| id.push_str(text))).map(|()| id)
    }

    /// Pending once.
    async fn give_way() {
        let mut given = false;
        std::future::poll_fn(|_| match std::mem::replace(&mut given, true) {
            true => Poll::Ready(()),
            false => Poll::Pending,
        })
        .await;
    }

    async fn work() -> [Option<String>; 2] {
        let before = id();
        give_way().await;
        [before, id()]
    }

    #[test]
    fn each_work_is_the_current_one_while_it_is_worked_on() {
        let mut one = Working::on(Arc::new(Named("1")), Box::pin(work()));
        let mut two = Working::on(Arc::new(Named("2")), Box::pin(work()));
        let mut context = Context::from_waker(Waker::noop());
        assert!(Pin::new(&mut one).poll(&mut context).is_pending());
        assert!(Pin::new(&mut two).poll(&mut context).is_pending());
        let twice = |id: &str| Poll::Ready([Some(id.to_owned()), Some(id.to_owned())]);
        assert_eq!(Pin::new(&mut one).poll(&mut context), twice("1"));
        assert_eq!(Pin::new(&mut two).poll(&mut context), twice("2"));
        assert_eq!(id(), None);
    }
}
