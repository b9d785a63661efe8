//! Takes a database URL apart: what the driver knows, and how the connection is protected.

use std::net::IpAddr;
use std::path::PathBuf;

use outrigger_ports::store::StoreError;
use tokio_postgres::Config;
use tokio_postgres::config::{Host, SslMode};

use crate::fault::Fault;

/// How a connection is protected.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Protection {
    /// No TLS.
    Disable,
    /// TLS when the server offers it, whoever it is.
    Prefer,
    /// TLS, whoever the server is.
    Require,
    /// TLS, and the server's certificate is signed by a known authority.
    VerifyCa,
    /// TLS, and the certificate is also for this host.
    VerifyFull,
}

/// Where the known authorities come from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Roots {
    /// The operating system.
    System,
    /// A PEM file.
    File(PathBuf),
}

/// A database URL, taken apart.
#[derive(Debug, Clone)]
pub(super) struct Target {
    pub(super) config: Config,
    pub(super) protection: Protection,
    pub(super) roots: Roots,
    /// The certificate and key with which this side shows who it is.
    pub(super) identity: Option<(PathBuf, PathBuf)>,
    /// Whether all hosts are this machine.
    pub(super) local: bool,
}

/// Whether what is said to this database crosses a network without TLS that verifies the server.
///
/// # Errors
/// [`StoreError::Unavailable`] says what is wrong with the URL.
pub fn crosses_network_unverified(url: &str) -> Result<bool, StoreError> {
    let target = Target::parse(url)?;
    Ok(!target.local && target.protection < Protection::VerifyCa)
}

/// A fault in the URL; never says what stands in it, for that holds the password.
fn fault(what: impl Into<String>) -> StoreError {
    StoreError::Unavailable(Fault::cause(format!("the database URL is not valid: {}", what.into())))
}

impl Target {
    /// Reads a URL.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] says what is wrong with the URL.
    pub(super) fn parse(url: &str) -> Result<Self, StoreError> {
        if !url.starts_with("postgres://") && !url.starts_with("postgresql://") {
            return Err(fault("it does not start with postgres://"));
        }
        let (base, query) = url.split_once('?').unwrap_or((url, ""));
        let mut kept = Vec::new();
        let (mut mode, mut roots, mut cert, mut key) = (None, None, None, None);
        for pair in query.split('&').filter(|pair| !pair.is_empty()) {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            match name {
                "sslmode" => mode = Some(protection(value)?),
                "sslrootcert" => roots = Some(decode(value)?),
                "sslcert" => cert = Some(PathBuf::from(decode(value)?)),
                "sslkey" => key = Some(PathBuf::from(decode(value)?)),
                _ => kept.push(pair),
            }
        }
        let identity = match (cert, key) {
            (Some(cert), Some(key)) => Some((cert, key)),
            (None, None) => None,
            _ => return Err(fault("sslcert and sslkey are given together or not at all")),
        };
        let text =
            if kept.is_empty() { base.to_owned() } else { format!("{base}?{}", kept.join("&")) };
        let mut config: Config = text.parse().map_err(|error| fault(Fault::of(&error).0))?;
        if config.get_hosts().is_empty() && config.get_hostaddrs().is_empty() {
            return Err(fault("it names no host"));
        }
        let local = config.get_hosts().iter().all(is_local)
            && config.get_hostaddrs().iter().all(IpAddr::is_loopback);
        let default = if local { Protection::Disable } else { Protection::VerifyFull };
        let mut protection = mode.unwrap_or(default);
        if roots.is_some() && protection == Protection::Require {
            // As libpq has it: who names an authority wants it checked.
            protection = Protection::VerifyCa;
        }
        config.ssl_mode(match protection {
            Protection::Disable => SslMode::Disable,
            Protection::Prefer => SslMode::Prefer,
            _ => SslMode::Require,
        });
        let roots = match roots {
            Some(path) if path != "system" => Roots::File(PathBuf::from(path)),
            _ => Roots::System,
        };
        Ok(Self { config, protection, roots, identity, local })
    }
}

