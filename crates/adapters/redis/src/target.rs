//! The URL, taken apart.

use outrigger_kernel::Secret;
use outrigger_kernel::secret::ExposeSecret;
use outrigger_ports::secrets::Way;
use redis::cluster::ClusterClient;
use redis::io::tcp::TcpSettings;
use redis::{
    Client, ConnectionAddr, ConnectionInfo, IntoConnectionInfo, ProtocolVersion, TlsCertificates,
};

use crate::error::ConfigError;
use crate::options::RedisOptions;

/// Most tries of the driver within one call to a cluster (redirections count too); all of them
/// within the response timeout.
const CLUSTER_RETRIES: u32 = 3;
const CLUSTER_RETRY_WAIT_MIN_MS: u64 = 5;
const CLUSTER_RETRY_WAIT_MAX_MS: u64 = 100;

/// What to connect to.
#[derive(Clone)]
pub(crate) struct Target {
    pub(crate) driver: Driver,
    /// Each server that the URL names, for connections that go to one whatever the key.
    pub(crate) nodes: Vec<Client>,
    pub(crate) tls: bool,
    /// Hosts that are reached in plain text and are not this machine.
    pub(crate) exposed_hosts: Vec<String>,
}

#[derive(Clone)]
pub(crate) enum Driver {
    Single(Box<Client>),
    Cluster(Box<ClusterClient>),
}

impl Target {
    /// Takes the URL and the certificate file apart; connects to nothing.
    pub(crate) fn parse(url: &Secret, options: &RedisOptions) -> Result<Self, ConfigError> {
        let nodes = nodes(url.expose_secret())?;
        let tls = nodes.secure.then(|| certificates(options)).transpose()?;
        if tls.is_none() && options.ca_file.is_some() {
            return Err(ConfigError(
                "a certificate authority is given for redis, but the url is not rediss://".into(),
            ));
        }
        let exposed_hosts = match tls {
            Some(_) => Vec::new(),
            None => nodes.infos.iter().filter_map(exposed_host).collect(),
        };
        let clients: Result<Vec<_>, _> =
            nodes.infos.iter().map(|info| client(info.clone(), tls.as_ref())).collect();
        let clients = clients?;
        let driver = match (nodes.cluster, &tls) {
            (true, tls) => Driver::Cluster(Box::new(cluster(nodes.infos, tls.as_ref(), options)?)),
            (false, _) => Driver::Single(Box::new(only(&clients)?)),
        };
        Ok(Self { driver, nodes: clients, tls: tls.is_some(), exposed_hosts })
    }

    pub(crate) fn is_cluster(&self) -> bool {
        matches!(self.driver, Driver::Cluster(_))
    }
}

impl Way for Target {
    fn leads_where(&self, other: &Self) -> bool {
        let place = |target: &Self| -> Vec<(ConnectionAddr, i64)> {
            let infos = target.nodes.iter().map(Client::get_connection_info);
            infos.map(|info| (info.addr().clone(), info.redis_settings().db())).collect()
        };
        self.is_cluster() == other.is_cluster() && place(self) == place(other)
    }
}

struct Nodes {
    cluster: bool,
    secure: bool,
    infos: Vec<ConnectionInfo>,
}

fn nodes(url: &str) -> Result<Nodes, ConfigError> {
    let (cluster, secure, rest) = if let Some(rest) = url.strip_prefix("redis://") {
        (false, false, rest)
    } else if let Some(rest) = url.strip_prefix("rediss://") {
        (false, true, rest)
    } else if let Some(rest) = url.strip_prefix("redis+cluster://") {
        (true, false, rest)
    } else if let Some(rest) = url.strip_prefix("rediss+cluster://") {
        (true, true, rest)
    } else {
        return Err(ConfigError(
            "the redis url does not start with redis://, rediss://, redis+cluster:// or \
             rediss+cluster://"
                .into(),
        ));
    };
    if rest.contains('#') {
        return Err(ConfigError(
            "the redis url has a fragment (#); certificates are always verified, and a # in a \
             password is written %23"
                .into(),
        ));
    }
    let (authority, tail) = rest.split_at(rest.find(['/', '?']).unwrap_or(rest.len()));
    let (login, hosts) = authority.split_at(authority.rfind('@').map_or(0, |at| at + 1));
    if hosts.contains(',') && !cluster {
        return Err(ConfigError(
            "the redis url names several hosts; write redis+cluster:// for a cluster".into(),
        ));
    }
    let scheme = if secure { "rediss" } else { "redis" };
    let infos: Result<Vec<_>, _> =
        hosts.split(',').map(|host| info(&format!("{scheme}://{login}{host}{tail}"))).collect();
    Ok(Nodes { cluster, secure, infos: infos? })
}

fn info(url: &str) -> Result<ConnectionInfo, ConfigError> {
    let info = url.into_connection_info().map_err(bad_url)?;
    // The third protocol tells at once when a connection ends.
    let settings = info
        .redis_settings()
        .clone()
        .set_protocol(ProtocolVersion::RESP3)
        .set_lib_name("outrigger", env!("CARGO_PKG_VERSION"));
    let tcp = TcpSettings::default().set_nodelay(true);
    Ok(info.set_redis_settings(settings).set_tcp_settings(tcp))
}

fn client(info: ConnectionInfo, tls: Option<&TlsCertificates>) -> Result<Client, ConfigError> {
    match tls {
        Some(tls) => Client::build_with_tls(info, tls.clone()).map_err(|error| {
            ConfigError(format!("the certificates for redis do not fit: {error}"))
        }),
        None => Client::open(info).map_err(bad_url),
    }
}

fn only(clients: &[Client]) -> Result<Client, ConfigError> {
    clients.first().cloned().ok_or_else(|| ConfigError("the redis url names no host".into()))
}

