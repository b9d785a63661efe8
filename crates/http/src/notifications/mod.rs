//! Telling users things: on the channels that they want, and in their inbox.

pub(crate) mod create;
pub(crate) mod list;
pub(crate) mod messages;
pub(crate) mod preferences;
pub(crate) mod preview;
pub(crate) mod unsubscribe;
pub(crate) mod update;

use outrigger_domain::notifications::messages::Reader;
use outrigger_kernel::{Ctx, Result};

use crate::state::App;

/// The user who asks, as far as words depend on them.
async fn reader(app: &App, ctx: &Ctx) -> Result<Reader> {
    let me = app.services.accounts.me(ctx).await?;
    Ok(Reader { name: me.name, locale: me.locale, time_zone: me.time_zone, currency: me.currency })
}
