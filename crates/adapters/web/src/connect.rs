//! From a URL to a connection to an address that was checked.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use outrigger_ports::http_client::HttpFault;
use rustls::pki_types::ServerName;
use rustls::{ClientConfig, RootCertStore};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use url::{Host, Url};

use crate::guard;
use crate::resolve::Resolve;

/// So many addresses of a host are tried.
const ADDRESSES_MAX: usize = 4;

/// A connection, with TLS or without.
pub(crate) trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}

impl<T: AsyncRead + AsyncWrite + Send + Unpin> Stream for T {}

/// Makes connections.
#[derive(Debug)]
pub(crate) struct Connector {
    pub(crate) tls: Arc<ClientConfig>,
    pub(crate) resolver: Arc<dyn Resolve>,
    pub(crate) allow_private: bool,
}

/// What is used of a URL, once it is one that may be used.
///
/// # Errors
/// [`HttpFault::Refused`] says what is wrong with it.
pub(crate) fn parse(text: &str) -> Result<Url, HttpFault> {
    let refuse = |why: &str| Err(HttpFault::Refused(why.to_owned()));
    let Ok(url) = Url::parse(text) else { return refuse("the URL is not valid") };
    if !matches!(url.scheme(), "http" | "https") {
        return refuse("the URL must begin with http:// or https://");
    }
    if !url.username().is_empty() || url.password().is_some() {
        return refuse("the URL must not hold a user or a password; send a header instead");
    }
    Ok(url)
}

impl Connector {
    /// Connects to the URL's host.
    pub(crate) async fn connect(&self, url: &Url) -> Result<Box<dyn Stream>, HttpFault> {
        let Some(host) = url.host() else {
            return Err(HttpFault::Refused("the URL names no host".to_owned()));
        };
        let port = url.port_or_known_default().unwrap_or(80);
        let addresses = self.addresses(&host).await?;
        let tcp = reach(&addresses, port).await?;
        let _ = tcp.set_nodelay(true);
        if url.scheme() == "http" {
            return Ok(Box::new(tcp));
        }
        let name = match host {
            Host::Domain(name) => ServerName::try_from(name.trim_end_matches('.').to_owned())
                .map_err(|_| HttpFault::Refused("the URL's host is not a name".to_owned()))?,
            Host::Ipv4(address) => ServerName::from(IpAddr::V4(address)),
            Host::Ipv6(address) => ServerName::from(IpAddr::V6(address)),
        };
        let connector = TlsConnector::from(self.tls.clone());
        let tls = connector.connect(name, tcp).await;
        Ok(Box::new(tls.map_err(|error| HttpFault::Connection(format!("TLS: {error}")))?))
    }

    /// The addresses of a host, each of them allowed. One that is not makes all suspect: a name that
    /// leads to both may lead to the other one next time.
    async fn addresses(&self, host: &Host<&str>) -> Result<Vec<IpAddr>, HttpFault> {
        let found = match host {
            Host::Ipv4(address) => vec![IpAddr::V4(*address)],
            Host::Ipv6(address) => vec![IpAddr::V6(*address)],
            Host::Domain(name) => self.resolver.resolve(name).await.map_err(|error| {
                HttpFault::Connection(format!("the host {name} cannot be looked up: {error}"))
            })?,
        };
        let refused = found.iter().find_map(|address| guard::refusal(*address));
        match refused {
            Some(what) if !self.allow_private => Err(HttpFault::Refused(format!(
                "the host {host} is {what}; only addresses of the public internet are allowed \
                 (webhooks.allow_private)"
            ))),
            _ if found.is_empty() => {
                Err(HttpFault::Connection(format!("the host {host} has no address")))
            }
            _ => Ok(found),
        }
    }
}

async fn reach(addresses: &[IpAddr], port: u16) -> Result<TcpStream, HttpFault> {
    let mut last = io::Error::from(io::ErrorKind::AddrNotAvailable);
    for address in addresses.iter().take(ADDRESSES_MAX) {
        match TcpStream::connect(SocketAddr::new(*address, port)).await {
            Ok(stream) => return Ok(stream),
            Err(error) => last = error,
        }
    }
    Err(HttpFault::Connection(format!("cannot connect: {last}")))
}

/// TLS by the system's authorities.
pub(crate) fn system_tls() -> Result<ClientConfig, String> {
    let mut roots = RootCertStore::empty();
    roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    tls_with(roots)
}

/// TLS by these authorities.
pub(crate) fn tls_with(roots: RootCertStore) -> Result<ClientConfig, String> {
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| error.to_string())?;
    Ok(config.with_root_certificates(roots).with_no_client_auth())
}
