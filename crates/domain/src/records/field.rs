//! A field by which records are found: one of the record's own, or a path into its data.

use outrigger_kernel::Timestamp;
use outrigger_ports::index_value;
use serde_json::Value;

/// One field.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Field {
    Id,
    CreatedAt,
    UpdatedAt,
    CreatedBy,
    /// The names on the way into the data.
    Data(Vec<String>),
}

/// The record's own fields.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Meta<'a> {
    pub(crate) id: &'a str,
    pub(crate) created_at: Timestamp,
    pub(crate) updated_at: Timestamp,
    pub(crate) created_by: Option<&'a str>,
}

/// A field and how its values are compared.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Column {
    pub(crate) field: Field,
    /// The schema says that the values are date-times: compare instants, not text.
    pub(crate) is_time: bool,
}

/// Why a value has no place in an index.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum NoIndexValue {
    /// Arrays and objects have no order.
    Composite,
    /// The schema promises a date-time, and this is none.
    NotATime,
}

impl Field {
    /// Reads a field's name; `None` when it is none.
    pub(crate) fn parse(name: &str) -> Option<Self> {
        Some(match name {
            "id" => Self::Id,
            "created_at" => Self::CreatedAt,
            "updated_at" => Self::UpdatedAt,
            "created_by" => Self::CreatedBy,
            path => {
                let parts: Vec<String> = path.split('.').map(ToOwned::to_owned).collect();
                let fits = path.len() <= 64
                    && parts.iter().all(|p| outrigger_kernel::id::is_valid_name(p));
                return fits.then_some(Self::Data(parts));
            }
        })
    }

    /// The part of the schema that describes this field, where it can be found by simple descent.
    pub(crate) fn schema<'s>(&self, schema: Option<&'s Value>) -> Option<&'s Value> {
        let Self::Data(path) = self else { return None };
        path.iter().try_fold(schema?, |schema, name| schema.get("properties")?.get(name))
    }

    /// The path below `body` in messages.
    pub(crate) fn path(&self) -> &[String] {
        match self {
            Self::Data(path) => path,
            _ => &[],
        }
    }

    fn value<'v>(&self, data: &'v Value) -> &'v Value {
        match self {
            Self::Data(path) => {
                path.iter().try_fold(data, |value, name| value.get(name)).unwrap_or(&Value::Null)
            }
            _ => &Value::Null,
        }
    }
}

impl Column {
    /// The column of this field under this schema.
    pub(crate) fn new(field: Field, schema: Option<&Value>) -> Self {
        let is_time = match &field {
            Field::CreatedAt | Field::UpdatedAt => true,
            Field::Id | Field::CreatedBy => false,
            Field::Data(_) => field.schema(schema).is_some_and(|s| s["format"] == "date-time"),
        };
        Self { field, is_time }
    }

    /// Appends the record's value, and says whether there is one (null counts as none).
    pub(crate) fn encode(
        &self,
        out: &mut Vec<u8>,
        meta: &Meta<'_>,
        data: &Value,
    ) -> Result<bool, NoIndexValue> {
        match &self.field {
            Field::Id => index_value::string(out, meta.id),
            Field::CreatedAt => index_value::time(out, meta.created_at),
            Field::UpdatedAt => index_value::time(out, meta.updated_at),
            Field::CreatedBy => match meta.created_by {
                Some(user) => index_value::string(out, user),
                None => {
                    index_value::null(out);
                    return Ok(false);
                }
            },
            Field::Data(_) => return self.encode_value(out, self.field.value(data)),
        }
        Ok(true)
    }

    /// Appends a value given as JSON, and says whether it is one.
    pub(crate) fn encode_value(
        &self,
        out: &mut Vec<u8>,
        value: &Value,
    ) -> Result<bool, NoIndexValue> {
        match value {
            Value::Null => {
                index_value::null(out);
                return Ok(false);
            }
            Value::Bool(value) => index_value::boolean(out, *value),
            Value::Number(number) => match (number.as_i64(), number.as_u64()) {
                (Some(signed), _) => index_value::integer(out, signed.into()),
                (None, Some(unsigned)) => index_value::integer(out, unsigned.into()),
                (None, None) => index_value::float(out, number.as_f64().unwrap_or(0.0)),
            },
            Value::String(text) if self.is_time => match Timestamp::parse(text) {
                Some(time) => index_value::time(out, time),
                None => return Err(NoIndexValue::NotATime),
            },
            Value::String(text) => index_value::string(out, text),
            Value::Array(_) | Value::Object(_) => return Err(NoIndexValue::Composite),
        }
        Ok(true)
    }
}
