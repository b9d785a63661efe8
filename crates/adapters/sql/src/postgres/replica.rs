//! One connection to the replica that serves lists, to ask it how it is.

use std::sync::Arc;

use outrigger_kernel::Clock;
use outrigger_ports::probe::Probed;
use outrigger_ports::store::StoreError;

use super::PostgresOptions;
use super::connect::Connector;
use super::lanes::Lanes;
use super::probe::{self, Purpose};

/// A replica ([`PostgresOptions::readonly_url`]) that is only asked how it is.
#[derive(Debug)]
pub struct PostgresReplica {
    lanes: Lanes,
    private: bool,
    options: PostgresOptions,
    clock: Arc<dyn Clock>,
}

impl PostgresReplica {
    /// Connects to the replica, if these options name one; with `must_open` it must be there now,
    /// else the connection is made when it can be.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] says what is wrong with the URL or why there is no connection.
    pub async fn connect(
        options: &PostgresOptions,
        clock: Arc<dyn Clock>,
        must_open: bool,
    ) -> Result<Option<Self>, StoreError> {
        let Some(url) = &options.readonly_url else { return Ok(None) };
        let connector = Arc::new(Connector::new(url, options)?);
        let private = connector.private;
        let lanes = Lanes::open(connector, 1, must_open).await?;
        Ok(Some(Self { lanes, private, options: options.clone(), clock }))
    }

    /// Asks it.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] when it is away.
    pub async fn probe(&self) -> Result<Probed, StoreError> {
        let is = (Purpose::Replica, self.private);
        probe::probe(&self.lanes, &self.options, is, || self.clock.now()).await
    }
}
