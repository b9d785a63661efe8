//! Sends a transaction until it is known what became of it.

use aws_sdk_dynamodb::error::SdkError;
use aws_sdk_dynamodb::operation::transact_write_items::TransactWriteItemsError;
use aws_sdk_dynamodb::types::{
    AttributeValue, CancellationReason, ConditionCheck, Delete, Put, ReturnConsumedCapacity,
    TransactWriteItem, Update,
};
use outrigger_ports::store::{Cause, StoreError};

use super::Commit;
use super::plan::{Action, Actions, Guard};
use crate::error::Failure;
use crate::item::{Item, Stamp};
use crate::key::ItemKey;

/// What became of a transaction.
#[derive(Debug)]
pub(super) enum Outcome {
    /// It is done.
    Done,
    /// Something is not as it was read; nothing was done.
    Changed,
    /// It was done or not: an answer was lost, and then something was not as it was read.
    Unclear(Cause),
}

impl Commit<'_> {
    /// Does it, or nothing of it.
    ///
    /// # Errors
    /// [`StoreError::OutcomeUnknown`] when no answer came until the time was over; after any other
    /// nothing was done.
    pub(super) async fn transact(
        &mut self,
        stamp: Stamp,
        actions: Actions,
    ) -> Result<Outcome, StoreError> {
        if actions.is_empty() {
            return Ok(Outcome::Done);
        }
        let items = actions.iter().map(|(key, action)| action.request(self.link.table(), key));
        let items = items.collect::<Result<Vec<_>, _>>()?;
        let request = self
            .link
            .client
            .transact_write_items()
            .set_transact_items(Some(items))
            .client_request_token(stamp.to_string())
            .return_consumed_capacity(ReturnConsumedCapacity::Total);
        let mut lost = None;
        loop {
            let failure = match request.clone().send().await {
                Ok(answer) => {
                    self.link.meter.wrote(self.call, answer.consumed_capacity());
                    return Ok(Outcome::Done);
                }
                Err(error) => failure(&error),
            };
            let Some(reason) = failure.reason() else {
                return match (failure, lost) {
                    (Failure::Changed, None) => Ok(Outcome::Changed),
                    (Failure::Final(error), None) => Err(error),
                    (_, Some(cause)) => Ok(Outcome::Unclear(cause)),
                    (failure, None) => Err(failure.into_error(true)),
                };
            };
            if !self.link.pause(&mut self.budget).await {
                return match (failure, lost) {
                    (_, Some(cause)) => Err(StoreError::OutcomeUnknown(cause)),
                    (failure, None) => Err(failure.into_error(true)),
                };
            }
            self.link.meter.retried(reason);
            if let Failure::Silent(cause) = failure {
                lost = Some(cause);
            }
        }
    }
}

/// An update that sets some attributes and removes others; a name may be a word of DynamoDB's.
fn change(
    table: &str,
    key: &ItemKey,
    set: &Item,
    removed: &[&str],
    guard: &Guard,
) -> Result<Update, StoreError> {
    let (condition, value) = guard.expression();
    let sets: Vec<String> = set.keys().map(|name| format!("#{name} = :{name}")).collect();
    let names: Vec<String> = removed.iter().map(|name| format!("#{name}")).collect();
    let remove = if names.is_empty() { "" } else { " REMOVE " };
    let expression = format!("SET {}{remove}{}", sets.join(", "), names.join(", "));
    let mut update = Update::builder()
        .table_name(table)
        .set_key(Some(key.attributes()))
        .update_expression(expression)
        .set_condition_expression(condition.map(str::to_owned));
    for (name, value) in set {
        update = update.expression_attribute_values(format!(":{name}"), value.clone());
    }
    if let Some((name, value)) = value {
        update = update.expression_attribute_values(name, value);
    }
    for name in set.keys().map(String::as_str).chain(removed.iter().copied()) {
        update = update.expression_attribute_names(format!("#{name}"), name);
    }
    update.build().map_err(|error| StoreError::Internal(Box::new(error)))
}

/// What a failed transaction means: of all reasons the one that decides.
pub(crate) fn failure(error: &SdkError<TransactWriteItemsError>) -> Failure {
    let Some(TransactWriteItemsError::TransactionCanceledException(cancelled)) =
        error.as_service_error()
    else {
        return Failure::of(error);
    };
    let reasons = cancelled.cancellation_reasons();
    let is = |code: &'static str| reasons.iter().any(|reason| reason.code() == Some(code));
    let said = reasons.iter().filter_map(CancellationReason::message).collect::<Vec<_>>();
    let cause = || Cause::from(format!("the transaction was cancelled: {}", said.join("; ")));
    if is("ConditionalCheckFailed") {
        Failure::Changed
    } else if is("TransactionConflict") {
        Failure::Conflict(cause())
    } else if is("ThrottlingError") || is("ProvisionedThroughputExceeded") {
        Failure::Throttled(cause())
    } else if is("AccessDenied") {
        Failure::Final(StoreError::Unavailable(cause()))
    } else {
        Failure::Final(StoreError::Internal(cause()))
    }
}

impl Guard {
    /// The condition, and the value in it.
    fn expression(&self) -> (Option<&'static str>, Option<(&'static str, AttributeValue)>) {
        match self {
            Self::None => (None, None),
            Self::Absent => (Some("attribute_not_exists(pk)"), None),
            Self::There => (Some("attribute_exists(pk)"), None),
            Self::Stamp(stamp) => (Some("t = :was"), Some((":was", stamp.attribute()))),
        }
    }
}

impl Action {
    /// As a part of a request.
    fn request(&self, table: &str, key: &ItemKey) -> Result<TransactWriteItem, StoreError> {
        let broken = |error| StoreError::Internal(Box::new(error));
        let item = TransactWriteItem::builder();
        let values = |value: Option<(&str, AttributeValue)>| {
            value.map(|(name, value)| Item::from([(name.to_owned(), value)]))
        };
        let item = match self {
            Self::Put(attributes, guard) => {
                let (condition, value) = guard.expression();
                let put = Put::builder().table_name(table).set_item(Some(attributes.clone()));
                let put = put.set_condition_expression(condition.map(str::to_owned));
                let put = put.set_expression_attribute_values(values(value));
                item.put(put.build().map_err(broken)?)
            }
            Self::Change(set, removed, guard) => {
                item.update(change(table, key, set, removed, guard)?)
            }
            Self::Delete(guard) => {
                let (condition, value) = guard.expression();
                let delete = Delete::builder().table_name(table).set_key(Some(key.attributes()));
                let delete = delete.set_condition_expression(condition.map(str::to_owned));
                let delete = delete.set_expression_attribute_values(values(value));
                item.delete(delete.build().map_err(broken)?)
            }
            Self::Check(guard) => {
                let (condition, value) = guard.expression();
                let check = ConditionCheck::builder().table_name(table);
                let check = check.set_key(Some(key.attributes()));
                let check = check.set_condition_expression(condition.map(str::to_owned));
                let check = check.set_expression_attribute_values(values(value));
                item.condition_check(check.build().map_err(broken)?)
            }
        };
        Ok(item.build())
    }
}
