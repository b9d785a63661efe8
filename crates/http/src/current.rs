//! The request that this thread works on right now, for log lines from deep inside.
//!
//! As cheap as can be: a future sets a pointer each time that it is polled, and takes it back when
//! the poll ends. No span, no allocation.

use std::cell::RefCell;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use crate::request_info::RequestInfo;

thread_local! {
    static CURRENT: RefCell<Option<Arc<RequestInfo>>> = const { RefCell::new(None) };
}

/// What `look` makes of the request that this thread works on; `None` when it works on none.
pub fn current<T>(look: impl FnOnce(&RequestInfo) -> T) -> Option<T> {
    CURRENT.with(|current| current.try_borrow().ok()?.as_deref().map(look))
}

/// A future that is work on a request. It is pinned as a whole, so the inner one must be `Unpin`.
#[derive(Debug)]
pub(crate) struct Working<F> {
    /// Taken out while it is polled.
    info: Option<Arc<RequestInfo>>,
    inner: F,
}

impl<F> Working<F> {
    /// `inner` is work on this request.
    pub(crate) fn on(info: Arc<RequestInfo>, inner: F) -> Self {
        Self { info: Some(info), inner }
    }
}

impl<F: Future + Unpin> Future for Working<F> {
    type Output = F::Output;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<F::Output> {
        let this = &mut *self;
        let _entered = Entered::new(&mut this.info);
        Pin::new(&mut this.inner).poll(context)
    }
}

/// While this lives, the request is the current one; also a panic ends that.
struct Entered<'a> {
    slot: &'a mut Option<Arc<RequestInfo>>,
}

impl<'a> Entered<'a> {
    fn new(slot: &'a mut Option<Arc<RequestInfo>>) -> Self {
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
    use std::pin::pin;

    fn info(id: &str) -> Arc<RequestInfo> {
        Arc::new(RequestInfo::new(id.into(), [127, 0, 0, 1].into(), None))
    }

    fn id() -> Option<String> {
        current(|info| info.request_id.to_string())
    }

    async fn work() -> [Option<String>; 2] {
        let before = id();
        tokio::task::yield_now().await;
        [before, id()]
    }

    #[tokio::test]
    async fn each_request_is_the_current_one_while_it_is_worked_on() {
        let (one, two) = (pin!(work()), pin!(work()));
        let both =
            futures_util::future::join(Working::on(info("1"), one), Working::on(info("2"), two));
        let (one, two) = both.await;
        assert_eq!(one, [Some("1".to_owned()), Some("1".to_owned())]);
        assert_eq!(two, [Some("2".to_owned()), Some("2".to_owned())]);
        assert_eq!(id(), None);
    }
}
