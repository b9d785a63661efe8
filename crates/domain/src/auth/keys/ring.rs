//! The key ring of a process, a picture of the one in the store.
//!
//! A new key is published for a while before it signs, so that all who keep a copy of the key set
//! know it by then. And whoever meets a token of a key it does not know reads the store once more;
//! the name of a key carries a mark that only holders of the master secret can make, so made-up
//! names cost no read.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use bytes::Bytes;
use jsonwebtoken::{DecodingKey, EncodingKey};
use outrigger_kernel::{Clock, Error, Random, Result, Timestamp};
use outrigger_ports::collection::{Collection, Stored};
use outrigger_ports::store::{Batch, Precondition, Write};
use serde_json::Value;
use tokio::sync::Mutex;

use super::document::{ID, RingDocument, StoredKey};
use super::pem;
use super::rsa::{PrivateKey, PublicKey};
use crate::auth::hash_pool::HashPool;
use crate::auth::settings::{AuthSettings, RsaBits, Signing};
use crate::vault::Vault;

/// Most keys whose tokens may still be valid.
const KEYS_MAX: usize = 16;
/// How long a key is published before it signs: longer than replicas (`key_refresh`, at most half
/// of it) and others (`Cache-Control` of the key set, 60 s) keep a copy.
pub(in crate::auth) const PUBLISHED_FOR: Duration = Duration::from_secs(180);
const MARK_BYTES: usize = 8;
const MARK: &str = "signing key";

/// The key that signs.
pub(in crate::auth) struct SigningKey {
    pub(in crate::auth) kid: String,
    pub(in crate::auth) key: EncodingKey,
}

/// A key whose tokens are accepted.
pub(in crate::auth) struct VerifyingKey {
    pub(in crate::auth) kid: String,
    pub(in crate::auth) generation: u64,
    pub(in crate::auth) key: DecodingKey,
}

/// What is known of the store's ring.
#[derive(Default)]
struct Picture {
    version: u64,
    /// When the store said so; `None` before the first time.
    read_at: Option<Timestamp>,
    newest: u64,
    /// The keys that sign, each from its time on, the oldest first.
    signing: Vec<(Timestamp, Arc<SigningKey>)>,
    published: Vec<Published>,
    jwks: Bytes,
}

/// A key that others may verify with, until a time.
#[derive(Clone)]
struct Published {
    not_after: Option<Timestamp>,
    key: Arc<VerifyingKey>,
    jwk: Value,
}

impl Published {
    fn is_live(&self, now: Timestamp) -> bool {
        self.not_after.is_none_or(|at| at > now)
    }
}

impl Picture {
    /// The key that signs at this time.
    fn signing_at(&self, now: Timestamp) -> Option<&Arc<SigningKey>> {
        self.signing.iter().rev().find(|(from, _)| *from <= now).map(|(_, key)| key)
    }

    /// Whether a key has to be retired by this time.
    fn is_outdated(&self, now: Timestamp) -> bool {
        self.published.iter().any(|key| !key.is_live(now))
    }

    /// What is left of it at this time: a retired key neither verifies nor is published.
    fn at(&self, now: Timestamp) -> Self {
        let live = self.published.iter().filter(|key| key.is_live(now)).cloned();
        let published: Vec<Published> = live.collect();
        Self {
            version: self.version,
            read_at: self.read_at,
            newest: self.newest,
            signing: self.signing.clone(),
            jwks: key_set(&published),
            published,
        }
    }
}

/// What a rotation does to the tokens of the keys before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::auth) enum Replaced {
    /// They stay valid until they expire.
    Accepted,
    /// They are refused: the key is in wrong hands.
    Refused,
}

/// What a rotation has made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RotatedKey {
    /// The name of the new key.
    pub kid: String,
    /// From when on it signs.
    pub signs_from: Timestamp,
    /// Until when tokens of the keys before are accepted; `None` when they are not.
    pub old_accepted_until: Option<Timestamp>,
}

/// The keys of a process, shared by its threads.
pub(in crate::auth) struct KeyRing {
    picture: RwLock<Arc<Picture>>,
    /// Held while the store is asked, so that threads ask once.
    asking: Mutex<()>,
    /// Tokens of older keys are refused even when they were verified before.
    oldest: AtomicU64,
    clock: Arc<dyn Clock>,
    random: Arc<dyn Random>,
    is_provided: bool,
}

