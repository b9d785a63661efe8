//! What production refuses to run with.

use outrigger_sql::crosses_network_unverified;

use super::Config;

/// Whether something is not fit for production, and the sentence that says so with the setting's
/// name.
type Check = (bool, String);

/// Everything that is not fit for production, each in one sentence with the setting's name.
pub fn insecurities(config: &Config) -> Vec<String> {
    let checks = [secrets(config), addresses(config), fleet(config)].concat();
    checks.into_iter().filter_map(|(is_insecure, why)| is_insecure.then_some(why)).collect()
}

fn check(is_insecure: bool, why: &str) -> Check {
    (is_insecure, why.to_owned())
}

fn secrets(config: &Config) -> Vec<Check> {
    let (secret, password) = (&config.auth.secret, &config.admin.password);
    vec![
        check(
            !secret.is_set(),
            "auth.secret is not set: give 32 random bytes, the same on all replicas (OUTRIGGER_SECRET)",
        ),
        check(
            secret.is_set() && is_weak(secret.expose()),
            "auth.secret is weak: give 32 random bytes, for example from `openssl rand -base64 32`",
        ),
        check(
            password.is_set() && password.expose().len() < 12,
            "admin.password is shorter than 12 characters",
        ),
        check(
            config.auth.hash_memory_kib < 19_456 || config.auth.hash_iterations < 2,
            "auth.hash_memory_kib and auth.hash_iterations are below 19456 and 2: passwords would be cheap to guess",
        ),
    ]
}

/// What it talks to, and who may talk to it.
fn addresses(config: &Config) -> Vec<Check> {
    let redis = config.redis.url.expose();
    let urls = [
        ("database.url", config.database.url.expose()),
        ("database.readonly_url", config.database.readonly_url.expose()),
    ];
    let databases = urls.map(|(key, url)| {
        check(
            // One that cannot be read is refused when it is opened.
            crosses_network_unverified(url).unwrap_or(false),
            &format!("{key} crosses a network without verified TLS: add sslmode=verify-full"),
        )
    });
    let mut checks = databases.to_vec();
    let traces = &config.traces;
    checks.extend([
        check(
            traces.headers.is_set()
                && crosses_network(&traces.endpoint)
                && !traces.endpoint.starts_with("https://"),
            "traces.headers would cross a network in plain text: use https:// in traces.endpoint",
        ),
        check(
            mongodb_is_unverified(config.database.url.expose()),
            "database.url crosses a network without verified TLS: use mongodb+srv://, or add tls=true, and no option that trusts any certificate",
        ),
        check(
            !redis.is_empty() && crosses_network(redis) && !redis.starts_with("rediss"),
            "redis.url crosses a network in plain text: use rediss:// or rediss+cluster://",
        ),
        check(
            config.http.cors_origins.iter().any(|origin| origin == "*"),
            "http.cors_origins allows every origin: name those of your own pages",
        ),
        check(
            !config.public_url().starts_with("https://"),
            "http.public_url is not https: give the address under which clients reach this deployment",
        ),
        check(
            config.mail.url.expose().starts_with("log:"),
            "mail.url is log://: mails would only be written to the log (MAIL_URL)",
        ),
        check(
            config.webhooks.allow_private,
            "webhooks.allow_private is true: who may enqueue a webhook could reach this network and the cloud's metadata",
        ),
    ]);
    checks
}

/// What several processes need to agree.
fn fleet(config: &Config) -> Vec<Check> {
    let is_fleet = config.deployment.replicas > 1;
    vec![
        check(
            is_fleet && config.database.url.expose().starts_with("sqlite:"),
            "deployment.replicas is more than 1 on SQLite, which is one process's own: use PostgreSQL",
        ),
        check(
            is_fleet && config.redis.url.expose().is_empty(),
            "deployment.replicas is more than 1 without redis.url: limits and caches would not agree",
        ),
        check(
            is_fleet && config.http.forwarded_hops == 0,
            "http.forwarded_hops is 0 with several replicas: behind a balancer all clients would be one caller; give the number of proxies in front",
        ),
        check(
            config.records.settle_s < config.write_s_max(),
            &format!(
                "records.settle_s is less than {} s, which a write may take (http.request_timeout_s, database.statement_timeout_ms): re-indexing could miss one",
                config.write_s_max()
            ),
        ),
    ]
}

