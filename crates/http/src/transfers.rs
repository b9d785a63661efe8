//! How many files go up and down at once in the process, and how slowly.
//!
//! They take long, so they have places of their own: however many there are, other requests are served.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv4Addr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use outrigger_domain::admission;
use outrigger_kernel::{Ctx, Error, ErrorKind, Result};

/// A client's rate is looked at each time it has been waited for so long.
const WINDOW: Duration = Duration::from_secs(60);
/// One caller gets at most one of so many places.
const CALLERS: usize = 4;
/// When a place may be free again.
const RETRY_AFTER: Duration = Duration::from_secs(5);

/// What bounds files that go up or down.
#[derive(Clone, Copy, Debug)]
pub struct TransferBounds {
    /// Uploads at once.
    pub uploads_max: usize,
    /// Downloads at once.
    pub downloads_max: usize,
    /// Who sends or takes fewer bytes in a second, over a minute, is given up. 0: nobody is.
    pub bytes_per_s_min: u64,
}

/// The files that go up and down now; shared by the threads of the process.
#[derive(Debug)]
pub struct Transfers {
    uploads: Arc<Places>,
    downloads: Arc<Places>,
    bytes_per_s_min: u64,
}

impl Transfers {
    /// None yet.
    pub fn new(bounds: TransferBounds) -> Self {
        Self {
            uploads: Arc::new(Places::new("uploads", bounds.uploads_max)),
            downloads: Arc::new(Places::new("downloads", bounds.downloads_max)),
            bytes_per_s_min: bounds.bytes_per_s_min,
        }
    }

    /// A place for an upload of this caller.
    ///
    /// # Errors
    /// `rate_limited` when the caller has too many, `unavailable` when the process has.
    pub(crate) fn upload(&self, ctx: &Ctx) -> Result<Place> {
        self.uploads.enter(ctx)
    }

    /// A place for a download of this caller.
    ///
    /// # Errors
    /// As [`Transfers::upload`].
    pub(crate) fn download(&self, ctx: &Ctx) -> Result<Place> {
        self.downloads.enter(ctx)
    }

    /// How many uploads, and how many downloads, there are now.
    pub fn counts(&self) -> (usize, usize) {
        (self.uploads.taken().all, self.downloads.taken().all)
    }

    /// The measure of one transfer.
    pub(crate) fn pace(&self) -> Pace {
        Pace { bytes_per_s_min: self.bytes_per_s_min, bytes: 0, waited: Duration::ZERO }
    }
}

#[derive(Debug)]
struct Places {
    what: &'static str,
    max: usize,
    max_of_caller: usize,
    taken: Mutex<Taken>,
}

#[derive(Debug, Default)]
struct Taken {
    all: usize,
    by_caller: HashMap<String, usize>,
}

impl Places {
    fn new(what: &'static str, max: usize) -> Self {
        Self { what, max, max_of_caller: max.div_ceil(CALLERS), taken: Mutex::default() }
    }

    fn taken(&self) -> MutexGuard<'_, Taken> {
        self.taken.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn enter(self: &Arc<Self>, ctx: &Ctx) -> Result<Place> {
        let address = ctx.address.unwrap_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED));
        let caller = admission::caller(&ctx.actor, address);
        let mut taken = self.taken();
        if taken.by_caller.get(&caller).is_some_and(|of_caller| *of_caller >= self.max_of_caller) {
            let (most, what) = (self.max_of_caller, self.what);
            let message = format!("a caller may have {most} {what} at once; let one of yours end");
            let kind = ErrorKind::RateLimited;
            return Err(Error::new(kind, "too_many_transfers", message).retry_in(RETRY_AFTER));
        }
        if taken.all >= self.max {
            metrics::counter!("outrigger_http_requests_shed_total").increment(1);
            let (most, what) = (self.max, self.what);
            let message = format!("the server has {most} {what} at once, as many as it takes");
            return Err(Error::unavailable("too_many_transfers", message).retry_in(RETRY_AFTER));
        }
        taken.all += 1;
        *taken.by_caller.entry(caller.clone()).or_default() += 1;
        drop(taken);
        Ok(Place { places: self.clone(), caller })
    }
}

