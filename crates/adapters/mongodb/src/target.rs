//! What a URL says: which database of which servers.

use std::time::Duration;

use mongodb::options::{
    ClientOptions, ConnectionString, ReadConcern, ReadPreference, SelectionCriteria, WriteConcern,
};
use outrigger_ports::store::StoreError;

use crate::MongoOptions;

/// Longest time to open a connection, also for the most patient; it is the driver's own.
const CONNECT_TIMEOUT_MAX: Duration = Duration::from_secs(10);

/// How the driver reaches the database. A name of `mongodb+srv://` is resolved.
///
/// # Errors
/// [`StoreError::Unavailable`] when that fails.
pub(crate) async fn parse(
    url: ConnectionString,
    options: &MongoOptions,
) -> Result<ClientOptions, StoreError> {
    let mut client = ClientOptions::parse(url).await.map_err(|error| {
        let error = crate::error::words(&error);
        StoreError::Unavailable(format!("the servers of the database URL: {error}").into())
    })?;
    client.app_name.get_or_insert_with(|| "outrigger".to_owned());
    client.max_pool_size.get_or_insert(options.connections);
    // The handshake is part of it. There is time for another try.
    client.connect_timeout = Some(CONNECT_TIMEOUT_MAX.min(options.patience.mul_f64(0.3)));
    client.server_selection_timeout = Some(options.patience);
    // What the store promises stands on these, so the URL has no say in them.
    client.retry_reads = Some(true);
    client.retry_writes = Some(true);
    client.read_concern = Some(ReadConcern::majority());
    client.selection_criteria = Some(SelectionCriteria::ReadPreference(ReadPreference::Primary));
    client.write_concern = Some(write_concern(options.patience));
    Ok(client)
}

/// A write is acknowledged when a majority of the members has it on disk.
pub(crate) fn write_concern(patience: Duration) -> WriteConcern {
    WriteConcern::builder()
        .w(mongodb::options::Acknowledgment::Majority)
        .journal(true)
        .w_timeout(patience)
        .build()
}

/// What a URL says.
///
/// # Errors
/// [`StoreError::Unavailable`] says what is wrong with it, and never what stands in it.
pub(crate) fn connection_string(url: &str) -> Result<ConnectionString, StoreError> {
    let wrong = |what: &str| {
        let form = "expected mongodb://HOST/DATABASE or mongodb+srv://HOST/DATABASE";
        StoreError::Unavailable(format!("the database URL is not valid: {what}; {form}").into())
    };
    // The driver's own words may quote the URL, and with it the password.
    let Ok(parsed) = ConnectionString::parse(url) else {
        return Err(wrong("it has no form that a MongoDB driver knows"));
    };
    match parsed.default_database.as_deref() {
        None | Some("") => Err(wrong("it names no database")),
        Some("admin" | "local" | "config") => Err(wrong("that database is MongoDB's own")),
        Some(_) => Ok(parsed),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn parsed(url: &str) -> Result<ClientOptions, String> {
        let parsed = connection_string(url).map_err(|error| error.to_string())?;
        parse(parsed, &MongoOptions::at(url)).await.map_err(|error| error.to_string())
    }

    #[tokio::test]
    async fn a_url_names_servers_and_a_database_and_cannot_weaken_what_is_promised() {
        let url =
            "mongodb://u:p@a:1,b:2/shop?replicaSet=rs&w=1&readPreference=secondary&maxPoolSize=7";
        let options = parsed(url).await.unwrap();
        assert_eq!(options.default_database.as_deref(), Some("shop"));
        assert_eq!(options.hosts.len(), 2);
        assert_eq!(options.max_pool_size, Some(7));
        assert_eq!(options.write_concern, Some(write_concern(Duration::from_secs(5))));
        let primary = SelectionCriteria::ReadPreference(ReadPreference::Primary);
        assert_eq!(options.selection_criteria, Some(primary));
        assert_eq!(options.read_concern, Some(ReadConcern::majority()));
    }

    #[tokio::test]
    async fn what_is_wrong_with_a_url_is_said_without_its_password() {
        for (url, words) in [
            ("mongodb://u:secret@a:1", "names no database"),
            ("mongodb://u:secret@a:1/?w=1", "names no database"),
            ("mongodb://u:secret@a:1/admin", "MongoDB's own"),
            ("mongodb://u:secret@:x/db", "no form"),
            ("mongodb://u:sec:ret@a/db", "no form"),
            ("mongodb://u:secret@a/db?tls=perhaps", "no form"),
        ] {
            let said = parsed(url).await.unwrap_err();
            assert!(said.contains(words), "{url}: {said}");
            assert!(!said.contains("secret") && !said.contains("sec:ret"), "{url}: {said}");
        }
    }
}
