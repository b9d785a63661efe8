//! RSA keys, in the forms that signing, verifying and publishing need.

use aws_lc_rs::encoding::AsDer;
use aws_lc_rs::rsa::{KeyPair, KeySize};
use jsonwebtoken::jwk::{AlgorithmParameters, Jwk, ThumbprintHash};
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey};
use outrigger_kernel::{Error, Result};

use crate::auth::settings::RsaBits;

/// The smallest modulus that is accepted, in bytes.
const MODULUS_BYTES_MIN: usize = 256;

/// A private key, as the DER of PKCS#1 (RFC 8017).
pub(super) struct PrivateKey {
    pkcs1: Vec<u8>,
}

impl PrivateKey {
    /// Makes a new key; takes a good part of a second.
    pub(super) fn generate(bits: RsaBits) -> Result<Self> {
        let size = match bits {
            RsaBits::R2048 => KeySize::Rsa2048,
            RsaBits::R3072 => KeySize::Rsa3072,
            RsaBits::R4096 => KeySize::Rsa4096,
        };
        let pair = KeyPair::generate(size).map_err(Error::internal)?;
        let pkcs8 = pair.as_der().map_err(Error::internal)?;
        Self::from_pkcs8(pkcs8.as_ref()).ok_or_else(|| Error::internal("a new key is unreadable"))
    }

    /// Reads a key in PKCS#8 (RFC 5958); `None` when it is not a good RSA key of 2048 bits or more.
    pub(super) fn from_pkcs8(der: &[u8]) -> Option<Self> {
        // PrivateKeyInfo ::= SEQUENCE { version, algorithm, privateKey OCTET STRING, … }
        let (info, _) = element(der, 0x30)?;
        let (_version, rest) = element(info, 0x02)?;
        let (_algorithm, rest) = element(rest, 0x30)?;
        let (pkcs1, _) = element(rest, 0x04)?;
        Self::from_pkcs1(pkcs1)
    }

    /// Reads a key in PKCS#1; as [`PrivateKey::from_pkcs8`].
    pub(super) fn from_pkcs1(der: &[u8]) -> Option<Self> {
        let pair = KeyPair::from_der(der).ok()?;
        (pair.public_modulus_len() >= MODULUS_BYTES_MIN).then(|| Self { pkcs1: der.to_vec() })
    }

    /// The DER of PKCS#1.
    pub(super) fn pkcs1(&self) -> &[u8] {
        &self.pkcs1
    }

    /// For signing.
    pub(super) fn encoding(&self) -> EncodingKey {
        EncodingKey::from_rsa_der(&self.pkcs1)
    }

    /// The public half.
    pub(super) fn public(&self) -> Result<PublicKey> {
        let jwk = Jwk::from_encoding_key(&self.encoding(), Algorithm::RS256);
        let AlgorithmParameters::RSA(parameters) = jwk.map_err(Error::internal)?.algorithm else {
            return Err(Error::internal("an RSA key has no RSA parameters"));
        };
        Ok(PublicKey { n: parameters.n, e: parameters.e })
    }
}

/// A public key: modulus and exponent, base64url.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct PublicKey {
    pub(super) n: String,
    pub(super) e: String,
}

impl PublicKey {
    /// For verifying.
    pub(super) fn decoding(&self) -> Result<DecodingKey> {
        DecodingKey::from_rsa_components(&self.n, &self.e).map_err(Error::internal)
    }

    /// For publishing (RFC 7517).
    pub(super) fn jwk(&self, kid: &str) -> serde_json::Value {
        serde_json::json!({
            "kty": "RSA", "use": "sig", "alg": "RS256", "kid": kid, "n": self.n, "e": self.e,
        })
    }

    /// The thumbprint, a name that follows from the key (RFC 7638).
    pub(super) fn thumbprint(&self) -> Result<String> {
        let jwk: Jwk = serde_json::from_value(self.jwk("")).map_err(Error::internal)?;
        jwk.thumbprint(ThumbprintHash::SHA256).map_err(Error::internal)
    }
}

/// The content of the DER element with this tag at the start, and what follows it.
fn element(der: &[u8], tag: u8) -> Option<(&[u8], &[u8])> {
    let (&found, rest) = der.split_first()?;
    let (&first, rest) = rest.split_first()?;
    if found != tag {
        return None;
    }
    if first < 0x80 {
        return rest.split_at_checked(usize::from(first));
    }
    let (length, rest) = rest.split_at_checked(usize::from(first & 0x7F))?;
    if length.is_empty() || length.len() > 3 {
        return None;
    }
    let length = length.iter().fold(0_usize, |sum, byte| (sum << 8) | usize::from(*byte));
    rest.split_at_checked(length)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_generated_key_signs_what_its_public_half_verifies() {
        let key = PrivateKey::generate(RsaBits::R2048).unwrap();
        let public = key.public().unwrap();
        let message = b"header.payload";
        let signature =
            jsonwebtoken::crypto::sign(message, &key.encoding(), Algorithm::RS256).unwrap();
        let verify = |message: &[u8]| {
            let key = public.decoding().unwrap();
            jsonwebtoken::crypto::verify(&signature, message, &key, Algorithm::RS256).unwrap()
        };
        assert!(verify(message));
        assert!(!verify(b"header.payloae"));
        assert_eq!(public.thumbprint().unwrap().len(), 43);
        assert_eq!(PrivateKey::from_pkcs1(key.pkcs1()).unwrap().public().unwrap(), public);
    }

    #[test]
    fn broken_der_is_refused() {
        for der in [&b""[..], b"\x30", b"\x30\x05\x02", b"\x30\x84\xff\xff\xff\xff", b"\x30\x80"] {
            assert!(PrivateKey::from_pkcs8(der).is_none());
            assert!(PrivateKey::from_pkcs1(der).is_none());
        }
    }
}
