//! What a list is asked for: filters, sort, page.

use outrigger_kernel::{Error, Result, limits};
use outrigger_ports::index_value::{self, Range};
use serde_json::Value;
use std::borrow::Cow;
use std::ops::Bound;

use super::field::{Column, Field, Meta};
use super::typed;

/// A list as it is asked for in a query string.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListRequest {
    /// Most records on the page.
    pub(crate) limit: usize,
    /// Where the page before ended.
    pub(crate) cursor: Option<String>,
    /// Fields and whether each is descending.
    pub(crate) sort: Vec<(String, bool)>,
    /// Name, operator and value.
    pub(crate) filters: Vec<(String, Op, String)>,
}

/// How a filter compares.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Op {
    Eq,
    Gt,
    Gte,
    Lt,
    Lte,
    Prefix,
}

/// A filter on a known column.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Condition {
    pub(crate) column: Column,
    pub(crate) op: Op,
    /// The encoded value, or the start of it for a prefix.
    pub(crate) value: Vec<u8>,
    /// The text of the value, for filters on ids.
    pub(crate) text: String,
}

impl ListRequest {
    /// Reads the pairs of a query string: `limit`, `cursor`, `sort`, and filters such as `status`
    /// or `created_at[gte]`.
    ///
    /// # Errors
    /// `invalid` naming the parameter.
    pub fn parse<'a>(pairs: impl Iterator<Item = (Cow<'a, str>, Cow<'a, str>)>) -> Result<Self> {
        let mut request = Self {
            limit: limits::PAGE_DEFAULT,
            cursor: None,
            sort: Vec::new(),
            filters: Vec::new(),
        };
        for (name, value) in pairs {
            match name.as_ref() {
                "limit" => request.limit = parse_limit(&value)?,
                "cursor" => request.cursor = Some(value.into_owned()),
                "sort" => request.sort = parse_sort(&value)?,
                _ => request.filters.push(parse_filter(&name, &value)?),
            }
        }
        Ok(request)
    }
}

/// Reads `limit`.
///
/// # Errors
/// `invalid` when it is not a number from 1 to [`limits::PAGE_MAX`].
pub fn parse_limit(text: &str) -> Result<usize> {
    text.parse().ok().filter(|limit| (1..=limits::PAGE_MAX).contains(limit)).ok_or_else(|| {
        let message = format!("expected a number from 1 to {}", limits::PAGE_MAX);
        Error::invalid(&["query", "limit"], "range", message)
    })
}

fn parse_sort(text: &str) -> Result<Vec<(String, bool)>> {
    let fields: Vec<(String, bool)> = text
        .split(',')
        .map(|field| match field.strip_prefix('-') {
            Some(name) => (name.to_owned(), true),
            None => (field.to_owned(), false),
        })
        .collect();
    if fields.windows(2).any(|pair| pair[0].1 != pair[1].1) {
        return Err(Error::invalid(
            &["query", "sort"],
            "mixed_directions",
            "all fields of a sort go in the same direction",
        ));
    }
    Ok(fields)
}

fn parse_filter(name: &str, value: &str) -> Result<(String, Op, String)> {
    let (field, op) = match name.split_once('[') {
        None => (name, Op::Eq),
        Some((field, rest)) => {
            let op = match rest.strip_suffix(']') {
                Some("eq") => Op::Eq,
                Some("gt") => Op::Gt,
                Some("gte") => Op::Gte,
                Some("lt") => Op::Lt,
                Some("lte") => Op::Lte,
                Some("prefix") => Op::Prefix,
                _ => {
                    return Err(Error::invalid(
                        &["query", name],
                        "unknown_operator",
                        "the operators are eq, gt, gte, lt, lte and prefix",
                    ));
                }
            };
            (field, op)
        }
    };
    Ok((field.to_owned(), op, value.to_owned()))
}

impl Condition {
    /// A filter on this column.
    ///
    /// # Errors
    /// `invalid` naming the parameter when the value is not of the field's type.
    pub(crate) fn new(
        column: Column,
        op: Op,
        name: &str,
        text: &str,
        schema: Option<&Value>,
    ) -> Result<Self> {
        let value = if op == Op::Prefix {
            if column.is_time {
                return Err(Error::invalid(
                    &["query", name],
                    "unknown_operator",
                    "a date-time has no prefix; use gte and lt",
                ));
            }
            let mut start = Vec::new();
            index_value::string_prefix(&mut start, text);
            start
        } else {
            typed::encode(&column, schema, name, text)?
        };
        Ok(Self { column, op, value, text: text.to_owned() })
    }

