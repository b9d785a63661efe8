//! Private keys as operators give them.

use outrigger_kernel::secret::ExposeSecret;
use outrigger_kernel::{Error, Result, Secret};
use rustls_pki_types::PrivateKeyDer;
use rustls_pki_types::pem::PemObject;

use super::rsa::PrivateKey;

/// Reads a PEM text.
///
/// # Errors
/// `invalid` at `auth.signing_keys`; the text is not repeated.
pub(super) fn read(pem: &Secret) -> Result<PrivateKey> {
    let fault = |what: &str| Error::invalid(&["auth", "signing_keys"], "signing_key", what);
    let der = PrivateKeyDer::from_pem_slice(pem.expose_secret().as_bytes());
    let der = der.map_err(|_| fault("a signing key is no private key in PEM"))?;
    let key = match &der {
        PrivateKeyDer::Pkcs1(der) => PrivateKey::from_pkcs1(der.secret_pkcs1_der()),
        PrivateKeyDer::Pkcs8(der) => PrivateKey::from_pkcs8(der.secret_pkcs8_der()),
        _ => None,
    };
    key.ok_or_else(|| fault("a signing key must be RSA with 2048 bits or more"))
}
