//! `Idempotency-Key`: a request that creates something takes effect once, however often it comes.
//!
//! The answer is stored in the same batch as what was created, so there is no instant at which one
//! is there without the other. Two requests with the same key at the same time: one commits, the
//! other finds its answer.

use std::time::Duration;

use outrigger_kernel::{Clock, Ctx, Error, Result, Timestamp, id, limits};
use outrigger_ports::collection::{Collection, Entity};
use outrigger_ports::store::{Precondition, Write};
use serde::{Deserialize, Serialize};
use std::sync::Arc;

use crate::admission::network;
use crate::ports::Ports;

/// How long an answer is kept.
const KEPT_FOR: Duration = Duration::from_secs(24 * 3_600);

/// One request that carries a key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Keyed {
    id: String,
    fingerprint: String,
}

/// What was answered the first time.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Answer {
    /// The `ETag`, when there was one.
    pub etag: Option<String>,
    /// The `Location`, when there was one.
    pub location: Option<String>,
    /// The JSON body.
    #[serde(with = "as_it_is")]
    pub body: String,
}

/// Keeps a body within the document as the JSON that it is: as a text, with its quotes escaped, a
/// large one would no longer fit. Documents from before hold a text.
mod as_it_is {
    use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
    use serde_json::value::RawValue;

    pub(super) fn serialize<S: Serializer>(body: &str, serializer: S) -> Result<S::Ok, S::Error> {
        match serde_json::from_str::<&RawValue>(body) {
            // A text would be taken for one from before.
            Ok(raw) if !raw.get().starts_with('"') => raw.serialize(serializer),
            _ => body.serialize(serializer),
        }
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<String, D::Error> {
        let raw = Box::<RawValue>::deserialize(from)?;
        if raw.get().starts_with('"') {
            return serde_json::from_str(raw.get()).map_err(de::Error::custom);
        }
        Ok(Box::<str>::from(raw).into())
    }
}

#[derive(Debug, Serialize, Deserialize)]
struct Kept {
    fingerprint: String,
    answer: Answer,
    expires_at: Timestamp,
    /// Not answered yet: only what it creates has its id.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    begun: bool,
}

impl Entity for Kept {
    const COLLECTION: &'static str = "sys.idempotency";
    const NAME: &'static str = "idempotency key";

    fn expires_at(&self) -> Option<Timestamp> {
        Some(self.expires_at)
    }
}

/// Remembers answers by key.
#[derive(Clone, Debug)]
pub struct Idempotency {
    kept: Collection<Kept>,
    clock: Arc<dyn Clock>,
}

/// Lets a key pass.
///
/// # Errors
/// `invalid` when it is empty, too long, or not printable ASCII.
pub fn check_key(key: &str) -> Result<()> {
    let fits = (1..=limits::IDEMPOTENCY_KEY_BYTES_MAX).contains(&key.len());
    if fits && key.bytes().all(|b| b.is_ascii_graphic() || b == b' ') {
        return Ok(());
    }
    Err(Error::invalid(
        &["header", "Idempotency-Key"],
        "invalid_key",
        format!("1 to {} printable ASCII characters", limits::IDEMPOTENCY_KEY_BYTES_MAX),
    ))
}

impl Keyed {
    /// The request of this caller to do `operation` with this body under this key. Keys of
    /// different callers never meet.
    ///
    /// # Errors
    /// As [`check_key`].
    pub fn new(ctx: &Ctx, operation: &str, key: &str, body: &[u8]) -> Result<Self> {
        check_key(key)?;
        let caller = match (ctx.user_id(), ctx.address) {
            (Some(user), _) => user.to_owned(),
            (None, Some(address)) => network(address).to_string(),
            (None, None) => ctx.actor_id().to_owned(),
        };
        let id = digest(&[caller.as_bytes(), operation.as_bytes(), key.as_bytes()]);
        Ok(Self { id, fingerprint: digest(&[body]) })
    }
}

impl Idempotency {
    /// Answers kept in this store.
    pub fn new(ports: &Ports) -> Self {
        Self { kept: ports.collection(), clock: ports.clock.clone() }
    }

