//! Which servers are believed: those that the system's authorities have signed for.

use std::sync::{Arc, OnceLock};

use rustls::{ClientConfig, RootCertStore};

/// TLS as every client of a cloud has it. The system's authorities are read once in a process.
///
/// # Errors
/// When TLS cannot be set up.
pub fn tls() -> Result<ClientConfig, String> {
    static ONCE: OnceLock<Result<ClientConfig, String>> = OnceLock::new();
    ONCE.get_or_init(read).clone()
}

fn read() -> Result<ClientConfig, String> {
    let mut roots = RootCertStore::empty();
    roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let versions =
        ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
    let builder = versions.map_err(|error| error.to_string())?;
    Ok(builder.with_root_certificates(roots).with_no_client_auth())
}
