//! Reads a part of a partition, page by page.

use aws_sdk_dynamodb::primitives::Blob;
use aws_sdk_dynamodb::types::{AttributeValue, ReturnConsumedCapacity};
use outrigger_ports::store::StoreError;

use crate::item::Item;
use crate::link::Link;
use crate::meter::Call;
use crate::span::Span;

/// A part of a partition, and how it is read.
#[derive(Clone, Debug)]
pub(crate) struct Reading {
    pub(crate) call: Call,
    pub(crate) partition: String,
    pub(crate) span: Span,
    pub(crate) descending: bool,
    /// An answer that lags behind costs half.
    pub(crate) may_lag: bool,
}

impl Reading {
    /// Reads up to `limit` items from `start` on, fewer when they are large; and where to go on, if
    /// there may be more.
    ///
    /// # Errors
    /// As [`Link::ask`].
    pub(crate) async fn page(
        &self,
        link: &Link,
        limit: usize,
        start: Option<Item>,
    ) -> Result<(Vec<Item>, Option<Item>), StoreError> {
        if self.span.is_empty() {
            return Ok((Vec::new(), None));
        }
        let bytes = |bytes: &[u8]| AttributeValue::B(Blob::new(bytes));
        let request = link
            .client
            .query()
            .table_name(link.table())
            .key_condition_expression("pk = :pk AND sk BETWEEN :from AND :to")
            .expression_attribute_values(":pk", AttributeValue::S(self.partition.clone()))
            .expression_attribute_values(":from", bytes(&self.span.from))
            .expression_attribute_values(":to", bytes(&self.span.to))
            .scan_index_forward(!self.descending)
            .consistent_read(!self.may_lag)
            .limit(i32::try_from(limit).unwrap_or(i32::MAX).max(1))
            .set_exclusive_start_key(start)
            .return_consumed_capacity(ReturnConsumedCapacity::Total);
        let answer = link.ask(|| request.clone().send()).await?;
        link.meter.read(self.call, answer.consumed_capacity.as_slice());
        Ok((answer.items.unwrap_or_default(), answer.last_evaluated_key))
    }
}
