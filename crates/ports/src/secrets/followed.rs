//! A URL with a password in it that is rotated while it is used.

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use outrigger_kernel::Secret;
use outrigger_kernel::secret::ExposeSecret as _;

use super::LiveSecret;

/// What a URL says of the way to a server.
pub trait Way {
    /// Whether both lead to the same place, whoever signs in there.
    fn leads_where(&self, other: &Self) -> bool;
}

/// A way that is followed as its URL changes: to the same place, as somebody else or with another
/// password. A URL of another place is not followed, or one process would have connections to two.
pub struct Followed<W> {
    url: Arc<dyn LiveSecret>,
    to: &'static str,
    known: Mutex<Known<W>>,
}

struct Known<W> {
    /// What was looked at last, whether it was followed or not.
    url: Secret,
    way: Arc<W>,
}

impl<W: Way> Followed<W> {
    /// The way that the URL says now. `to` is the server's name for the log, such as `PostgreSQL`.
    ///
    /// # Errors
    /// Those of `parse`.
    pub fn new<E>(
        url: Arc<dyn LiveSecret>,
        to: &'static str,
        parse: impl FnOnce(&Secret) -> Result<W, E>,
    ) -> Result<Self, E> {
        let known = url.current();
        let way = Arc::new(parse(&known)?);
        Ok(Self { url, to, known: Mutex::new(Known { url: known, way }) })
    }

    /// The way that is followed.
    pub fn way(&self) -> Arc<W> {
        Arc::clone(&self.lock().way)
    }

    /// What the URL says by now, when that has changed and was not given to [`Followed::follow`] yet.
    pub fn changed(&self) -> Option<Secret> {
        let url = self.url.current();
        (self.lock().url.expose_secret() != url.expose_secret()).then_some(url)
    }

    /// Takes the way that a changed URL says from now on; when that leads elsewhere, or the URL cannot
    /// be read, stays with the one that was and says so in the log.
    pub fn follow<E: fmt::Display>(&self, url: Secret, next: Result<W, E>) {
        let to = self.to;
        let mut known = self.lock();
        known.url = url;
        match next {
            Ok(next) if next.leads_where(&known.way) => known.way = Arc::new(next),
            Ok(_) => tracing::warn!(
                "the URL of {to} names another place now; it is not followed until this process is \
                 started again"
            ),
            Err(error) => {
                tracing::warn!(%error, "the new URL of {to} is of no use; the old one stays");
            }
        }
    }

    /// Who signed in was refused: has the URL looked up again, and says whether it is worth trying
    /// once more; see [`LiveSecret::renew`].
    pub async fn renew(&self) -> bool {
        self.url.renew().await
    }

    fn lock(&self) -> MutexGuard<'_, Known<W>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<W: fmt::Debug> fmt::Debug for Followed<W> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        f.debug_struct("Followed").field("way", &known.way).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use async_trait::async_trait;

    use super::*;

    #[derive(Debug)]
    struct Told(Mutex<Secret>);

    #[async_trait]
    impl LiveSecret for Told {
        fn current(&self) -> Secret {
            self.0.lock().unwrap().clone()
        }

        async fn renew(&self) -> bool {
            true
        }
    }

    #[derive(Debug, PartialEq)]
    struct Door {
        password: String,
        host: String,
    }

    impl Way for Door {
        fn leads_where(&self, other: &Self) -> bool {
            self.host == other.host
        }
    }

    fn parse(url: &Secret) -> Result<Door, String> {
        let (password, host) = url.expose_secret().split_once('@').ok_or("no password")?;
        Ok(Door { password: password.to_owned(), host: host.to_owned() })
    }

    #[test]
    fn another_password_is_followed_and_another_place_is_not() {
        let told = Arc::new(Told(Mutex::new("old@here".into())));
        let followed = Followed::new(told.clone(), "the server", parse).unwrap();
        for (next, password) in [
            ("old@here", "old"),
            ("old@there", "old"),
            ("new@there", "old"),
            ("of no form", "old"),
            ("new@here", "new"),
            ("newer@there", "new"),
        ] {
            *told.0.lock().unwrap() = next.into();
            if let Some(url) = followed.changed() {
                let way = parse(&url);
                followed.follow(url, way);
            }
            assert_eq!(followed.way().password, password, "{next}");
            assert!(followed.changed().is_none(), "{next} is looked at once");
        }
    }
}
