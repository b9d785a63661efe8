//! Which index answers a list.
//!
//! An index serves a list when the filters fix its first fields to one value each and what follows
//! is the asked order (or a range on the next field). Among those, the one that uses most filters
//! wins; filters that it does not use are applied to what it finds.

use outrigger_kernel::{Error, Result};
use outrigger_ports::index_value::{self, Range};
use outrigger_ports::store::Order;

use super::definition::Compiled;
use super::field::{Column, Field};
use super::filter::{Condition, ListRequest, Op, intersect};
use super::index::Index;

/// How a list is answered.
#[derive(Debug)]
pub(crate) struct Plan<'c> {
    index: Option<&'c Index>,
    pub(crate) range: Range,
    pub(crate) descending: bool,
    /// Filters that the index does not apply.
    pub(crate) residual: Vec<Condition>,
    /// The filters that it does; part of what a cursor is valid for.
    used: usize,
}

impl Plan<'_> {
    /// The order in the store.
    pub(crate) fn order(&self) -> Order<'_> {
        match self.index {
            None => Order::Id,
            Some(index) if index.is_unique => Order::Unique(&index.store_name),
            Some(index) => Order::Index(&index.store_name),
        }
    }
}

/// Chooses how to answer; `own` is the user whose records alone are to be seen.
///
/// # Errors
/// `invalid` naming the parameter whose field no index serves; `conflict` (`index_building`) when
/// one will soon.
pub(crate) fn plan<'c>(
    compiled: &'c Compiled,
    request: &ListRequest,
    own: Option<&str>,
) -> Result<Plan<'c>> {
    let schema = compiled.definition.input.schema.as_ref();
    let mut conditions = Vec::with_capacity(request.filters.len() + 1);
    for (name, op, text) in &request.filters {
        let column = indexed_column(compiled, name, name)?;
        conditions.push(Condition::new(column, *op, name, text, schema)?);
    }
    if let Some(user) = own {
        let column = Column::new(Field::CreatedBy, schema);
        conditions.push(Condition::new(column, Op::Eq, "created_by", user, schema)?);
    }
    let mut sort = Vec::with_capacity(request.sort.len());
    for (name, _) in &request.sort {
        sort.push(indexed_column(compiled, name, "sort")?);
    }
    let descending = request.sort.first().is_some_and(|(_, descending)| *descending);
    let ready = compiled.indexes.iter().filter(|index| compiled.is_ready(index));
    let best = ready
        .filter_map(|index| by_index(index, &conditions, &sort, descending))
        .chain(by_id(&conditions, &sort, descending))
        .max_by_key(|plan| (plan.used, plan.index.is_none()));
    best.ok_or_else(|| {
        let names: Vec<&str> = request.sort.iter().map(|(name, _)| name.as_str()).collect();
        Error::invalid(
            &["query", "sort"],
            "not_indexed",
            format!("no index serves this order together with the filters; declare an index on the fields that are filtered by one value, then {}", names.join(",")),
        )
    })
}

/// The column of a field that can be filtered and sorted by.
fn indexed_column(compiled: &Compiled, name: &str, parameter: &str) -> Result<Column> {
    let schema = compiled.definition.input.schema.as_ref();
    let column = Field::parse(name).map(|field| Column::new(field, schema));
    let unknown = || {
        let message = format!("{name} is in no declared index of {}", compiled.name);
        Error::invalid(&["query", parameter], "not_indexed", message)
    };
    let column = column.ok_or_else(unknown)?;
    if column.field == Field::Id {
        return Ok(column);
    }
    let mut serving = compiled.indexes.iter().filter(|i| i.columns.contains(&column)).peekable();
    if serving.peek().is_none() {
        return Err(unknown());
    }
    if serving.any(|index| compiled.is_ready(index)) {
        return Ok(column);
    }
    Err(Error::conflict(
        "index_building",
        format!("the index on {name} is being built; its progress is shown by the collection"),
    ))
}

fn by_index<'c>(
    index: &'c Index,
    conditions: &[Condition],
    sort: &[Column],
    descending: bool,
) -> Option<Plan<'c>> {
    let equal =
        |column: &Column| conditions.iter().position(|c| c.op == Op::Eq && c.column == *column);
    let mut used = Vec::new();
    let mut start = Vec::new();
    for column in &index.columns {
        let Some(position) = equal(column) else { break };
        start.extend_from_slice(&conditions[position].value);
        used.push(position);
    }
    let rest = &index.columns[used.len()..];
    let is_fixed = |column: &Column| equal(column).is_some_and(|position| used.contains(&position));
    let asked: Vec<&Column> = sort.iter().filter(|column| !is_fixed(column)).collect();
    if asked.len() > rest.len() || asked.iter().zip(rest).any(|(a, b)| **a != *b) {
        return None;
    }
    let mut range = match start.is_empty() {
        true => index_value::all(),
        false => index_value::starting_with(start.clone()),
    };
    if let Some(next) = rest.first() {
        for (position, condition) in conditions.iter().enumerate() {
            if condition.column == *next && !used.contains(&position) {
                range = intersect(range, condition.range_after(&start));
                used.push(position);
            }
        }
    }
    let is_useful = !used.is_empty() || !asked.is_empty();
    // A unique index leaves out records without a value; fine only when every column has to have one.
    let is_complete =
        !index.is_unique || index.columns.iter().all(|c| conditions.iter().any(|x| x.column == *c));
    (is_useful && is_complete).then(|| Plan {
        index: Some(index),
        range,
        descending,
        residual: others(conditions, &used),
        used: used.len(),
    })
}

fn by_id<'c>(conditions: &[Condition], sort: &[Column], descending: bool) -> Option<Plan<'c>> {
    if sort.iter().any(|column| column.field != Field::Id) {
        return None;
    }
    let used: Vec<usize> =
        (0..conditions.len()).filter(|position| conditions[*position].is_on_id()).collect();
    let range = used
        .iter()
        .fold(index_value::all(), |range, p| intersect(range, conditions[*p].range_of_ids()));
    let residual = others(conditions, &used);
    Some(Plan { index: None, range, descending, residual, used: used.len() })
}

fn others(conditions: &[Condition], used: &[usize]) -> Vec<Condition> {
    let kept = conditions.iter().enumerate().filter(|(position, _)| !used.contains(position));
    kept.map(|(_, condition)| condition.clone()).collect()
}
