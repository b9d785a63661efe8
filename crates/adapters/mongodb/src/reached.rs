//! A client of the database that a URL names.

use mongodb::options::ConnectionString;
use mongodb::{Client, Collection, Database};
use outrigger_ports::secrets::Way;
use outrigger_ports::store::StoreError;

use crate::link::{Broken, DOCUMENTS};
use crate::stored::Stored;
use crate::{MongoOptions, error, target};

/// A database, as one user reaches it: the driver keeps who signs in.
#[derive(Debug)]
pub(crate) struct Reached {
    /// What the URL says but for who signs in.
    place: ConnectionString,
    pub(crate) client: Client,
    pub(crate) database: Database,
    pub(crate) documents: Collection<Stored>,
}

impl Reached {
    /// Connections are opened when they are needed, on the calling runtime.
    ///
    /// # Errors
    /// As [`target::parse`].
    pub(crate) async fn of(
        url: ConnectionString,
        options: &MongoOptions,
        broken: &Broken,
    ) -> Result<Self, StoreError> {
        let mut place = url.clone();
        place.credential = None;
        let name = url.default_database.clone().unwrap_or_default();
        let mut client = target::parse(url, options).await?;
        client.cmap_event_handler = Some(broken.handler());
        let client = Client::with_options(client)
            .map_err(|error| StoreError::Unavailable(error::words(&error).into()))?;
        let database = client.database(&name);
        Ok(Self { place, documents: database.collection(DOCUMENTS), database, client })
    }
}

impl Way for Reached {
    fn leads_where(&self, other: &Self) -> bool {
        self.place == other.place
    }
}
