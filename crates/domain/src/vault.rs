//! What is derived from the master secret: the key that encrypts private keys in the store, and
//! marks that only holders of the secret can make.

use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use aws_lc_rs::{constant_time, hkdf, hmac};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use outrigger_kernel::secret::ExposeSecret;
use outrigger_kernel::{Error, Random, Result, Secret, id};

/// The salt of HKDF; changing it would make all that is encrypted unreadable.
const SALT: &[u8] = b"outrigger/v1";

/// Encrypts and marks.
pub(crate) struct Vault {
    encryption: LessSafeKey,
    marks: hmac::Key,
}

impl std::fmt::Debug for Vault {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Vault([redacted])")
    }
}

impl Vault {
    /// Derives the keys (HKDF-SHA256, RFC 5869).
    pub(crate) fn new(master: &Secret) -> Result<Self> {
        let root = hkdf::Salt::new(hkdf::HKDF_SHA256, SALT);
        let root = root.extract(master.expose_secret().as_bytes());
        let derive = |purpose: &[u8]| {
            let mut key = [0_u8; 32];
            let info = [purpose];
            let expanded = root.expand(&info, hkdf::HKDF_SHA256).map_err(Error::internal)?;
            expanded.fill(&mut key).map_err(Error::internal)?;
            Ok::<_, Error>(key)
        };
        let encryption = UnboundKey::new(&AES_256_GCM, &derive(b"encryption")?);
        Ok(Self {
            encryption: LessSafeKey::new(encryption.map_err(Error::internal)?),
            marks: hmac::Key::new(hmac::HMAC_SHA256, &derive(b"marks")?),
        })
    }

    /// Encrypts with AES-256-GCM under a random nonce; what comes out opens only for `name`.
    pub(crate) fn seal(&self, name: &str, plain: &[u8], random: &dyn Random) -> Result<String> {
        let mut nonce = [0_u8; NONCE_LEN];
        random.fill(&mut nonce);
        let mut sealed = plain.to_vec();
        self.encryption
            .seal_in_place_append_tag(
                Nonce::assume_unique_for_key(nonce),
                Aad::from(name.as_bytes()),
                &mut sealed,
            )
            .map_err(Error::internal)?;
        sealed.splice(0..0, nonce);
        Ok(STANDARD.encode(sealed))
    }

    /// Decrypts; `None` when it was not sealed for `name` under this secret.
    pub(crate) fn open(&self, name: &str, sealed: &str) -> Option<Vec<u8>> {
        let mut sealed = STANDARD.decode(sealed).ok()?;
        let (nonce, body) = sealed.split_at_mut_checked(NONCE_LEN)?;
        let nonce = Nonce::try_assume_unique_for_key(nonce).ok()?;
        let plain = self.encryption.open_in_place(nonce, Aad::from(name.as_bytes()), body).ok()?;
        Some(plain.to_vec())
    }

    /// A mark on these parts, in hexadecimal, `bytes` (at most 32) long.
    pub(crate) fn mark(&self, purpose: &str, text: &str, bytes: usize) -> String {
        let mut context = hmac::Context::with_key(&self.marks);
        context.update(purpose.as_bytes());
        context.update(&[0]);
        context.update(text.as_bytes());
        id::hex(&context.sign().as_ref()[..bytes])
    }

    /// Whether `mark` is that of these parts; takes the same time for each wrong one.
    pub(crate) fn is_mark(&self, purpose: &str, text: &str, mark: &str, bytes: usize) -> bool {
        let expected = self.mark(purpose, text, bytes);
        constant_time::verify_slices_are_equal(expected.as_bytes(), mark.as_bytes()).is_ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use outrigger_kernel::SystemRandom;

    #[test]
    fn only_the_same_secret_opens_and_only_for_the_same_name() {
        let vault = |text: &str| Vault::new(&Secret::from(text.to_owned())).unwrap();
        let (ours, other) = (vault("a secret of some length"), vault("another secret"));
        let sealed = ours.seal("key_1", b"private", &SystemRandom).unwrap();
        assert_eq!(ours.open("key_1", &sealed).as_deref(), Some(&b"private"[..]));
        assert_eq!(ours.open("key_2", &sealed), None);
        assert_eq!(other.open("key_1", &sealed), None);
        assert_eq!(ours.open("key_1", "AAAA"), None);
        assert_eq!(ours.open("key_1", "***"), None);
        assert_ne!(ours.seal("key_1", b"private", &SystemRandom).unwrap(), sealed);
        assert!(!format!("{ours:?}").contains("some length"));
    }

    #[test]
    fn marks_depend_on_secret_purpose_and_text() {
        let vault = |text: &str| Vault::new(&Secret::from(text.to_owned())).unwrap();
        let ours = vault("a secret of some length");
        let mark = ours.mark("kid", "1", 8);
        assert_eq!(mark.len(), 16);
        assert!(ours.is_mark("kid", "1", &mark, 8));
        assert!(!ours.is_mark("kid", "2", &mark, 8));
        assert!(!ours.is_mark("setup", "1", &mark, 8));
        assert!(!vault("another").is_mark("kid", "1", &mark, 8));
        assert!(!ours.is_mark("kid", "1", "", 8));
    }
}
