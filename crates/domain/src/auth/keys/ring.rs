//! The key ring of a process, a picture of the one in the store.
//!
//! A key may sign as soon as it is in the store: whoever meets a token of a key it does not know
//! reads the store once more. The name of a key carries a mark that only holders of the master
//! secret can make, so made-up names cost no read.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, PoisonError, RwLock};

use bytes::Bytes;
use jsonwebtoken::{DecodingKey, EncodingKey};
use outrigger_kernel::{Clock, Error, Random, Result, Timestamp};
use outrigger_ports::collection::{Collection, Stored};
use outrigger_ports::store::{Batch, Precondition, Write};
use tokio::sync::Mutex;

use super::document::{ID, RingDocument, StoredKey};
use super::pem;
use super::rsa::{PrivateKey, PublicKey};
use crate::auth::hash_pool::HashPool;
use crate::auth::settings::{AuthSettings, RsaBits, Signing};
use crate::auth::vault::Vault;

/// Most keys whose tokens may still be valid.
const KEYS_MAX: usize = 16;
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
    signing: Option<Arc<SigningKey>>,
    verifying: Vec<Arc<VerifyingKey>>,
    jwks: Bytes,
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
    /// The name of the key that signs from now on.
    pub kid: String,
    /// Until when tokens of the key before are accepted; `None` when they are not.
    pub accepted_until: Option<Timestamp>,
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
        picture.signing.clone().ok_or_else(|| Error::internal("there is no signing key"))
    }

    /// The key set for publishing (RFC 7517), as JSON.
    pub(in crate::auth) async fn jwks(&self, tools: Tools<'_>) -> Result<Bytes> {
        let known = self.picture();
        match self.fresh(tools).await {
            Ok(picture) => Ok(picture.jwks.clone()),
            // Better what was right a while ago than nothing.
            Err(_) if known.read_at.is_some() => Ok(known.jwks.clone()),
            Err(error) => Err(error),
        }
    }

    /// The key with this name, if its tokens are accepted.
    pub(in crate::auth) async fn verifying(
        &self,
        kid: &str,
        tools: Tools<'_>,
    ) -> Result<Option<Arc<VerifyingKey>>> {
        let find = |picture: &Picture| picture.verifying.iter().find(|k| k.kid == kid).cloned();
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

    /// Puts a new key that signs from now on.
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
                || picture.signing.is_some()
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
        if picture.signing.is_some() {
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
        // A replica may sign with the key before until it looks at the store again.
        let until = now
            .plus(settings.access_token_life)
            .plus(settings.key_refresh)
            .plus(settings.clock_leeway);
        let generation = ring.keys.last().map_or(0, |key| key.generation) + 1;
        ring.keys.retain(|key| key.not_after.is_none_or(|at| at > now));
        if replaced == Replaced::Refused {
            ring.keys.clear();
        }
        for key in &mut ring.keys {
            key.sealed = None;
            key.not_after.get_or_insert(until);
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
            not_after: None,
            n: public.n,
            e: public.e,
            sealed: Some(tools.vault.seal(&kid, private.pkcs1(), &*self.random)?),
            kid: kid.clone(),
        });
        let accepted_until = (ring.keys.len() > 1).then_some(until);
        Ok((ring, RotatedKey { kid, accepted_until }))
    }

    /// Asks the store, and remembers what it says.
    async fn read(&self, tools: Tools<'_>) -> Result<Arc<Picture>> {
        let now = self.clock.now();
        let known = self.picture();
        let picture = match tools.documents.find(ID).await? {
            None => Picture { read_at: Some(now), ..Picture::default() },
            Some(stored) if stored.version == known.version => Picture {
                version: known.version,
                read_at: Some(now),
                newest: known.newest,
                signing: known.signing.clone(),
                verifying: known.verifying.clone(),
                jwks: known.jwks.clone(),
            },
            Some(stored) => picture_of(&stored, now, tools.vault)?,
        };
        let oldest = picture.verifying.iter().map(|key| key.generation).min().unwrap_or(0);
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
    let mut published = Vec::new();
    for key in keys.iter().rev().filter(|key| key.not_after.is_none_or(|at| at > now)) {
        let public = PublicKey { n: key.n.clone(), e: key.e.clone() };
        published.push(public.jwk(&key.kid));
        picture.verifying.push(Arc::new(VerifyingKey {
            kid: key.kid.clone(),
            generation: key.generation,
            key: public.decoding()?,
        }));
        if let Some(sealed) = key.sealed.as_ref().filter(|_| picture.signing.is_none()) {
            picture.signing = Some(Arc::new(SigningKey {
                kid: key.kid.clone(),
                key: unseal(vault, &key.kid, sealed)?.encoding(),
            }));
        }
    }
    picture.jwks = key_set(&published);
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
    let mut published = Vec::new();
    for pem in pems {
        let private = pem::read(pem)?;
        let public = private.public()?;
        let kid = public.thumbprint()?;
        published.push(public.jwk(&kid));
        let key = public.decoding()?;
        picture.verifying.push(Arc::new(VerifyingKey { kid: kid.clone(), generation: 0, key }));
        if picture.signing.is_none() {
            let key = private.encoding();
            picture.signing = Some(Arc::new(SigningKey { kid, key }));
        }
    }
    if picture.signing.is_none() {
        return Err(Error::invalid(
            &["auth", "signing_keys"],
            "signing_key",
            "at least one signing key must be given",
        ));
    }
    picture.jwks = key_set(&published);
    Ok(picture)
}

fn key_set(keys: &[serde_json::Value]) -> Bytes {
    serde_json::json!({ "keys": keys }).to_string().into()
}