/// Too short or too uniform to be random.
fn is_weak(secret: &str) -> bool {
    let mut kinds: Vec<u8> = secret.bytes().collect();
    kinds.sort_unstable();
    kinds.dedup();
    let lower = secret.to_ascii_lowercase();
    let is_common =
        ["secret", "password", "changeme", "change-me", "outrigger", "example", "default"]
            .iter()
            .any(|word| lower.contains(word));
    secret.len() < 32 || kinds.len() < 10 || is_common
}

/// Whether a MongoDB on another machine may be somebody else, or read by others.
fn mongodb_is_unverified(url: &str) -> bool {
    let is_on = |name: &str| {
        let options = url.split_once('?').map_or("", |(_, options)| options).to_ascii_lowercase();
        options.split('&').any(|option| option == format!("{name}=true"))
    };
    let (has_tls, crosses) = match url.split_once("://") {
        // Its name is looked up, and it is encrypted unless that is refused.
        Some(("mongodb+srv", _)) => {
            (!url.to_ascii_lowercase().contains("tls=false") && !url.contains("ssl=false"), true)
        }
        Some(("mongodb", _)) => (is_on("tls") || is_on("ssl"), crosses_network(url)),
        _ => return false,
    };
    let trusts_all = ["tlsinsecure", "tlsallowinvalidcertificates", "tlsallowinvalidhostnames"];
    crosses && (!has_tls || trusts_all.into_iter().any(is_on))
}

/// Whether a server is on another machine.
fn crosses_network(url: &str) -> bool {
    let Some((_, rest)) = url.split_once("://") else { return false };
    let authority = rest.split(['/', '?']).next().unwrap_or_default();
    let hosts = authority.rsplit_once('@').map_or(authority, |(_, hosts)| hosts);
    hosts.split(',').any(|host| {
        let name = match host.strip_prefix('[') {
            Some(v6) => v6.split(']').next().unwrap_or_default(),
            None => host.split(':').next().unwrap_or_default(),
        };
        let is_local = name.is_empty()
            || name == "localhost"
            || name.starts_with('%')
            || name.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback());
        !is_local
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_other_machines_need_tls() {
        assert!(!crosses_network("redis://localhost"));
        assert!(!crosses_network("redis://[::1]:6379"));
        assert!(crosses_network("redis://:p@redis.internal/0"));
        assert!(crosses_network("redis+cluster://127.0.0.1:1,10.0.0.1:2"));
    }

    #[test]
    fn mongo_elsewhere_needs_tls() {
        for url in
            ["mongodb://127.0.0.1:1/d", "mongodb+srv://u:p@c.example.net/d", "postgres://h/d"]
        {
            assert!(!mongodb_is_unverified(url), "{url}");
        }
        assert!(!mongodb_is_unverified("mongodb://u:p@a:1,b:2/d?w=1&TLS=true"));
        for url in [
            "mongodb://u:p@a:1,127.0.0.1:2/d",
            "mongodb://a/d?tls=false",
            "mongodb://a/d?tls=true&tlsInsecure=true",
            "mongodb+srv://c.example.net/d?tls=false",
            "mongodb+srv://c.example.net/d?tlsAllowInvalidCertificates=true",
        ] {
            assert!(mongodb_is_unverified(url), "{url}");
        }
    }

    #[test]
    fn short_uniform_and_common_secrets_are_weak() {
        assert!(is_weak("short"));
        assert!(is_weak(&"a".repeat(64)));
        assert!(is_weak("please-change-me-0123456789-abcdefgh"));
        assert!(!is_weak("q7Zs0yq4mXv1f8K2bN5tR9wE3uJ6hL0p"));
    }
}
