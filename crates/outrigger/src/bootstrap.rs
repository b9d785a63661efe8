//! The first administrator.

use anyhow::{Context, Result};
use outrigger_domain::Services;
use outrigger_kernel::Ctx;
use outrigger_kernel::secret::ExposeSecret;

use crate::config::Config;

/// Makes the administrator that the settings name, once; without one, prints a one-time link while
/// there is no administrator.
///
/// # Errors
/// When the settings' administrator cannot be made.
pub(crate) async fn administrator(config: &Config, services: &Services) -> Result<()> {
    let ctx = Ctx::system("start");
    if !config.admin.email.is_empty() {
        let password = config.admin.password.secret().clone();
        let made = services.auth.create_first_admin(&ctx, &config.admin.email, password).await;
        if made
            .context("admin.email and admin.password: the administrator cannot be made")?
            .is_some()
        {
            tracing::info!(email = config.admin.email, "the administrator was made");
        }
        return Ok(());
    }
    if let Some(link) = services.auth.setup_link().await? {
        let url = format!("{}/setup?token={}", config.public_url(), link.token.expose_secret());
        // Not through the log: a log is kept and read by others, this link is for once.
        crate::cli::say(&format!(
            "There is no administrator yet. Open this link once, before {}, to make one:\n\n  {url}\n",
            link.expires_at
        ));
    }
    Ok(())
}
