//! Certificates for servers on this machine.

use std::path::{Path, PathBuf};

use anyhow::Result;
use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DnType, ExtendedKeyUsagePurpose, IsCa,
    KeyPair, KeyUsagePurpose,
};

use crate::TempDir;

/// A certificate authority made for this value, and a certificate of `localhost` and `127.0.0.1`
/// signed by it, as PEM files.
#[derive(Debug)]
pub struct Tls {
    dir: TempDir,
}

impl Tls {
    /// Makes both.
    ///
    /// # Errors
    /// When the files cannot be written.
    pub fn generate() -> Result<Self> {
        let dir = TempDir::new("tls")?;
        let mut ca = CertificateParams::new(Vec::<String>::new())?;
        ca.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        ca.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        ca.distinguished_name.push(DnType::CommonName, "a certificate authority for tests");
        let ca = CertifiedIssuer::self_signed(ca, KeyPair::generate()?)?;

        let names = vec!["localhost".to_owned(), "127.0.0.1".to_owned()];
        let mut server = CertificateParams::new(names)?;
        server.distinguished_name.push(DnType::CommonName, "localhost");
        server.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        let key = KeyPair::generate()?;
        let server = server.signed_by(&key, &ca)?;

        std::fs::write(dir.join("ca.pem"), ca.pem())?;
        std::fs::write(dir.join("cert.pem"), server.pem())?;
        std::fs::write(dir.join("key.pem"), key.serialize_pem())?;
        Ok(Self { dir })
    }

    /// The authority's certificate, for clients.
    pub fn ca_path(&self) -> PathBuf {
        self.dir.join("ca.pem")
    }

    /// The server's certificate.
    pub fn cert_path(&self) -> PathBuf {
        self.dir.join("cert.pem")
    }

    /// The server's private key.
    pub fn key_path(&self) -> PathBuf {
        self.dir.join("key.pem")
    }

    /// The folder of the three files.
    pub fn dir(&self) -> &Path {
        self.dir.path()
    }
}