impl std::fmt::Debug for KeyRing {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("KeyRing").field("is_provided", &self.is_provided).finish_non_exhaustive()
    }
}

/// What the ring works with in one call.
#[derive(Clone, Copy)]
pub(in crate::auth) struct Tools<'a> {
    pub(in crate::auth) documents: &'a Collection<RingDocument>,
    pub(in crate::auth) settings: &'a AuthSettings,
    pub(in crate::auth) vault: &'a Vault,
    pub(in crate::auth) pool: &'a HashPool,
}

impl KeyRing {
    /// A ring that knows nothing yet, or only the keys that the operator gave.
    pub(in crate::auth) fn new(
        settings: &AuthSettings,
        clock: Arc<dyn Clock>,
        random: Arc<dyn Random>,
    ) -> Result<Self> {
        let (picture, is_provided) = match &settings.signing {
            Signing::Stored => (Picture::default(), false),
            Signing::Provided(pems) => (provided(pems)?, true),
        };
        Ok(Self {
            picture: RwLock::new(Arc::new(picture)),
            asking: Mutex::new(()),
            oldest: AtomicU64::new(0),
            clock,
            random,
            is_provided,
        })
    }

    /// Whether tokens of this generation of keys are still accepted. Costs one atomic read.
    pub(in crate::auth) fn accepts(&self, generation: u64) -> bool {
        generation >= self.oldest.load(Ordering::Relaxed)
    }

    /// The key that signs; generated if there is none.
    pub(in crate::auth) async fn signing(&self, tools: Tools<'_>) -> Result<Arc<SigningKey>> {
        let picture = self.fresh(tools).await?;
        let key = picture.signing_at(self.clock.now()).cloned();
        key.ok_or_else(|| Error::internal("there is no signing key"))
    }

    /// Reads the keys that are there; makes none.
    pub(in crate::auth) async fn load(&self, tools: Tools<'_>) -> Result<()> {
        if !self.is_provided {
            let _asking = self.asking.lock().await;
            self.read(tools).await?;
        }
        Ok(())
    }

    /// The key set for publishing (RFC 7517), as JSON.
    pub(in crate::auth) async fn jwks(&self, tools: Tools<'_>) -> Result<Bytes> {
        let known = self.picture();
        match self.fresh(tools).await {
            Ok(picture) => Ok(picture.jwks.clone()),
            // Better what was right a while ago than nothing.
            Err(_) if known.read_at.is_some() => Ok(known.at(self.clock.now()).jwks),
            Err(error) => Err(error),
        }
    }

    /// The key with this name, if its tokens are accepted.
    pub(in crate::auth) async fn verifying(
        &self,
        kid: &str,
        tools: Tools<'_>,
    ) -> Result<Option<Arc<VerifyingKey>>> {
        let now = self.clock.now();
        let find = |picture: &Picture| {
            let mut live = picture.published.iter().filter(|known| known.is_live(now));
            live.find(|known| known.key.kid == kid).map(|known| known.key.clone())
        };
        let picture = self.picture();
        if let Some(key) = find(&picture) {
            return Ok(Some(key));
        }
        if self.is_provided || !is_newer(kid, &picture, tools.vault) {
            return Ok(None);
        }
        let _asking = self.asking.lock().await;
        let picture = self.picture();
        if !is_newer(kid, &picture, tools.vault) {
            return Ok(find(&picture));
        }
        let picture = self.read(tools).await?;
        Ok(find(&picture))
    }

    /// Puts a new key that signs once everybody knows it, or at once when the keys before are
    /// refused.
    ///
    /// # Errors
    /// `keys_provided` when the operator gives the keys; `too_many_keys` after many rotations in
    /// a short time.
    pub(in crate::auth) async fn rotate(
        &self,
        tools: Tools<'_>,
        replaced: Replaced,
        record: impl Fn(&str) -> Result<Write>,
    ) -> Result<RotatedKey> {
        if self.is_provided {
            return Err(Error::conflict(
                "keys_provided",
                "the signing keys are given by configuration; put a new one first there",
            ));
        }
        let _asking = self.asking.lock().await;
        let private = self.generate(tools).await?;
        let ring = tools.documents.find(ID).await?;
        let (ring, precondition) = match ring {
            Some(stored) => (stored.value, Precondition::Version(stored.version)),
            None => (RingDocument::default(), Precondition::Absent),
        };
        let (ring, rotated) = self.succeed(ring, &private, replaced, tools)?;
        let put = Collection::put(ID, &ring, precondition)?;
        let batch = Batch::of([put, record(&rotated.kid)?]);
        tools.documents.store().commit(batch).await?;
        self.read(tools).await?;
        Ok(rotated)
    }

