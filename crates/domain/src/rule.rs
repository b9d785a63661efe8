//! Who may do what with records and files.

use std::borrow::Cow;
use std::fmt;

use outrigger_kernel::{Actor, Ctx, Error, Result};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Who may do something with records or a file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Rule {
    /// Anybody.
    Public,
    /// Who has signed in.
    User,
    /// The user who made it; for `create`, who has signed in.
    Owner,
    /// Users with this role.
    Role(String),
    /// Administrators, who may do everything anyway.
    #[default]
    Admin,
}

impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Public => f.write_str("public"),
            Self::User => f.write_str("user"),
            Self::Owner => f.write_str("owner"),
            Self::Role(name) => write!(f, "role:{name}"),
            Self::Admin => f.write_str("admin"),
        }
    }
}

impl Serialize for Rule {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Rule {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = Cow::<str>::deserialize(deserializer)?;
        match text.as_ref() {
            "public" => Ok(Self::Public),
            "user" => Ok(Self::User),
            "owner" => Ok(Self::Owner),
            "admin" => Ok(Self::Admin),
            other => match other.strip_prefix("role:") {
                Some(name) if outrigger_kernel::id::is_valid_name(name) => {
                    Ok(Self::Role(name.to_owned()))
                }
                _ => Err(serde::de::Error::custom(
                    "a rule is public, user, owner, role:NAME or admin",
                )),
            },
        }
    }
}

impl JsonSchema for Rule {
    fn schema_name() -> Cow<'static, str> {
        "Rule".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({
            "type": "string",
            "description": "public, user, owner, role:NAME or admin",
            "pattern": "^(public|user|owner|admin|role:[A-Za-z0-9_-]{1,64})$",
        })
    }
}

/// Lets the actor pass or refuses. `owner` is who made `what`; for what is not there yet, give the
/// actor itself.
///
/// # Errors
/// `unauthenticated` when signing in may help, `forbidden` for the wrong role, `not_found` for
/// what is another owner's: that it exists is not for them to know.
pub(crate) fn check(rule: &Rule, ctx: &Ctx, owner: Option<&str>, what: &str) -> Result<()> {
    if *rule == Rule::Public || ctx.is_admin() {
        return Ok(());
    }
    let user = ctx.require_user()?;
    match rule {
        Rule::Public | Rule::User => Ok(()),
        Rule::Owner if owner == Some(user) => Ok(()),
        Rule::Owner => Err(Error::not_found(what)),
        Rule::Role(name) if has_role(ctx, name) => Ok(()),
        Rule::Role(name) => Err(Error::forbidden(format!("this needs the role {name}"))),
        Rule::Admin => Err(Error::forbidden("this needs the role admin")),
    }
}

fn has_role(ctx: &Ctx, name: &str) -> bool {
    matches!(&ctx.actor, Actor::User { role, .. } if role.as_str() == name)
}