fn protection(text: &str) -> Result<Protection, StoreError> {
    Ok(match text {
        "disable" => Protection::Disable,
        "prefer" => Protection::Prefer,
        "require" => Protection::Require,
        "verify-ca" => Protection::VerifyCa,
        "verify-full" => Protection::VerifyFull,
        _ => {
            return Err(fault(
                "sslmode is none of disable, prefer, require, verify-ca, verify-full",
            ));
        }
    })
}

fn is_local(host: &Host) -> bool {
    match host {
        Host::Unix(_) => true,
        Host::Tcp(name) => {
            name == "localhost" || name.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
        }
    }
}

/// Undoes percent-encoding.
fn decode(text: &str) -> Result<String, StoreError> {
    let mut out = Vec::with_capacity(text.len());
    let mut bytes = text.bytes();
    while let Some(byte) = bytes.next() {
        if byte != b'%' {
            out.push(byte);
            continue;
        }
        let mut digit = || bytes.next().and_then(|byte| char::from(byte).to_digit(16));
        let (Some(high), Some(low)) = (digit(), digit()) else {
            return Err(fault("a % without two hexadecimal digits"));
        };
        out.push(u8::try_from(high * 16 + low).unwrap_or(b'?'));
    }
    String::from_utf8(out).map_err(|_| fault("a path that is not UTF-8"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(url: &str) -> Target {
        Target::parse(url).unwrap()
    }

    #[test]
    fn another_machine_is_verified_fully_unless_the_url_says_otherwise() {
        assert_eq!(parse("postgres://u:p@db.example/x").protection, Protection::VerifyFull);
        assert_eq!(parse("postgres://u:p@127.0.0.1/x").protection, Protection::Disable);
        assert_eq!(parse("postgres://u@[::1]:1/x").protection, Protection::Disable);
        assert_eq!(parse("postgres://u@/x?host=/run/pg").protection, Protection::Disable);
        assert!(!parse("postgres://u@127.0.0.1,db.example/x").local);
        let target = parse("postgres://u@h/x?sslmode=require&application_name=a");
        assert_eq!(target.protection, Protection::Require);
        assert_eq!(target.config.get_application_name(), Some("a"));
    }

    #[test]
    fn a_named_authority_is_checked() {
        let target = parse("postgres://u@h/x?sslrootcert=/a%20b.pem&sslmode=require");
        assert_eq!(target.protection, Protection::VerifyCa);
        assert_eq!(target.roots, Roots::File("/a b.pem".into()));
        assert_eq!(parse("postgres://u@h/x?sslrootcert=system").roots, Roots::System);
    }

    #[test]
    fn a_host_is_another_machine_wherever_the_url_names_it() {
        for (url, is_exposed) in [
            ("postgres://u:p@/x?host=db.internal&sslmode=disable", true),
            ("postgres://u:p@localhost/x?hostaddr=10.1.2.3&sslmode=disable", true),
            ("postgres://u:p@localhost,db.internal/x?sslmode=prefer", true),
            ("postgres://u:p@db.internal/x?sslmode=verify-full&sslmode=disable", true),
            ("postgres://u:p@db.internal/x?sslmode=require", true),
            (
                "postgres://u:p@db.internal/x?application_name=sslmode=verify-full&sslmode=require",
                true,
            ),
            ("postgres://u:p@db.internal/x?sslmode=require&sslrootcert=/ca.pem", false),
            ("postgres://u:p@db.internal/x", false),
            ("postgres://u:p@db.internal/x?sslmode=verify-ca", false),
            ("postgres://u:p@127.0.0.1/x?sslmode=disable", false),
            ("postgres://u:p@/x?host=/run/postgresql", false),
        ] {
            assert_eq!(crosses_network_unverified(url).unwrap(), is_exposed, "{url}");
        }
    }

    #[test]
    fn faults_are_named_and_do_not_show_the_password() {
        for url in [
            "mysql://u:geheim@h/x",
            "postgres://u:geheim@h/x?sslmode=maybe",
            "postgres://u:geheim@h/x?unknown=1",
            "postgres://u:geheim@h/x?sslcert=a",
            "postgres://u:geheim@h:port/x",
            "postgres://u:geheim@h/x?sslrootcert=%4",
        ] {
            let error = Target::parse(url).unwrap_err().to_string();
            assert!(error.contains("the database URL is not valid"), "{error}");
            assert!(!error.contains("geheim"), "{error}");
        }
    }
}
