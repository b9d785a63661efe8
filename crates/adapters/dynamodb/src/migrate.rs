//! Makes the table, and has DynamoDB delete what has expired.

use std::time::{Duration, Instant};

use aws_sdk_dynamodb::types::{
    AttributeDefinition, BillingMode, GlobalSecondaryIndex, KeySchemaElement, KeyType, Projection,
    ProjectionType, ProvisionedThroughput, ScalarAttributeType, TableDescription, TableStatus,
    TimeToLiveSpecification, TimeToLiveStatus,
};
use outrigger_ports::store::{Cause, MigrateMode, Migration, StoreError};

use crate::error::Failure;
use crate::link::Link;

/// The index of what expires and has entries.
pub(crate) const EXPIRING: &str = "expiring";
/// The attribute by which DynamoDB deletes.
const TTL: &str = "ttl";
/// How often it is looked whether the table is there.
const LOOK: Duration = Duration::from_millis(250);

/// Says or does what is needed. Two who do it at once do the same: a table is made once, and whoever
/// comes second waits for it.
pub(crate) async fn run(link: &Link, mode: MigrateMode) -> Result<Vec<Migration>, StoreError> {
    let table = match describe(link).await? {
        Some(table) => check(&table)?,
        None => State::Missing,
    };
    let expires = table == State::Active && has_ttl(link).await?;
    if let MigrateMode::Apply { wait } = mode {
        if table == State::Missing {
            create(link).await?;
        }
        if table != State::Active {
            until_active(link, wait).await?;
        }
        if !expires {
            enable_ttl(link).await?;
        }
        return Ok(migrations(true, true));
    }
    Ok(migrations(table == State::Active, expires))
}

fn migrations(table: bool, expires: bool) -> Vec<Migration> {
    let migration = |name: &str, applied| Migration { name: name.to_owned(), applied };
    vec![migration("0001_table", table), migration("0002_time_to_live", expires)]
}

/// How far a table is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Missing,
    Making,
    Active,
}

/// What DynamoDB says of the table, if there is one.
///
/// # Errors
/// As [`Link::ask`].
pub(crate) async fn describe(link: &Link) -> Result<Option<TableDescription>, StoreError> {
    let request = link.client.describe_table().table_name(link.table());
    match link.until(&mut link.budget(), || request.clone().send()).await {
        Ok(answer) => Ok(answer.table),
        Err(Failure::Final(StoreError::Schema(_))) => Ok(None),
        Err(failure) => Err(failure.into_error(false)),
    }
}

/// Refuses a table that is not as this store needs it.
fn check(table: &TableDescription) -> Result<State, StoreError> {
    let name = table.table_name().unwrap_or_default();
    let wrong = |what: &str| Err(StoreError::Schema(format!("table {name} {what}")));
    if !has_keys(table, table.key_schema(), ["pk", "sk"]) {
        return wrong("has other keys than pk (a string) and sk (binary): name another table");
    }
    let index = table.global_secondary_indexes();
    let index = index.iter().find(|index| index.index_name() == Some(EXPIRING));
    match index {
        None => wrong("has no index `expiring`: see the guide for what a table needs"),
        Some(index) if !has_keys(table, index.key_schema(), ["xp", "x"]) => {
            wrong("has other keys in the index `expiring` than xp (a string) and x (a number)")
        }
        Some(_) if table.table_status() == Some(&TableStatus::Creating) => Ok(State::Making),
        Some(_) => Ok(State::Active),
    }
}

fn has_keys(table: &TableDescription, schema: &[KeySchemaElement], names: [&str; 2]) -> bool {
    let kind = |name: &str| {
        let mut definitions = table.attribute_definitions().iter();
        let found = definitions.find(|definition| definition.attribute_name() == name);
        found.map(AttributeDefinition::attribute_type)
    };
    let is = |at: usize, key: &KeyType| {
        schema.iter().any(|it| it.attribute_name() == names[at] && it.key_type() == key)
    };
    let kinds = |name| match name {
        "sk" => ScalarAttributeType::B,
        "x" => ScalarAttributeType::N,
        _ => ScalarAttributeType::S,
    };
    is(0, &KeyType::Hash)
        && is(1, &KeyType::Range)
        && names.iter().all(|name| kind(name) == Some(&kinds(*name)))
}

