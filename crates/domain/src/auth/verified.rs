//! Access tokens that this process has verified, so that each costs one signature check in its
//! life and afterwards one hash.

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use aws_lc_rs::digest;
use outrigger_kernel::{Role, Timestamp};

/// So many locks; a power of two.
const SHARDS: usize = 64;

/// What a verified token says.
#[derive(Debug)]
pub(super) struct Verified {
    pub(super) user: Arc<str>,
    pub(super) session: Arc<str>,
    /// The role when the token was signed.
    pub(super) role: Role,
    /// Of the key that signed it.
    pub(super) generation: u64,
    pub(super) expires: Timestamp,
    /// The key of the session in the cache.
    pub(super) cache_key: Box<str>,
}

/// The SHA-256 of a token: nobody can make another token with the same one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Fingerprint([u8; 32]);

impl Fingerprint {
    /// Of this token.
    pub(super) fn of(token: &str) -> Self {
        let mut bytes = [0; 32];
        bytes.copy_from_slice(digest::digest(&digest::SHA256, token.as_bytes()).as_ref());
        Self(bytes)
    }
}

/// Fingerprints are hashes already: takes their first bytes.
#[derive(Default)]
struct Prefix(u64);

impl Hasher for Prefix {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        if let Some(first) = bytes.first_chunk::<8>() {
            self.0 = u64::from_le_bytes(*first);
        }
    }

    fn write_usize(&mut self, _length: usize) {}
}

type Shard = HashMap<Fingerprint, Arc<Verified>, BuildHasherDefault<Prefix>>;

/// The verified tokens, at most so many, shared by the threads of a process.
pub(super) struct VerifiedTokens {
    shards: Box<[Mutex<Shard>]>,
    shard_max: usize,
}

impl std::fmt::Debug for VerifiedTokens {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("VerifiedTokens").field("shard_max", &self.shard_max).finish_non_exhaustive()
    }
}

impl VerifiedTokens {
    /// Room for about `capacity` tokens.
    pub(super) fn new(capacity: usize) -> Self {
        let shards = (0..SHARDS).map(|_| Mutex::default()).collect();
        Self { shards, shard_max: capacity.div_ceil(SHARDS).max(1) }
    }

    /// What the token says, if it was verified before and is still valid.
    pub(super) fn get(&self, token: &Fingerprint, now: Timestamp) -> Option<Arc<Verified>> {
        let mut shard = self.shard(token);
        let verified = shard.get(token)?;
        if now < verified.expires {
            return Some(verified.clone());
        }
        shard.remove(token);
        None
    }

    /// Remembers a token. When there is no room, what has expired is forgotten, then whatever.
    pub(super) fn put(&self, token: Fingerprint, verified: Arc<Verified>, now: Timestamp) {
        let mut shard = self.shard(&token);
        if shard.len() >= self.shard_max {
            shard.retain(|_, known| now < known.expires);
        }
        if shard.len() >= self.shard_max {
            let mut keep = self.shard_max / 2;
            shard.retain(|_, _| {
                let kept = keep > 0;
                keep = keep.saturating_sub(1);
                kept
            });
        }
        shard.insert(token, verified);
    }

    fn shard(&self, token: &Fingerprint) -> MutexGuard<'_, Shard> {
        // The map takes the first bytes, so the shard takes the last.
        let position = usize::from(token.0[31]) % SHARDS;
        self.shards[position].lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn verified(expires: i64) -> Arc<Verified> {
        Arc::new(Verified {
            user: "usr_1".into(),
            session: "ses_1".into(),
            role: Role::user(),
            generation: 1,
            expires: Timestamp::from_secs(expires),
            cache_key: "s:ses_1".into(),
        })
    }

    #[test]
    fn a_token_is_known_until_it_expires_and_no_other_is() {
        let tokens = VerifiedTokens::new(100);
        let (known, other) = (Fingerprint::of("a.b.c"), Fingerprint::of("a.b.d"));
        tokens.put(known, verified(10), Timestamp::from_secs(0));
        assert!(tokens.get(&known, Timestamp::from_secs(9)).is_some());
        assert!(tokens.get(&other, Timestamp::from_secs(9)).is_none());
        assert!(tokens.get(&known, Timestamp::from_secs(10)).is_none());
        assert!(tokens.get(&known, Timestamp::from_secs(9)).is_none(), "it was forgotten");
    }

    #[test]
    fn the_memory_is_bounded() {
        let tokens = VerifiedTokens::new(SHARDS * 4);
        let now = Timestamp::from_secs(0);
        for number in 0..10_000 {
            let token = Fingerprint::of(&number.to_string());
            tokens.put(token, verified(10), now);
            assert!(tokens.get(&token, now).is_some(), "the latest is always known");
        }
        let all: usize = tokens.shards.iter().map(|s| s.lock().unwrap().len()).sum();
        assert!(all <= SHARDS * 4, "{all}");
    }
}
