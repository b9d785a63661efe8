//! Who may do what with records.

use outrigger_kernel::{Actor, Ctx, Error, Result};

use super::model::Rule;

/// Lets the actor pass or refuses. `created_by` is the record's owner; for what has none yet, give
/// the actor itself.
///
/// # Errors
/// `unauthenticated` when signing in may help, `forbidden` for the wrong role, `not_found` for
/// another owner's record: that it exists is not for them to know.
pub(crate) fn check(rule: &Rule, ctx: &Ctx, created_by: Option<&str>) -> Result<()> {
    if *rule == Rule::Public || ctx.is_admin() {
        return Ok(());
    }
    let user = ctx.require_user()?;
    match rule {
        Rule::Public | Rule::User => Ok(()),
        Rule::Owner if created_by == Some(user) => Ok(()),
        Rule::Owner => Err(Error::not_found("record")),
        Rule::Role(name) if has_role(ctx, name) => Ok(()),
        Rule::Role(name) => Err(Error::forbidden(format!("this needs the role {name}"))),
        Rule::Admin => Err(Error::forbidden("this needs the role admin")),
    }
}

fn has_role(ctx: &Ctx, name: &str) -> bool {
    matches!(&ctx.actor, Actor::User { role, .. } if role.as_str() == name)
}
