//! What is kept of a user, what clients see of it, and what they may change.

use std::fmt;

use outrigger_kernel::{Role, Timestamp};
use outrigger_ports::collection::{Entity, unique};
use outrigger_ports::index_value;
use outrigger_ports::store::Entry;
use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::{Deserialize, Deserializer, Serialize};

use crate::notifications::messages::Reader;

/// An Argon2 hash in the PHC string format. Never printed.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct PasswordHash(String);

impl PasswordHash {
    /// Takes a PHC string.
    pub fn new(phc: String) -> Self {
        Self(phc)
    }

    /// The PHC string.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for PasswordHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PasswordHash([redacted])")
    }
}

/// A user as the store keeps it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct User {
    /// Normalised: trimmed, lower case. Unique.
    pub email: String,
    /// What to call the person.
    pub name: Option<String>,
    /// BCP 47, such as `de-AT`.
    pub locale: Option<String>,
    /// IANA, such as `Europe/Vienna`.
    pub time_zone: Option<String>,
    /// ISO 4217, such as `EUR`.
    pub currency: Option<String>,
    /// What the user may do.
    pub role: Role,
    /// A disabled user has no live session and gets none.
    pub disabled: bool,
    /// Whether the address is known to be the user's own.
    pub email_verified: bool,
    /// The hash of the password.
    pub password_hash: PasswordHash,
    /// Sessions that were started in an earlier epoch are dead. It grows when the password is
    /// changed and when the user is disabled, so one write ends any number of sessions.
    pub epoch: u32,
    /// When the account was made.
    pub created_at: Timestamp,
    /// When something of it was changed last.
    pub updated_at: Timestamp,
}

impl User {
    /// Who reads what is written to the user.
    pub(crate) fn reader(&self) -> Reader {
        let Self { name, locale, time_zone, currency, .. } = self.clone();
        Reader { name, locale, time_zone, currency }
    }

    /// Whether this is one of those who may do everything, now.
    pub(crate) fn is_active_admin(&self) -> bool {
        self.role.is_admin() && !self.disabled
    }
}

impl Entity for User {
    const COLLECTION: &'static str = "sys.users";
    const NAME: &'static str = "user";

    fn entries(&self) -> Vec<Entry> {
        vec![unique("email", index_value::of_str(&self.email))]
    }
}

/// A user as clients see it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "User")]
pub struct UserView {
    /// `usr_…`
    pub id: String,
    /// The address that the user signs in with, in lower case.
    pub email: String,
    /// What to call the person.
    pub name: Option<String>,
    /// BCP 47, such as `de-AT`.
    pub locale: Option<String>,
    /// IANA, such as `Europe/Vienna`.
    pub time_zone: Option<String>,
    /// ISO 4217, such as `EUR`.
    pub currency: Option<String>,
    /// `user`, `admin` or a role that an administrator made up.
    #[schemars(with = "String")]
    pub role: Role,
    /// Whether the user is kept from signing in.
    pub disabled: bool,
    /// Whether the address is known to be the user's own.
    pub email_verified: bool,
    /// When the account was made, RFC 3339.
    #[schemars(with = "String", extend("format" = "date-time"))]
    pub created_at: Timestamp,
    /// When something of it was changed last, RFC 3339.
    #[schemars(with = "String", extend("format" = "date-time"))]
    pub updated_at: Timestamp,
}

impl UserView {
    /// What clients see of this user.
    pub fn of(id: &str, user: &User) -> Self {
        let user = user.clone();
        Self {
            id: id.to_owned(),
            email: user.email,
            name: user.name,
            locale: user.locale,
            time_zone: user.time_zone,
            currency: user.currency,
            role: user.role,
            disabled: user.disabled,
            email_verified: user.email_verified,
            created_at: user.created_at,
            updated_at: user.updated_at,
        }
    }
}

/// What a new user says of themselves.
#[derive(Clone, Debug, Default, Serialize)]
pub struct NewUser {
    /// As typed; normalised by the service.
    pub email: String,
    /// What to call the person.
    pub name: Option<String>,
    /// BCP 47.
    pub locale: Option<String>,
    /// IANA.
    pub time_zone: Option<String>,
    /// ISO 4217.
    pub currency: Option<String>,
}

/// A change of one field: absent in JSON = keep, `null` = clear, a value = set.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Patch<T> {
    /// Stays as it is.
    #[default]
    Keep,
    /// Is emptied.
    Clear,
    /// Becomes this.
    Set(T),
}

impl<T> Patch<T> {
    /// Changes `field` as asked.
    pub(crate) fn apply(self, field: &mut Option<T>) {
        match self {
            Self::Keep => {}
            Self::Clear => *field = None,
            Self::Set(value) => *field = Some(value),
        }
    }

    /// The same with the value checked or normalised.
    pub(crate) fn try_map<U, E>(self, f: impl FnOnce(T) -> Result<U, E>) -> Result<Patch<U>, E> {
        Ok(match self {
            Self::Keep => Patch::Keep,
            Self::Clear => Patch::Clear,
            Self::Set(value) => Patch::Set(f(value)?),
        })
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Patch<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(Option::<T>::deserialize(deserializer)?.map_or(Self::Clear, Self::Set))
    }
}

impl<T: JsonSchema> JsonSchema for Patch<T> {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> std::borrow::Cow<'static, str> {
        format!("Patch_{}", T::schema_name()).into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        Option::<T>::json_schema(generator)
    }
}

/// What users may change of themselves. Absent = unchanged, null = cleared.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct ProfilePatch {
    /// What to call the person, up to 100 characters.
    pub name: Patch<String>,
    /// BCP 47, such as `de-AT`.
    pub locale: Patch<String>,
    /// IANA, such as `Europe/Vienna`.
    pub time_zone: Patch<String>,
    /// ISO 4217, such as `EUR`.
    pub currency: Patch<String>,
}

/// What administrators may change of a user. Absent = unchanged, null = cleared.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct AdminPatch {
    /// What to call the person, up to 100 characters.
    pub name: Patch<String>,
    /// BCP 47, such as `de-AT`.
    pub locale: Patch<String>,
    /// IANA, such as `Europe/Vienna`.
    pub time_zone: Patch<String>,
    /// ISO 4217, such as `EUR`.
    pub currency: Patch<String>,
    /// The new role, `[a-z][a-z0-9_-]{0,31}`; takes effect at the user's next request.
    pub role: Option<String>,
    /// `true` ends all sessions of the user and keeps them from signing in.
    pub disabled: Option<bool>,
}
