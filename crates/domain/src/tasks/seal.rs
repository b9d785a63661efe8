//! Payloads that are encrypted wherever they are kept.

use std::borrow::Cow;

use outrigger_kernel::{Error, Random, Result, Secret};
use outrigger_ports::queue::Task;
use serde_json::value::{RawValue, to_raw_value};

use super::kind::Kind;
use crate::vault::Vault;

/// Encrypts payloads with a key made of the master secret (AES-256-GCM), each for its task only.
#[derive(Debug)]
pub struct Sealer {
    vault: Vault,
    /// Those of all kinds, not only of those that ask for it.
    all: bool,
}

impl Sealer {
    /// With the key of this secret.
    ///
    /// # Errors
    /// `internal` when no key can be derived.
    pub fn new(master: &Secret, all: bool) -> Result<Self> {
        Ok(Self { vault: Vault::new(master)?, all })
    }

    /// Whether payloads of this kind are encrypted.
    pub(super) fn seals(&self, kind: &Kind) -> bool {
        self.all || kind.options.sealed
    }

    /// What is kept in the payload's place: a JSON string.
    pub(super) fn seal(
        &self,
        id: &str,
        payload: &RawValue,
        random: &dyn Random,
    ) -> Result<Box<RawValue>> {
        let sealed = self.vault.seal(&name(id), payload.get().as_bytes(), random)?;
        to_raw_value(&sealed).map_err(Error::internal)
    }

    /// The payload.
    ///
    /// # Errors
    /// `conflict` (`sealed_otherwise`) when it was encrypted under another master secret.
    pub(super) fn open<'a>(&self, task: &'a Task) -> Result<Cow<'a, RawValue>> {
        if !task.sealed {
            return Ok(Cow::Borrowed(&task.payload));
        }
        let sealed = serde_json::from_str::<Cow<'_, str>>(task.payload.get()).ok();
        let plain = sealed.and_then(|sealed| self.vault.open(&name(&task.id), &sealed));
        let text = plain.and_then(|plain| String::from_utf8(plain).ok());
        let payload = text.and_then(|text| RawValue::from_string(text).ok());
        payload.map(Cow::Owned).ok_or_else(|| {
            let message = "the payload was encrypted under another auth.secret";
            Error::conflict("sealed_otherwise", message)
        })
    }
}

fn name(id: &str) -> String {
    format!("task/{id}")
}

#[cfg(test)]
mod tests {
    use outrigger_kernel::SystemRandom;
    use serde_json::json;

    use super::*;
    use crate::tasks::Options;

    fn kind(sealed: bool) -> Kind {
        Kind::new("k", "", json!(true), Options { sealed, ..Options::default() }).unwrap()
    }

    fn task(id: &str, payload: &RawValue) -> Task {
        let task = json!({
            "id": id, "queue": "default", "kind": "k", "payload": payload, "sealed": true,
            "priority": 5, "run_at": "2026-01-01T00:00:00Z", "max_attempts": 1, "timeout_ms": 1, "backoff_ms": 1,
            "backoff_max_ms": 1, "retention_s": 1, "created_at": "2026-01-01T00:00:00Z",
        });
        serde_json::from_str(&task.to_string()).unwrap()
    }

    fn sealer(secret: &str, all: bool) -> Sealer {
        Sealer::new(&Secret::from(secret.to_owned()), all).unwrap()
    }

    #[test]
    fn the_settings_or_the_kind_ask_for_it() {
        for (all, own, expected) in
            [(false, false, false), (true, false, true), (false, true, true), (true, true, true)]
        {
            assert_eq!(sealer("a secret", all).seals(&kind(own)), expected);
        }
    }

    #[test]
    fn only_the_same_secret_opens_and_only_for_the_same_task() {
        let ours = sealer("a secret", true);
        let payload = to_raw_value(&json!({"token": "in the clear"})).unwrap();
        let sealed = ours.seal("tsk_1", &payload, &SystemRandom).unwrap();
        assert!(!sealed.get().contains("clear"));
        let task = |id: &str| task(id, &sealed);
        assert_eq!(ours.open(&task("tsk_1")).unwrap().get(), payload.get());
        assert_eq!(ours.open(&task("tsk_2")).unwrap_err().code(), "sealed_otherwise");
        let other = sealer("another secret", true).open(&task("tsk_1")).unwrap_err();
        assert_eq!(other.code(), "sealed_otherwise");
    }
}
