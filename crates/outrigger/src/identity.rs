//! Which database it is, for an archive that is gone on with: a digest without keys.

use aws_lc_rs::digest::{SHA256, digest};
use outrigger_kernel::id;

use crate::config::Config;
use crate::database;

/// Parameters of URLs that say where a database is. Any other may be a key.
const NAMING: [&str; 5] = ["dbname", "endpoint", "host", "hostaddr", "port"];

/// The same for the same database under the same name, whoever signs in.
pub(crate) fn of(config: &Config) -> String {
    let name = match database::sqlite_path(config) {
        // By whichever way one comes to the file.
        Some(path) => path.canonicalize().unwrap_or_else(|_| path.to_owned()).display().to_string(),
        None => without_keys(config.database.url.expose()),
    };
    id::hex(digest(&SHA256, name.as_bytes()).as_ref())
}

/// Servers and names.
fn without_keys(url: &str) -> String {
    let (place, parameters) = url.split_once('?').unwrap_or((url, ""));
    let (scheme, rest) = place.split_once("://").unwrap_or(("", place));
    let servers = rest.rsplit_once('@').map_or(rest, |(_, servers)| servers);
    let is_naming = |it: &&str| NAMING.contains(&it.split_once('=').map_or(*it, |(name, _)| name));
    let mut naming: Vec<&str> = parameters.split('&').filter(is_naming).collect();
    naming.sort_unstable();
    format!("{scheme}://{servers}?{}", naming.join("&"))
}

#[cfg(test)]
mod tests {
    use super::without_keys;

    #[test]
    fn a_database_is_known_by_where_it_is_and_not_by_who_asks() {
        let one = without_keys("postgres://ana:s3cret@db:5432/boats?sslmode=require");
        assert_eq!(one, "postgres://db:5432/boats?");
        assert_eq!(one, without_keys("postgres://bob:p%40ss@db:5432/boats?sslpassword=x"));
        assert_ne!(one, without_keys("postgres://ana:s3cret@db:5432/other"));
        assert_ne!(one, without_keys("postgres://ana:s3cret@elsewhere:5432/boats"));
        let table = |port: u16| {
            without_keys(&format!("dynamodb://us-east-1/t?endpoint=http://127.0.0.1:{port}"))
        };
        assert_ne!(table(1), table(2));
        assert_eq!(
            without_keys("mongodb://a:b@x,y/n?tlsCertificateKeyFilePassword=c"),
            "mongodb://x,y/n?"
        );
    }
}