async fn create(link: &Link) -> Result<(), StoreError> {
    let broken = |error| StoreError::Internal(Box::new(error));
    let attribute = |name: &str, kind| {
        AttributeDefinition::builder().attribute_name(name).attribute_type(kind).build()
    };
    let key = |name: &str, kind| {
        KeySchemaElement::builder().attribute_name(name).key_type(kind).build().map_err(broken)
    };
    let units = link.target.provisioned.map(|(read, write)| {
        ProvisionedThroughput::builder()
            .read_capacity_units(read)
            .write_capacity_units(write)
            .build()
    });
    let units = units.transpose().map_err(broken)?;
    let index = GlobalSecondaryIndex::builder()
        .index_name(EXPIRING)
        .key_schema(key("xp", KeyType::Hash)?)
        .key_schema(key("x", KeyType::Range)?)
        .projection(Projection::builder().projection_type(ProjectionType::KeysOnly).build())
        .set_provisioned_throughput(units.clone())
        .build()
        .map_err(broken)?;
    let billing =
        if units.is_some() { BillingMode::Provisioned } else { BillingMode::PayPerRequest };
    let request = link
        .client
        .create_table()
        .table_name(link.table())
        .attribute_definitions(attribute("pk", ScalarAttributeType::S).map_err(broken)?)
        .attribute_definitions(attribute("sk", ScalarAttributeType::B).map_err(broken)?)
        .attribute_definitions(attribute("xp", ScalarAttributeType::S).map_err(broken)?)
        .attribute_definitions(attribute("x", ScalarAttributeType::N).map_err(broken)?)
        .key_schema(key("pk", KeyType::Hash)?)
        .key_schema(key("sk", KeyType::Range)?)
        .global_secondary_indexes(index)
        .billing_mode(billing)
        .set_provisioned_throughput(units);
    match link.until(&mut link.budget(), || request.clone().send()).await {
        // Somebody else was quicker, or the answer to our own request was lost.
        Ok(_) => Ok(()),
        Err(failure) => match describe(link).await? {
            Some(_) => Ok(()),
            None => Err(failure.into_error(false)),
        },
    }
}

async fn until_active(link: &Link, wait: Duration) -> Result<(), StoreError> {
    let until = Instant::now() + wait;
    loop {
        if let Some(table) = describe(link).await?
            && check(&table)? == State::Active
        {
            return Ok(());
        }
        if Instant::now() >= until {
            let what = format!("the table is not there after {wait:?}; try again");
            return Err(StoreError::Unavailable(Cause::from(what)));
        }
        tokio::time::sleep(LOOK).await;
    }
}

/// Whether DynamoDB deletes what has expired.
///
/// # Errors
/// As [`Link::ask`].
pub(crate) async fn has_ttl(link: &Link) -> Result<bool, StoreError> {
    let request = link.client.describe_time_to_live().table_name(link.table());
    let answer = link.ask(|| request.clone().send()).await?;
    let Some(ttl) = answer.time_to_live_description else { return Ok(false) };
    let is_on = matches!(
        ttl.time_to_live_status,
        Some(TimeToLiveStatus::Enabled | TimeToLiveStatus::Enabling)
    );
    Ok(is_on && ttl.attribute_name.as_deref() == Some(TTL))
}

async fn enable_ttl(link: &Link) -> Result<(), StoreError> {
    let broken = |error| StoreError::Internal(Box::new(error));
    let ttl = TimeToLiveSpecification::builder().enabled(true).attribute_name(TTL);
    let ttl = ttl.build().map_err(broken)?;
    let request =
        link.client.update_time_to_live().table_name(link.table()).time_to_live_specification(ttl);
    match link.until(&mut link.budget(), || request.clone().send()).await {
        Ok(_) => Ok(()),
        // Somebody else was quicker.
        Err(failure) => match has_ttl(link).await? {
            true => Ok(()),
            false => Err(failure.into_error(false)),
        },
    }
}