    /// Whether a record has what is asked for; the same answer as the index would give.
    pub(crate) fn holds(&self, meta: &Meta<'_>, data: &Value) -> bool {
        let mut actual = Vec::new();
        if self.column.encode(&mut actual, meta, data).is_err() {
            return false;
        }
        contains(&self.range_after(&[]), &actual)
    }

    /// The range of encoded values that the filter leaves, behind a fixed start.
    pub(crate) fn range_after(&self, start: &[u8]) -> Range {
        let behind = |tail: &[u8]| [start, tail].concat();
        // A comparison stays within one kind of value: numbers are not below all strings here.
        let kind = self.value.first().copied().unwrap_or(0) & 0xF0;
        let (floor, ceiling) = (behind(&[kind]), behind(&[kind + 0x10]));
        let value = behind(&self.value);
        // With more columns behind this one, "equal" is everything that starts with the value.
        let past = |mut value: Vec<u8>| {
            value.push(0xFF);
            value
        };
        match self.op {
            Op::Eq | Op::Prefix => index_value::starting_with(value),
            Op::Gt => (Bound::Excluded(past(value)), Bound::Excluded(ceiling)),
            Op::Gte => (Bound::Included(value), Bound::Excluded(ceiling)),
            Op::Lt => (Bound::Included(floor), Bound::Excluded(value)),
            Op::Lte => (Bound::Included(floor), Bound::Excluded(past(value))),
        }
    }

    /// The same for the order of ids, whose values are the ids' own bytes.
    pub(crate) fn range_of_ids(&self) -> Range {
        let value = self.text.clone().into_bytes();
        match self.op {
            Op::Eq => index_value::exactly(value),
            Op::Prefix => index_value::starting_with(value),
            Op::Gt => (Bound::Excluded(value), Bound::Unbounded),
            Op::Gte => (Bound::Included(value), Bound::Unbounded),
            Op::Lt => (Bound::Unbounded, Bound::Excluded(value)),
            Op::Lte => (Bound::Unbounded, Bound::Included(value)),
        }
    }

    /// Whether the filter is on the record's id.
    pub(crate) fn is_on_id(&self) -> bool {
        self.column.field == Field::Id
    }
}

fn contains(range: &Range, value: &[u8]) -> bool {
    let above = match &range.0 {
        Bound::Included(low) => value >= low.as_slice(),
        Bound::Excluded(low) => value > low.as_slice(),
        Bound::Unbounded => true,
    };
    let below = match &range.1 {
        Bound::Included(high) => value <= high.as_slice(),
        Bound::Excluded(high) => value < high.as_slice(),
        Bound::Unbounded => true,
    };
    above && below
}

/// What both ranges allow.
pub(crate) fn intersect(a: Range, b: Range) -> Range {
    let low = match (a.0, b.0) {
        (Bound::Unbounded, other) | (other, Bound::Unbounded) => other,
        (Bound::Included(x), Bound::Included(y)) => Bound::Included(x.max(y)),
        (Bound::Excluded(x), Bound::Excluded(y)) => Bound::Excluded(x.max(y)),
        (Bound::Included(i), Bound::Excluded(e)) | (Bound::Excluded(e), Bound::Included(i)) => {
            if i > e { Bound::Included(i) } else { Bound::Excluded(e) }
        }
    };
    let high = match (a.1, b.1) {
        (Bound::Unbounded, other) | (other, Bound::Unbounded) => other,
        (Bound::Included(x), Bound::Included(y)) => Bound::Included(x.min(y)),
        (Bound::Excluded(x), Bound::Excluded(y)) => Bound::Excluded(x.min(y)),
        (Bound::Included(i), Bound::Excluded(e)) | (Bound::Excluded(e), Bound::Included(i)) => {
            if i < e { Bound::Included(i) } else { Bound::Excluded(e) }
        }
    };
    (low, high)
}
