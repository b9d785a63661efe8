//! Listing records.

use bytes::Bytes;
use outrigger_kernel::{Ctx, Result, limits};
use outrigger_ports::store::{Document, Found, Position, Query};

use crate::cursor::List;

use super::definition::Compiled;
use super::envelope;
use super::field::Meta;
use super::filter::ListRequest;
use super::plan::{Plan, plan};
use super::rules;
use super::service::Records;
use crate::rule::Rule;

/// A page of records as JSON, for the wire.
#[derive(Clone, Debug)]
pub struct RecordPage {
    /// The records.
    pub items: Vec<Bytes>,
    /// Where the next page starts; `None` on the last one.
    pub next_cursor: Option<String>,
}

impl Records {
    /// Lists records that the filters leave, in the asked order (by id when none is).
    ///
    /// A page may hold fewer records than asked for, or none, and still have a next one: when a
    /// filter is not served by the index in use, no more than
    /// [`limits::PAGE_SCAN_MAX`] records are looked at for one page.
    ///
    /// # Errors
    /// `not_found`, what the rule `list` says, `invalid` naming the parameter, `conflict`
    /// (`index_building`).
    pub async fn list(
        &self,
        ctx: &Ctx,
        collection: &str,
        request: &ListRequest,
    ) -> Result<RecordPage> {
        let compiled = self.definitions.get(collection).await?;
        let rule = &compiled.definition.input.rules.list;
        let own = match rule {
            Rule::Owner if !ctx.is_admin() => Some(ctx.require_user()?),
            _ => {
                rules::check(rule, ctx, ctx.user_id())?;
                None
            }
        };
        let plan = plan(&compiled, request, own)?;
        let pages = pages_of(&compiled, request);
        let after = request.cursor.as_deref().map(|text| pages.read(text)).transpose()?;
        let (documents, next) = self.fill(&compiled, &plan, after, request.limit).await?;
        let render = |document: &Document| {
            envelope::render(&compiled.name, &document.key.id, document.version, &document.body)
        };
        Ok(RecordPage {
            items: documents.iter().map(render).collect(),
            next_cursor: pages.next(next),
        })
    }

    /// Fills one page; says where the next one starts, if there is one.
    async fn fill(
        &self,
        compiled: &Compiled,
        plan: &Plan<'_>,
        mut after: Option<Position>,
        limit: usize,
    ) -> Result<(Vec<Document>, Option<Position>)> {
        let mut page = Vec::with_capacity(limit);
        let mut last_kept = None;
        let mut scanned = 0;
        loop {
            // One more than fits says whether there is a next page.
            let ahead = if plan.residual.is_empty() { limit + 1 } else { limits::PAGE_MAX * 2 };
            let query = Query {
                collection: &compiled.store_collection,
                order: plan.order(),
                range: plan.range.clone(),
                descending: plan.descending,
                after: after.clone(),
                limit: ahead,
                may_lag: true,
            };
            let found = self.store.query(&query).await?;
            let is_last = found.len() < ahead;
            scanned += found.len();
            for Found { position, document } in found {
                if keeps(plan, &document)? {
                    if page.len() == limit {
                        return Ok((page, last_kept));
                    }
                    page.push(document);
                    last_kept = Some(position.clone());
                }
                after = Some(position);
            }
            if is_last {
                return Ok((page, None));
            }
            if scanned >= limits::PAGE_SCAN_MAX {
                return Ok((page, after));
            }
        }
    }
}

/// The list: the collection, its filters and its order.
fn pages_of(compiled: &Compiled, request: &ListRequest) -> List {
    let (sort, filters) = (&request.sort, &request.filters);
    List::of(&format!("{}\0{sort:?}\0{filters:?}", compiled.store_collection))
}

/// Whether the filters that the index did not apply leave this record.
fn keeps(plan: &Plan<'_>, document: &Document) -> Result<bool> {
    if plan.residual.is_empty() {
        return Ok(true);
    }
    let head = envelope::head(document)?;
    let data = envelope::data(document)?;
    let meta = Meta {
        id: &document.key.id,
        created_at: head.created_at,
        updated_at: head.updated_at,
        created_by: head.created_by.as_deref(),
    };
    Ok(plan.residual.iter().all(|condition| condition.holds(&meta, &data)))
}
