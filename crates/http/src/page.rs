//! `limit` and `cursor` of lists, and the pages that answer them.

use std::borrow::Cow;
use std::collections::HashSet;

use axum::extract::FromRequestParts;
use http::request::Parts;
use outrigger_domain::records::parse_limit;
use outrigger_kernel::{Error, Page, PageRequest, Result, limits};
use schemars::JsonSchema;
use serde::Serialize;

use crate::problem::Problem;
use crate::state::App;

/// The parameters of a query.
///
/// # Errors
/// `invalid` when one occurs more than once: which of them is meant?
pub(crate) fn parameters(query: Option<&str>) -> Result<Vec<(Cow<'_, str>, Cow<'_, str>)>> {
    let pairs: Vec<_> = form_urlencoded::parse(query.unwrap_or_default().as_bytes()).collect();
    let mut known = HashSet::with_capacity(pairs.len());
    for (name, _) in &pairs {
        if !known.insert(name) {
            let message = "this parameter occurs more than once";
            return Err(Error::invalid(&["query", name], "repeated", message));
        }
    }
    Ok(pairs)
}

/// Reads `limit` and `cursor`; other parameters are refused.
#[derive(Debug)]
pub struct Paging(pub PageRequest);

impl FromRequestParts<App> for Paging {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &App) -> Result<Self, Problem> {
        let mut page = PageRequest { limit: limits::PAGE_DEFAULT, cursor: None };
        for (name, value) in parameters(parts.uri.query())? {
            match name.as_ref() {
                "limit" => page.limit = parse_limit(&value)?,
                "cursor" => page.cursor = Some(value.into_owned()),
                other => {
                    return Err(Problem(Error::invalid(
                        &["query", other],
                        "unknown_parameter",
                        "this list takes limit and cursor",
                    )));
                }
            }
        }
        Ok(Self(page))
    }
}

/// A page of a list.
#[derive(Debug, Serialize, JsonSchema)]
pub struct PageBody<T> {
    /// The items.
    items: Vec<T>,
    /// Where the next page starts; null on the last one.
    next_cursor: Option<String>,
}

impl<T> From<Page<T>> for PageBody<T> {
    fn from(page: Page<T>) -> Self {
        Self { items: page.items, next_cursor: page.next_cursor }
    }
}
