//! Another server than that of the cloud, as a URL names it with `endpoint=`.

use std::net::IpAddr;

use url::{Host, Url};

/// The address of a server, without `/` at its end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Endpoint {
    /// `https://…`, or `http://…` on this machine.
    pub url: String,
    /// Whether it is on this machine.
    pub is_local: bool,
}

impl Endpoint {
    /// Reads it. What leaves this machine must be encrypted.
    ///
    /// # Errors
    /// Says what is wrong with it.
    pub fn parse(value: &str) -> Result<Self, String> {
        let url = Url::parse(value).map_err(|error| format!("endpoint: {error}"))?;
        let is_local = match url.host() {
            Some(Host::Domain(name)) => name == "localhost",
            Some(Host::Ipv4(address)) => IpAddr::from(address).is_loopback(),
            Some(Host::Ipv6(address)) => IpAddr::from(address).is_loopback(),
            None => false,
        };
        match url.scheme() {
            "https" => {}
            "http" if is_local => {}
            _ => return Err("the endpoint of another machine must be https".to_owned()),
        }
        Ok(Self { url: value.trim_end_matches('/').to_owned(), is_local })
    }
}