/// The place of one transfer; given back when dropped.
#[derive(Debug)]
pub(crate) struct Place {
    places: Arc<Places>,
    caller: String,
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut taken = self.places.taken();
        taken.all -= 1;
        if let Some(of_caller) = taken.by_caller.get_mut(&self.caller) {
            *of_caller -= 1;
            if *of_caller == 0 {
                taken.by_caller.remove(&self.caller);
            }
        }
    }
}

/// How fast a client is, over the time in which it was waited for: what the server itself needs does not
/// count against it.
#[derive(Debug)]
pub(crate) struct Pace {
    bytes_per_s_min: u64,
    bytes: u64,
    waited: Duration,
}

impl Pace {
    /// Counts what went on after this wait.
    ///
    /// # Errors
    /// `request_timeout` when it was too little over the last minute of waiting.
    pub(crate) fn count(&mut self, bytes: usize, waited: Duration) -> Result<()> {
        self.bytes += bytes as u64;
        self.waited += waited;
        if self.waited < WINDOW {
            return Ok(());
        }
        let least = self.bytes_per_s_min.saturating_mul(self.waited.as_secs());
        let is_enough = self.bytes >= least;
        (self.bytes, self.waited) = (0, Duration::ZERO);
        if is_enough {
            return Ok(());
        }
        let least = self.bytes_per_s_min;
        let message = format!("less than {least} bytes in a second, over the last minute");
        Err(Error::new(ErrorKind::RequestTimeout, "too_slow", message))
    }
}

#[cfg(test)]
mod tests {
    use outrigger_kernel::{Actor, Role};

    use super::*;

    fn user(id: &str) -> Ctx {
        let (role, session) = (Role::user(), "ses_1".into());
        Ctx { actor: Actor::User { id: id.into(), role, session }, ..Ctx::system("test") }
    }

    fn transfers(bytes_per_s_min: u64) -> Transfers {
        Transfers::new(TransferBounds { uploads_max: 8, downloads_max: 1, bytes_per_s_min })
    }

    #[test]
    fn places_are_bounded_for_all_and_for_each() {
        let transfers = transfers(0);
        let enter = |id: &str| transfers.upload(&user(id));
        let mut held: Vec<Place> =
            ["a", "a", "b", "b", "c", "c", "d"].iter().map(|id| enter(id).unwrap()).collect();
        let refused = enter("a").unwrap_err();
        assert_eq!(refused.kind(), ErrorKind::RateLimited);
        assert!(refused.message().contains("2 uploads"), "{refused}");
        held.push(enter("d").unwrap());
        let refused = enter("e").unwrap_err();
        assert_eq!(refused.kind(), ErrorKind::Unavailable);
        assert!(refused.message().contains("8 uploads"), "{refused}");
        assert_eq!(refused.retry_after(), Some(RETRY_AFTER));
        // Downloads have others.
        let down = transfers.download(&user("a")).unwrap();
        assert!(transfers.download(&user("e")).unwrap_err().message().contains("1 downloads"));
        assert_eq!(transfers.counts(), (8, 1));
        drop((held.remove(0), down));
        held.push(enter("e").unwrap());
        drop(held);
        transfers.download(&user("a")).unwrap();
        assert!(transfers.uploads.taken().by_caller.is_empty());
        assert_eq!(transfers.counts(), (0, 0));
    }

    #[test]
    fn a_client_is_given_up_for_a_slow_minute_of_waiting() {
        let second = Duration::from_secs(1);
        let mut pace = transfers(100).pace();
        // Nothing is said of the first minute before it is over, and each has to be fast enough.
        for (bytes, seconds, is_enough) in [
            (0, 59, true),
            (6_000, 1, true),
            (1_000_000, 0, true),
            (0, 60, true),
            (5_999, 60, false),
            (12_000, 120, true),
            (1, 29, true),
            (1, 29, true),
            (1, 29, false),
        ] {
            let kept = pace.count(bytes, second * seconds);
            assert_eq!(kept.is_ok(), is_enough, "{bytes} in {seconds} s");
        }
        assert!(transfers(0).pace().count(0, second * 3_600).is_ok());
    }
}
