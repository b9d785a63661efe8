//! Makes the indexes.

use std::time::Duration;

use mongodb::bson::{Document, doc};
use outrigger_ports::store::{MigrateMode, Migration, StoreError};

use crate::link::{DOCUMENTS, Link};
use crate::ready::{NEEDED, Needed};

/// There is another index of this name, or the same one with another name.
const OTHER_INDEX: [&str; 2] = ["(85)", "(86)"];

/// Says or does what is needed. Two who do it at once do the same: MongoDB makes an index once.
///
/// # Errors
/// [`StoreError::Schema`] when the servers or an index are not as they must be.
pub(crate) async fn run(link: &Link, mode: MigrateMode) -> Result<Vec<Migration>, StoreError> {
    link.check_servers().await?;
    let mut missing = link.missing().await?;
    if let MigrateMode::Apply { wait } = mode
        && !missing.is_empty()
    {
        // It takes as long as there are documents.
        create(link, &missing, wait.max(link.patience)).await?;
        missing.clear();
    }
    let migration = |needed: Needed| Migration {
        name: format!("0001_index_{}", needed.name),
        applied: !missing.contains(&needed),
    };
    Ok(NEEDED.into_iter().map(migration).collect())
}

async fn create(link: &Link, missing: &[Needed], wait: Duration) -> Result<(), StoreError> {
    let indexes: Vec<Document> = missing.iter().map(|needed| needed.specification()).collect();
    let command = doc! { "createIndexes": DOCUMENTS, "indexes": indexes, "writeConcern": { "w": "majority" } };
    let made = link.ask_within(wait, |budget| link.command(budget, command.clone())).await;
    match made {
        Err(StoreError::Internal(cause))
            if OTHER_INDEX.iter().any(|code| cause.to_string().contains(code)) =>
        {
            Err(StoreError::Schema(format!("an index is not as it must be: {cause}")))
        }
        made => made.map(drop),
    }
}