    fn picture(&self) -> Arc<Picture> {
        self.picture.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// A picture that is recent enough to sign by, and has a key.
    async fn fresh(&self, tools: Tools<'_>) -> Result<Arc<Picture>> {
        let is_fresh = |picture: &Picture| {
            self.is_provided
                || !picture.signing.is_empty()
                    && !picture.is_outdated(self.clock.now())
                    && picture
                        .read_at
                        .is_some_and(|at| self.clock.now().since(at) < tools.settings.key_refresh)
        };
        let picture = self.picture();
        if is_fresh(&picture) {
            return Ok(picture);
        }
        let _asking = self.asking.lock().await;
        let picture = self.picture();
        if is_fresh(&picture) {
            return Ok(picture);
        }
        let picture = self.read(tools).await?;
        if !picture.signing.is_empty() {
            return Ok(picture);
        }
        self.create_first(tools).await?;
        self.read(tools).await
    }

    /// The first key of all. When another process is quicker, its key is the one.
    async fn create_first(&self, tools: Tools<'_>) -> Result<()> {
        let private = self.generate(tools).await?;
        let (ring, _) =
            self.succeed(RingDocument::default(), &private, Replaced::Accepted, tools)?;
        let put = Collection::put(ID, &ring, Precondition::Absent)?;
        match tools.documents.store().commit(Batch::of([put])).await.map_err(Error::from) {
            Err(error) if error.code() != "concurrent_change" => Err(error),
            _ => Ok(()),
        }
    }

    async fn generate(&self, tools: Tools<'_>) -> Result<PrivateKey> {
        let bits: RsaBits = tools.settings.rsa_bits;
        tools.pool.run(move |_| PrivateKey::generate(bits)).await?
    }

    /// The ring after `private` has taken over.
    fn succeed(
        &self,
        mut ring: RingDocument,
        private: &PrivateKey,
        replaced: Replaced,
        tools: Tools<'_>,
    ) -> Result<(RingDocument, RotatedKey)> {
        let now = self.clock.now();
        let settings = tools.settings;
        let generation = ring.keys.last().map_or(0, |key| key.generation) + 1;
        ring.keys.retain(|key| key.not_after.is_none_or(|at| at > now));
        if replaced == Replaced::Refused {
            ring.keys.clear();
        }
        // A key that has not signed yet gives way to the new one.
        ring.keys.retain(|key| key.signs_from <= now);
        let signs_from = if ring.keys.is_empty() { now } else { now.plus(PUBLISHED_FOR) };
        // A replica signs with the key before until its own clock says otherwise.
        let until = signs_from.plus(settings.access_token_life).plus(settings.clock_leeway);
        let count = ring.keys.len();
        for (position, key) in ring.keys.iter_mut().enumerate() {
            if position + 1 < count {
                key.sealed = None;
            } else {
                key.not_after = Some(until);
            }
        }
        if ring.keys.len() >= KEYS_MAX {
            return Err(Error::conflict(
                "too_many_keys",
                format!("tokens of {KEYS_MAX} keys are valid; wait until some have expired"),
            ));
        }
        let kid = name(generation, tools.vault);
        let public = private.public()?;
        ring.keys.push(StoredKey {
            generation,
            created_at: now,
            signs_from,
            not_after: None,
            n: public.n,
            e: public.e,
            sealed: Some(tools.vault.seal(&kid, private.pkcs1(), &*self.random)?),
            kid: kid.clone(),
        });
        let old_accepted_until = (count > 0).then_some(until);
        Ok((ring, RotatedKey { kid, signs_from, old_accepted_until }))
    }

    /// Asks the store, and remembers what it says.
    async fn read(&self, tools: Tools<'_>) -> Result<Arc<Picture>> {
        let now = self.clock.now();
        let known = self.picture();
        let picture = match tools.documents.find(ID).await? {
            None => Picture { read_at: Some(now), ..Picture::default() },
            Some(stored) if stored.version == known.version => {
                Picture { read_at: Some(now), ..known.at(now) }
            }
            Some(stored) => picture_of(&stored, now, tools.vault)?,
        };
        let oldest = picture.published.iter().map(|known| known.key.generation).min().unwrap_or(0);
        let picture = Arc::new(picture);
        *self.picture.write().unwrap_or_else(PoisonError::into_inner) = picture.clone();
        self.oldest.store(oldest, Ordering::Relaxed);
        Ok(picture)
    }
}

/// The name of a key: its generation and a mark on it.
fn name(generation: u64, vault: &Vault) -> String {
    let generation = generation.to_string();
    format!("key_{generation}_{}", vault.mark(MARK, &generation, MARK_BYTES))
}

/// Whether this is the name of a real key that is not in the picture because it is newer.
fn is_newer(kid: &str, picture: &Picture, vault: &Vault) -> bool {
    let parts = kid.strip_prefix("key_").and_then(|rest| rest.split_once('_'));
    let Some((generation, mark)) = parts else { return false };
    let is_later = generation.parse::<u64>().is_ok_and(|number| number > picture.newest);
    is_later && vault.is_mark(MARK, generation, mark, MARK_BYTES)
}

fn picture_of(stored: &Stored<RingDocument>, now: Timestamp, vault: &Vault) -> Result<Picture> {
    let keys = &stored.value.keys;
    let mut picture = Picture {
        version: stored.version,
        read_at: Some(now),
        newest: keys.last().map_or(0, |key| key.generation),
        ..Picture::default()
    };
    for key in keys.iter().rev().filter(|key| key.not_after.is_none_or(|at| at > now)) {
        let public = PublicKey { n: key.n.clone(), e: key.e.clone() };
        let verifying = VerifyingKey {
            kid: key.kid.clone(),
            generation: key.generation,
            key: public.decoding()?,
        };
        picture.published.push(Published {
            not_after: key.not_after,
            jwk: public.jwk(&key.kid),
            key: Arc::new(verifying),
        });
        if let Some(sealed) = &key.sealed {
            let private = unseal(vault, &key.kid, sealed)?.encoding();
            let signing = SigningKey { kid: key.kid.clone(), key: private };
            picture.signing.push((key.signs_from, Arc::new(signing)));
        }
    }
    picture.signing.reverse();
    picture.jwks = key_set(&picture.published);
    Ok(picture)
}

fn unseal(vault: &Vault, kid: &str, sealed: &str) -> Result<PrivateKey> {
    let plain = vault.open(kid, sealed).and_then(|der| PrivateKey::from_pkcs1(&der));
    plain.ok_or_else(|| {
        Error::internal(
            "the signing key in the database was encrypted with another secret than this \
             process has; give all replicas the secret of the first start",
        )
    })
}

fn provided(pems: &[outrigger_kernel::Secret]) -> Result<Picture> {
    let mut picture = Picture::default();
    for pem in pems {
        let private = pem::read(pem)?;
        let public = private.public()?;
        let kid = public.thumbprint()?;
        let key = VerifyingKey { kid: kid.clone(), generation: 0, key: public.decoding()? };
        let (jwk, key) = (public.jwk(&kid), Arc::new(key));
        picture.published.push(Published { not_after: None, key, jwk });
        if picture.signing.is_empty() {
            let signing = SigningKey { kid, key: private.encoding() };
            picture.signing.push((Timestamp::default(), Arc::new(signing)));
        }
    }
    if picture.signing.is_empty() {
        return Err(Error::invalid(
            &["auth", "signing_keys"],
            "signing_key",
            "at least one signing key must be given",
        ));
    }
    picture.jwks = key_set(&picture.published);
    Ok(picture)
}

fn key_set(published: &[Published]) -> Bytes {
    let keys: Vec<&Value> = published.iter().map(|known| &known.jwk).collect();
    serde_json::json!({ "keys": keys }).to_string().into()
}
