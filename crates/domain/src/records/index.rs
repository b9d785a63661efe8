//! The declared indexes of a collection, and the entries of a record in them.

use outrigger_kernel::{Error, FieldError, Result, limits};
use outrigger_ports::store::Entry;
use serde_json::Value;

use super::field::{Column, Field, Meta, NoIndexValue};

/// Separates the fields of an index over several.
const SEPARATOR: char = ',';
/// Stands before the store's name of a unique index, so that the same fields may have both kinds.
const UNIQUE_MARK: &str = "=";
/// Most fields of one index.
const COLUMNS_MAX: usize = 4;

/// One declared index.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Index {
    /// As declared: `status`, or `status,created_at`.
    pub(crate) name: String,
    /// As the store knows it: the name, with a mark on each field that is compared as a time. When
    /// a schema comes to call a field a date-time, its index becomes another one.
    pub(crate) store_name: String,
    pub(crate) columns: Vec<Column>,
    pub(crate) is_unique: bool,
}

impl Index {
    /// Reads a declared index.
    ///
    /// # Errors
    /// `invalid`, with the place to be added by the caller.
    pub(crate) fn parse(name: &str, is_unique: bool, schema: Option<&Value>) -> Result<Self> {
        let columns: Option<Vec<Column>> = name
            .split(SEPARATOR)
            .map(|field| Some(Column::new(Field::parse(field)?, schema)))
            .collect();
        let Some(columns) = columns.filter(|columns| columns.len() <= COLUMNS_MAX) else {
            return Err(Error::invalid(
                &[],
                "index",
                format!("an index names 1 to {COLUMNS_MAX} fields, separated by commas"),
            ));
        };
        let mut store_name = String::from(if is_unique { UNIQUE_MARK } else { "" });
        for (position, (field, column)) in name.split(SEPARATOR).zip(&columns).enumerate() {
            if columns[..position].contains(column) {
                return Err(Error::invalid(&[], "index", "an index names each field once"));
            }
            if position > 0 {
                store_name.push(SEPARATOR);
            }
            store_name.push_str(field);
            if column.is_time {
                store_name.push_str(":time");
            }
        }
        Ok(Self { name: name.to_owned(), store_name, columns, is_unique })
    }

    /// The record's entry; `None` where a unique index has nothing to compare.
    fn entry(&self, meta: &Meta<'_>, data: &Value) -> Result<Option<Entry>> {
        let mut value = Vec::new();
        let mut is_complete = true;
        for column in &self.columns {
            match column.encode(&mut value, meta, data) {
                Ok(present) => is_complete &= present,
                Err(why) => return Err(unfit(column, &why)),
            }
        }
        if value.len() > limits::INDEX_VALUE_BYTES_MAX {
            let last = self.columns.last().map_or(&[][..], |column| column.field.path());
            return Err(Error::invalid_fields(vec![FieldError {
                loc: last.to_vec(),
                code: "indexed_value_too_long".into(),
                message: format!(
                    "the value of index {} is longer than {} bytes",
                    self.name,
                    limits::INDEX_VALUE_BYTES_MAX
                ),
            }]));
        }
        let entry = Entry { index: self.store_name.clone(), value, unique: self.is_unique };
        Ok((is_complete || !self.is_unique).then_some(entry))
    }
}

fn unfit(column: &Column, why: &NoIndexValue) -> Error {
    let (code, message) = match why {
        NoIndexValue::Composite => {
            ("not_indexable", "an indexed field holds a string, a number, a boolean or null")
        }
        NoIndexValue::NotATime => ("format", "expected an RFC 3339 date-time"),
    };
    Error::invalid_fields(vec![FieldError {
        loc: column.field.path().to_vec(),
        code: code.into(),
        message: message.to_owned(),
    }])
}

/// The fields of a unique index, from the store's name of it, for messages; `None` when it is none of
/// records.
pub(crate) fn fields_of(store_name: &str) -> Option<String> {
    Some(store_name.strip_prefix(UNIQUE_MARK)?.replace(":time", ""))
}

/// The entries of a record in all indexes of its collection.
///
/// # Errors
/// `invalid`, relative to the data.
pub(crate) fn entries(indexes: &[Index], meta: &Meta<'_>, data: &Value) -> Result<Vec<Entry>> {
    indexes.iter().filter_map(|index| index.entry(meta, data).transpose()).collect()
}
