//! Refresh tokens: `ses_….<secret>`, of which the store keeps only hashes.
//!
//! The secret has two parts. One stays as long as the session and shows that the token was once
//! ours; the other changes with each use. So a token whose first part fits and whose second does
//! not is one that was used before, however long ago, and no list of old ones is needed. Who only
//! knows a session's id can end nothing.

use aws_lc_rs::{constant_time, digest};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use outrigger_kernel::{Random, id};

use crate::accounts::Session;

const FAMILY_BYTES: usize = 16;
const SECRET_BYTES: usize = 32;

/// A refresh token in its parts.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct RefreshToken {
    pub(super) session: String,
    family: [u8; FAMILY_BYTES],
    secret: [u8; SECRET_BYTES],
}

impl std::fmt::Debug for RefreshToken {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("RefreshToken").field("session", &self.session).finish_non_exhaustive()
    }
}

/// What a token is to a session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Standing {
    /// The one that may be used now.
    Current,
    /// One that was used before.
    Reused,
    /// Not one of this session.
    Foreign,
}

impl RefreshToken {
    /// The first token of a session.
    pub(super) fn first(session: &str, random: &dyn Random) -> Self {
        let mut token = Self {
            session: session.to_owned(),
            family: [0; FAMILY_BYTES],
            secret: [0; SECRET_BYTES],
        };
        random.fill(&mut token.family);
        random.fill(&mut token.secret);
        token
    }

    /// The token that replaces this one.
    pub(super) fn next(&self, random: &dyn Random) -> Self {
        let mut next = self.clone();
        random.fill(&mut next.secret);
        next
    }

    /// Reads a token; `None` when it is none.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let (session, secret) = text.split_once('.')?;
        if !(session.starts_with("ses_") && id::is_valid_name(session)) || secret.len() != 64 {
            return None;
        }
        let bytes = URL_SAFE_NO_PAD.decode(secret).ok()?;
        let (family, secret) = bytes.split_first_chunk::<FAMILY_BYTES>()?;
        Some(Self { session: session.to_owned(), family: *family, secret: secret.try_into().ok()? })
    }

    /// The text for the client.
    pub(super) fn text(&self) -> String {
        let secret = [&self.family[..], &self.secret[..]].concat();
        format!("{}.{}", self.session, URL_SAFE_NO_PAD.encode(secret))
    }

    /// The hash of the part that stays.
    pub(super) fn family_hash(&self) -> String {
        hash(&self.family)
    }

    /// The hash of the part that changes.
    pub(super) fn secret_hash(&self) -> String {
        hash(&self.secret)
    }

    /// What this token is to the session of the same id.
    pub(super) fn standing(&self, session: &Session) -> Standing {
        let fits = |a: &str, b: &str| {
            constant_time::verify_slices_are_equal(a.as_bytes(), b.as_bytes()).is_ok()
        };
        match (
            fits(&self.family_hash(), &session.family_hash),
            fits(&self.secret_hash(), &session.refresh_hash),
        ) {
            (true, true) => Standing::Current,
            (true, false) => Standing::Reused,
            (false, _) => Standing::Foreign,
        }
    }
}

/// A fast hash is enough: what is hashed are random bits, not words.
fn hash(secret: &[u8]) -> String {
    id::hex(digest::digest(&digest::SHA256, secret).as_ref())
}

#[cfg(test)]
mod tests {
    use super::*;
    use outrigger_kernel::SystemRandom;

    #[test]
    fn a_token_reads_back_and_shows_no_secret() {
        let token = RefreshToken::first("ses_01", &SystemRandom);
        let text = token.text();
        assert_eq!(RefreshToken::parse(&text), Some(token.clone()));
        assert!(!format!("{token:?}").contains(text.split_once('.').unwrap().1));
        assert_ne!(token.next(&SystemRandom).text(), text);
        assert_eq!(token.next(&SystemRandom).family_hash(), token.family_hash());
    }

    #[test]
    fn what_is_no_token_is_refused() {
        let secret = "A".repeat(64);
        for bad in [
            "",
            ".",
            "ses_1",
            "ses_1.",
            "ses_1.short",
            &format!("usr_1.{secret}"),
            &format!("ses_1.{}", "*".repeat(64)),
            &format!("ses_1.{secret}A"),
            &format!("ses_/../x.{secret}"),
            &format!("{}.{secret}", "ses_".repeat(40)),
        ] {
            assert_eq!(RefreshToken::parse(bad), None, "{bad}");
        }
    }
}
