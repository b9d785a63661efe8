//! Counts what came of each try to prove who one is.

use outrigger_kernel::{Error, ErrorKind};

/// How somebody proves who they are.
#[derive(Clone, Copy, Debug)]
pub(super) enum Proof {
    /// E-mail address and password.
    Login,
    /// A refresh token.
    Refresh,
    /// An access token.
    Token,
}

impl Proof {
    fn name(self) -> &'static str {
        match self {
            Self::Login => "login",
            Self::Refresh => "refresh",
            Self::Token => "token",
        }
    }

    /// Counts the result.
    pub(super) fn count<T>(self, result: &Result<T, Error>) {
        let outcome = match result {
            Ok(_) => "ok",
            Err(error) => match error.kind() {
                ErrorKind::RateLimited => "throttled",
                ErrorKind::Unavailable => "unavailable",
                ErrorKind::Internal | ErrorKind::OutcomeUnknown => "failed",
                _ => error.code(),
            },
        };
        metrics::counter!(
            "outrigger_authentication_total", "action" => self.name(), "outcome" => outcome
        )
        .increment(1);
    }
}