fn cluster(
    infos: Vec<ConnectionInfo>,
    tls: Option<&TlsCertificates>,
    options: &RedisOptions,
) -> Result<ClusterClient, ConfigError> {
    let mut builder = ClusterClient::builder(infos)
        .connection_timeout(options.connect_timeout)
        .response_timeout(options.response_timeout)
        .overall_response_timeout(Some(options.response_timeout))
        .retries(CLUSTER_RETRIES)
        .min_retry_wait(CLUSTER_RETRY_WAIT_MIN_MS)
        .max_retry_wait(CLUSTER_RETRY_WAIT_MAX_MS)
        .tcp_settings(TcpSettings::default().set_nodelay(true));
    if let Some(tls) = tls {
        builder = builder.certs(tls.clone());
    }
    builder.build().map_err(bad_url)
}

fn certificates(options: &RedisOptions) -> Result<TlsCertificates, ConfigError> {
    // The driver takes the process's provider of cryptography; whoever comes first sets it, and
    // it is the same one everywhere.
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    let read = |path: &std::path::PathBuf| {
        let pem = std::fs::read(path);
        let pem = pem.map_err(|error| error.to_string()).and_then(|pem| {
            let has_one = pem.windows(10).any(|window| window == b"-----BEGIN");
            if has_one { Ok(pem) } else { Err("it holds no PEM certificate".to_owned()) }
        });
        pem.map_err(|error| {
            ConfigError(format!("the certificate file for redis, {}: {error}", path.display()))
        })
    };
    let root_cert = options.ca_file.as_ref().map(read).transpose()?;
    Ok(TlsCertificates { client_tls: None, root_cert })
}

fn exposed_host(info: &ConnectionInfo) -> Option<String> {
    let (ConnectionAddr::Tcp(host, _) | ConnectionAddr::TcpTls { host, .. }) = info.addr() else {
        return None;
    };
    let local = host == "localhost"
        || host.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback());
    (!local).then(|| host.clone())
}

#[expect(clippy::needless_pass_by_value, reason = "it is used as a function value")]
fn bad_url(error: redis::RedisError) -> ConfigError {
    // The driver's own words name parts of the URL's form, never its content.
    ConfigError(format!(
        "the redis url cannot be read: {error}; special characters of a password are written %XX"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(url: &str) -> Result<Target, ConfigError> {
        Target::parse(&url.into(), &RedisOptions::new(url.into()))
    }

    #[test]
    fn the_four_schemes_are_read() {
        for (url, cluster, tls) in [
            ("redis://127.0.0.1", false, false),
            ("rediss://user:pass@example.com:6380/2", false, true),
            ("redis+cluster://:pass@a:1,b:2,c", true, false),
            ("rediss+cluster://a:1,b:2/", true, true),
        ] {
            let target = parse(url).unwrap();
            assert_eq!(matches!(target.driver, Driver::Cluster(_)), cluster, "{url}");
            assert_eq!(target.tls, tls, "{url}");
        }
    }

    #[test]
    fn who_signs_in_may_change_and_the_place_may_not() {
        for (old, new, leads_where) in [
            ("redis://:a@h:1/2", "redis://u:b@h:1/2", true),
            ("redis://:a@h:1/2", "redis://:a@h:1/3", false),
            ("redis://:a@h:1", "redis://:a@h:2", false),
            ("redis://:a@h:1", "rediss://:a@h:1", false),
            ("redis://:a@h:1", "redis+cluster://:a@h:1", false),
            ("redis+cluster://:a@g,h", "redis+cluster://:b@g,h", true),
        ] {
            let (old, new) = (parse(old).unwrap(), parse(new).unwrap());
            assert_eq!(new.leads_where(&old), leads_where);
        }
    }

    #[test]
    fn plain_text_to_another_machine_is_noticed() {
        let exposed = |url| parse(url).unwrap().exposed_hosts;
        assert_eq!(exposed("redis://cache.internal:6379"), ["cache.internal"]);
        assert_eq!(exposed("redis+cluster://localhost:1,10.0.0.1:2"), ["10.0.0.1"]);
        assert!(exposed("redis://127.0.0.1").is_empty());
        assert!(exposed("redis://[::1]:6379").is_empty());
        assert!(exposed("rediss://cache.internal").is_empty());
    }

    #[test]
    fn a_url_that_cannot_work_is_refused_without_showing_it() {
        for (url, words) in [
            ("http://:hunter2@host", "does not start with redis://"),
            ("redis://:hunter2@a:1,b:2", "redis+cluster://"),
            ("rediss://:hunter2@a:1/#insecure", "always verified"),
            ("redis://:hunter2@host:port", "cannot be read"),
            ("redis://:hunter2@", "cannot be read"),
            ("redis+cluster://:hunter2@a:1,,b:2", "cannot be read"),
            ("redis://:hunter2@a:1/x", "cannot be read"),
            ("redis://:hunter2/hunter2@a:1", "written %XX"),
        ] {
            let error = parse(url).err().expect(url).to_string();
            assert!(error.contains(words), "{url}: {error}");
            assert!(!error.contains("hunter2"), "{error}");
        }
    }

    #[test]
    fn a_certificate_file_must_fit() {
        let with_ca = |url: &str, path: &str| {
            let mut options = RedisOptions::new(url.into());
            options.ca_file = Some(path.into());
            Target::parse(&url.into(), &options).err().unwrap().to_string()
        };
        assert!(with_ca("redis://a", "/dev/null").contains("not rediss://"));
        assert!(with_ca("rediss://a", "/no/such/file").contains("/no/such/file"));
        assert!(with_ca("rediss://a", "/dev/null").contains("no PEM certificate"));
    }
}
