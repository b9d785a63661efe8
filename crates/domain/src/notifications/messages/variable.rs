//! What messages are about.

use std::collections::BTreeMap;

use outrigger_kernel::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The values of a message's variables, by name.
pub type Variables = BTreeMap<String, Variable>;

/// A value in a message. Instants and amounts are written as the reader is used to.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum Variable {
    /// As it is.
    Text(String),
    /// A number; chooses the plural form of words around it.
    Number(f64),
    /// An instant, in the reader's time zone.
    Time(Instant),
    /// An amount of money.
    Amount(Amount),
}

/// An instant: `{"time": "2026-01-31T12:00:00Z"}`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Instant {
    /// RFC 3339.
    #[schemars(with = "String", extend("format" = "date-time"))]
    pub time: Timestamp,
}

/// An amount of money: `{"amount": "1234.50", "currency": "EUR"}`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Amount {
    /// A decimal number.
    #[schemars(length(max = 40), regex(pattern = r"^-?[0-9]+(\.[0-9]+)?$"))]
    pub amount: String,
    /// ISO 4217.
    #[schemars(regex(pattern = "^[A-Z]{3}$"))]
    pub currency: String,
}

impl From<Timestamp> for Variable {
    fn from(time: Timestamp) -> Self {
        Self::Time(Instant { time })
    }
}

impl From<&str> for Variable {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}
