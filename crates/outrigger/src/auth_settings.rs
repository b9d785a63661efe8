//! What the settings say of signing in, as the domain takes it.

use std::time::Duration;

use anyhow::{Result, bail};
use outrigger_domain::auth::{
    AuthSettings, HashSettings, MailSettings, RsaBits, Signing, ThrottleSettings, VerifyEmail,
};
use outrigger_kernel::Secret;
use outrigger_ports::limiter::Quota;

use crate::config::{Auth, Config, VerifyEmailWord};
use crate::secret_file;

/// All settings of the module auth.
///
/// # Errors
/// Names the setting that cannot work.
pub(crate) fn auth_settings(config: &Config) -> Result<AuthSettings> {
    let auth = &config.auth;
    let secret = match auth.secret.is_set() {
        true => auth.secret.secret().clone(),
        false => secret_file::read_or_make(&config.deployment.data_dir.join("secret.key"))?,
    };
    let days = |days: u64| Duration::from_secs(days * 86_400);
    let keys: Vec<Secret> = auth.signing_keys.iter().map(|key| key.secret().clone()).collect();
    let hash_threads = match auth.hash_threads {
        0 => std::thread::available_parallelism().map_or(1, std::num::NonZero::get),
        given => given,
    };
    let defaults = AuthSettings::new(&config.public_url(), secret);
    Ok(AuthSettings {
        signing: if keys.is_empty() { Signing::Stored } else { Signing::Provided(keys) },
        rsa_bits: match auth.rsa_bits {
            2048 => RsaBits::R2048,
            3072 => RsaBits::R3072,
            4096 => RsaBits::R4096,
            other => bail!("auth.rsa_bits: expected 2048, 3072 or 4096, not {other}"),
        },
        access_token_life: Duration::from_secs(auth.access_token_s),
        session_life: days(auth.session_days),
        session_life_max: days(auth.session_days_max),
        registration_open: auth.registration,
        hashing: HashSettings {
            memory_kib: auth.hash_memory_kib,
            iterations: auth.hash_iterations,
            lanes: auth.hash_lanes,
            threads: hash_threads,
            waiting_max: auth.hash_waiting_max,
            ..HashSettings::default()
        },
        throttle: throttle(&defaults.throttle, auth),
        mails: mail_settings(defaults.mails, auth)?,
        ..defaults
    })
}

fn mail_settings(defaults: MailSettings, auth: &Auth) -> Result<MailSettings> {
    let page = |key: &str, given: &str, default: String| match given {
        "" => Ok(default),
        given if is_page(given) => Ok(given.to_owned()),
        given => bail!("{key}: expected an http:// or https:// URL with {{token}}, not {given}"),
    };
    Ok(MailSettings {
        verify: match auth.verify_email {
            VerifyEmailWord::Off => VerifyEmail::Off,
            VerifyEmailWord::Ask => VerifyEmail::Ask,
            VerifyEmailWord::Require => VerifyEmail::Require,
        },
        verify_life: Duration::from_secs(auth.verify_link_hours * 3_600),
        reset_life: Duration::from_secs(auth.reset_link_minutes * 60),
        verify_page: page("auth.verify_page", &auth.verify_page, defaults.verify_page)?,
        reset_page: page("auth.reset_page", &auth.reset_page, defaults.reset_page)?,
    })
}

/// Whether a mail can link to it, with a token in its place.
fn is_page(url: &str) -> bool {
    let is_web = url.starts_with("https://") || url.starts_with("http://");
    is_web && url.contains("{token}") && !url.contains(char::is_whitespace)
}

fn throttle(defaults: &ThrottleSettings, auth: &Auth) -> ThrottleSettings {
    let tried = |quota: Quota| Quota { limit: auth.tries_per_minute, ..quota };
    ThrottleSettings {
        account: tried(defaults.account),
        mail: Quota { limit: auth.mails_per_hour, ..defaults.mail },
        address: tried(defaults.address),
        session: tried(defaults.session),
        refresh_address: defaults.refresh_address,
    }
}