    /// The answer of the first such request, if there was one.
    ///
    /// # Errors
    /// `invalid` when the key was used with another body.
    pub async fn replay(&self, request: &Keyed) -> Result<Option<Answer>> {
        Ok(self.find(request).await?.filter(|kept| !kept.begun).map(|kept| kept.answer))
    }

    async fn find(&self, request: &Keyed) -> Result<Option<Kept>> {
        let Some(kept) = self.kept.find(&request.id).await? else { return Ok(None) };
        if kept.value.fingerprint != request.fingerprint {
            return Err(Error::invalid(
                &["header", "Idempotency-Key"],
                "key_reused",
                "this key was used before with another body; use a new one",
            ));
        }
        Ok(Some(kept.value))
    }

    /// The write that keeps the answer. When its precondition fails, another request with this key
    /// was quicker: [`Idempotency::replay`] then has its answer.
    pub fn keep(&self, request: &Keyed, answer: Answer) -> Result<Write> {
        self.put(request, answer, false, Precondition::Absent)
    }

    /// The id that an earlier such request has chosen for what it creates, if it has not been answered.
    ///
    /// # Errors
    /// `invalid` when the key was used with another body.
    pub async fn begun(&self, request: &Keyed) -> Result<Option<String>> {
        let kept = self.find(request).await?.filter(|kept| kept.begun);
        Ok(kept.and_then(|kept| kept.answer.location))
    }

    /// The write that keeps the id of what is about to be created where no batch of the store can
    /// create it. A repeated request goes on with it.
    pub fn begin(&self, request: &Keyed, id: &str) -> Result<Write> {
        let answer = Answer { etag: None, location: Some(id.to_owned()), body: String::new() };
        self.put(request, answer, true, Precondition::Absent)
    }

    /// The write that keeps the answer of a request that has begun.
    pub fn complete(&self, request: &Keyed, answer: Answer) -> Result<Write> {
        self.put(request, answer, false, Precondition::Any)
    }

    /// The write that forgets a request that has begun: it was refused.
    pub fn abandon(request: &Keyed) -> Write {
        Collection::<Kept>::delete(&request.id, Precondition::Any)
    }

    fn put(
        &self,
        request: &Keyed,
        answer: Answer,
        begun: bool,
        precondition: Precondition,
    ) -> Result<Write> {
        let expires_at = self.clock.now().plus(KEPT_FOR);
        let fingerprint = request.fingerprint.clone();
        Collection::put(&request.id, &Kept { fingerprint, answer, expires_at, begun }, precondition)
    }
}

/// SHA-256 over the parts, each behind its length, so that no two lists of parts look alike.
fn digest(parts: &[&[u8]]) -> String {
    let mut context = aws_lc_rs::digest::Context::new(&aws_lc_rs::digest::SHA256);
    for part in parts {
        context.update(&(part.len() as u64).to_be_bytes());
        context.update(part);
    }
    id::hex(context.finish().as_ref())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kept(body: &str) -> String {
        let answer = Answer { etag: None, location: None, body: body.to_owned() };
        serde_json::to_string(&answer).unwrap()
    }

    #[test]
    fn a_body_is_kept_as_it_is_and_those_from_before_can_be_read() {
        for body in
            ["{\"a\":[\"x\",1.0],\"b\":\"\\u00e9\"}", "null", "\"text\"", "", "no json", "\"half"]
        {
            let answer: Answer = serde_json::from_str(&kept(body)).unwrap();
            assert_eq!(answer.body, body);
        }
        assert!(kept("{\"a\":1}").contains("\"body\":{\"a\":1}"));
        let before = r#"{"etag":null,"location":"rec_1","body":"{\"a\":1}"}"#;
        assert_eq!(serde_json::from_str::<Answer>(before).unwrap().body, "{\"a\":1}");
    }
}
