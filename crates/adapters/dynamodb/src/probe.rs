//! What `doctor` and the health check learn of the table.
//!
//! The health check asks each second, so most of it is looked at once in a while only.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use aws_sdk_dynamodb::types::{
    AttributeValue, BillingMode, ConditionCheck, Delete, KeysAndAttributes,
    PointInTimeRecoveryStatus, Put, ReturnConsumedCapacity, TableDescription, TransactWriteItem,
    Update,
};
use outrigger_ports::probe::{Finding, Probed, Severity};
use outrigger_ports::store::StoreError;

use crate::error::Failure;
use crate::key::{ItemKey, META};
use crate::link::Link;
use crate::meter::Call;
use crate::migrate::{self, EXPIRING};

/// How long what is not asked each time is believed.
const BELIEVED: Duration = Duration::from_secs(300);
/// A condition that never holds.
const NEVER: &str = "attribute_exists(pk) AND attribute_not_exists(pk)";

/// Facts and findings.
type Known = (Vec<(&'static str, String)>, Vec<Finding>);

/// What was looked at last, and when.
#[derive(Debug, Default)]
pub(crate) struct Looked(Mutex<Option<(Instant, Known)>>);

impl Looked {
    /// Asks the table for an item, and now and then for everything.
    ///
    /// # Errors
    /// As [`Link::ask`].
    pub(crate) async fn probe(&self, link: &Link) -> Result<Probed, StoreError> {
        let started = Instant::now();
        let key = ItemKey::new(META, *b"probe").attributes();
        let request = link.client.get_item().table_name(link.table()).set_key(Some(key));
        let request = request.consistent_read(true);
        let request = request.return_consumed_capacity(ReturnConsumedCapacity::Total);
        let answer = link.ask(|| request.clone().send()).await?;
        let latency = started.elapsed();
        link.meter.read(Call::Probe, answer.consumed_capacity.as_slice());
        let known = {
            let looked = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            looked
                .as_ref()
                .filter(|(at, _)| at.elapsed() < BELIEVED)
                .map(|(_, known)| known.clone())
        };
        let (facts, findings) = match known {
            Some(known) => known,
            None => {
                let known = look(link).await;
                let mut looked = self.0.lock().unwrap_or_else(PoisonError::into_inner);
                *looked = Some((Instant::now(), known.clone()));
                known
            }
        };
        let version = format!("DynamoDB {}", link.target.region);
        Ok(Probed { latency, version, facts, findings })
    }
}

async fn look(link: &Link) -> Known {
    let mut facts = vec![("table", link.table().to_owned())];
    let mut findings = Vec::new();
    let mut find = |severity, message: String| findings.push(Finding { severity, message });
    match migrate::describe(link).await {
        Ok(Some(table)) => describe(&table, &mut facts, &mut find),
        Ok(None) => find(Severity::Error, "there is no such table".to_owned()),
        Err(error) => find(Severity::Warning, may_not("DescribeTable", &error)),
    }
    match migrate::has_ttl(link).await {
        Ok(on) => {
            facts.push(("ttl", on.to_string()));
            if !on {
                let message = "time to live is off: what expires is kept for ever; run `outrigger migrate apply`";
                find(Severity::Warning, message.to_owned());
            }
        }
        Err(error) => find(Severity::Warning, may_not("DescribeTimeToLive", &error)),
    }
    match has_pitr(link).await {
        Ok(on) => {
            facts.push(("pitr", on.to_string()));
            if !on && !link.target.is_local() {
                let message = "point-in-time recovery is off: a wrong delete could not be undone";
                find(Severity::Warning, message.to_owned());
            }
        }
        Err(_) if link.target.is_local() => facts.push(("pitr", "unknown".to_owned())),
        Err(error) => find(Severity::Warning, may_not("DescribeContinuousBackups", &error)),
    }
    for (action, answer) in may_read(link).await {
        if let Err(error) = answer {
            find(Severity::Error, format!("dynamodb:{action} is refused: {error}"));
        }
    }
    match may_write(link).await {
        Ok(()) => facts.push(("can_write", "true".to_owned())),
        Err(error) => find(
            Severity::Error,
            format!("it cannot write: {error}; it needs the rights that the guide names"),
        ),
    }
    (facts, findings)
}

fn may_not(action: &str, error: &StoreError) -> String {
    format!("dynamodb:{action} cannot be asked: {error}")
}

fn describe(
    table: &TableDescription,
    facts: &mut Vec<(&'static str, String)>,
    find: &mut impl FnMut(Severity, String),
) {
    let billing = table.billing_mode_summary().and_then(|billing| billing.billing_mode());
    let units = table.provisioned_throughput();
    let capacity = match (billing, units) {
        (Some(BillingMode::PayPerRequest), _) | (None, None) => "by request".to_owned(),
        (_, units) => {
            let (read, write) = units.map_or((0, 0), |units| {
                let read = units.read_capacity_units();
                (read.unwrap_or_default(), units.write_capacity_units().unwrap_or_default())
            });
            format!("{read} read and {write} write units")
        }
    };
    facts.push(("capacity", capacity));
    facts.push(("items", table.item_count().unwrap_or_default().to_string()));
    if table.deletion_protection_enabled() == Some(false) {
        let message = "deletion protection is off: one call could delete the table";
        find(Severity::Warning, message.to_owned());
    }
}

async fn has_pitr(link: &Link) -> Result<bool, StoreError> {
    let request = link.client.describe_continuous_backups().table_name(link.table());
    let answer = link.ask(|| request.clone().send()).await?;
    let backups = answer.continuous_backups_description;
    let pitr = backups.and_then(|backups| backups.point_in_time_recovery_description);
    let status = pitr.and_then(|pitr| pitr.point_in_time_recovery_status);
    Ok(status == Some(PointInTimeRecoveryStatus::Enabled))
}

/// Tries each way to read that a probe does not use anyway, on what is not there.
async fn may_read(link: &Link) -> [(&'static str, Result<(), StoreError>); 3] {
    let many = KeysAndAttributes::builder().keys(ItemKey::new(META, *b"many").attributes());
    let batch = async {
        let many = many.build().map_err(|error| StoreError::Internal(Box::new(error)))?;
        let request = link.client.batch_get_item().request_items(link.table(), many);
        link.ask(|| request.clone().send()).await.map(drop)
    };
    let query = |index: Option<&str>, partition: &str| {
        let name = if index.is_some() { "xp" } else { "pk" };
        let request = link
            .client
            .query()
            .table_name(link.table())
            .set_index_name(index.map(str::to_owned))
            .key_condition_expression(format!("{name} = :it"))
            .expression_attribute_values(":it", AttributeValue::S(partition.to_owned()))
            .limit(1);
        async move { link.ask(|| request.clone().send()).await.map(drop) }
    };
    [
        ("BatchGetItem", batch.await),
        ("Query on the table", query(None, META).await),
        ("Query on the index `expiring`", query(Some(EXPIRING), META).await),
    ]
}

/// Tries each kind of write, under a condition that never holds.
async fn may_write(link: &Link) -> Result<(), StoreError> {
    let broken = |error| StoreError::Internal(Box::new(error));
    let table = link.table();
    let key = |name: &[u8]| Some(ItemKey::new(META, name).attributes());
    let put = Put::builder().table_name(table).set_item(key(b"put")).condition_expression(NEVER);
    let update = Update::builder().table_name(table).set_key(key(b"update"));
    let update = update.update_expression("REMOVE v").condition_expression(NEVER);
    let delete = Delete::builder().table_name(table).set_key(key(b"delete"));
    let delete = delete.condition_expression(NEVER);
    let check = ConditionCheck::builder().table_name(table).set_key(key(b"check"));
    let check = check.condition_expression(NEVER);
    let item = TransactWriteItem::builder;
    let request = link
        .client
        .transact_write_items()
        .transact_items(item().put(put.build().map_err(broken)?).build())
        .transact_items(item().update(update.build().map_err(broken)?).build())
        .transact_items(item().delete(delete.build().map_err(broken)?).build())
        .transact_items(item().condition_check(check.build().map_err(broken)?).build());
    let send = || request.clone().send();
    match link.until_with(crate::commit::failure, &mut link.budget(), send).await {
        Ok(_) | Err(Failure::Changed) => Ok(()),
        Err(failure) => Err(failure.into_error(false)),
    }
}
