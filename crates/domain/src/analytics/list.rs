//! Which events there are.

use outrigger_kernel::{Ctx, Page, PageRequest, Result};
use outrigger_ports::index_value;
use outrigger_ports::store::Order;
use schemars::JsonSchema;
use serde::Serialize;

use super::counts::{DAY, QUARTER_S};
use super::service::Analytics;
use crate::cursor::List;

/// A name of events.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct EventName {
    /// The name.
    pub name: String,
    /// The properties by which events of that day can be grouped.
    pub properties: Vec<String>,
    /// The last day (UTC) on which there were some.
    #[schemars(with = "String", extend("format" = "date"))]
    pub last_day: String,
}

impl Analytics {
    /// A page of the names of events that were counted, by the alphabet. For administrators.
    ///
    /// # Errors
    /// `unauthenticated`, `forbidden`; `invalid` for a cursor of another list.
    pub async fn list(&self, ctx: &Ctx, page: &PageRequest) -> Result<Page<EventName>> {
        ctx.require_admin()?;
        let list = List::of("event names");
        let after = list.after(page)?;
        let (found, next) =
            self.names.list(Order::Id, index_value::all(), false, after, page.limit).await?;
        let items = found.into_iter().map(|stored| EventName {
            name: stored.id,
            properties: stored.value.properties.into_iter().collect(),
            last_day: date(stored.value.day),
        });
        Ok(Page { items: items.collect(), next_cursor: list.next(next) })
    }
}

fn date(day: i64) -> String {
    let start = jiff::Timestamp::from_second(day * DAY * QUARTER_S).unwrap_or_default();
    start.strftime("%Y-%m-%d").to_string()
}
