//! What an operator may decide about signing in. Defaults are safe.

use std::time::Duration;

use outrigger_kernel::secret::ExposeSecret;
use outrigger_kernel::{Error, Result, Secret};
use outrigger_ports::limiter::{Escalation, Quota};

use super::keys::PUBLISHED_FOR;
use crate::accounts::User;

/// Shortest master secret, in bytes.
pub const MASTER_SECRET_BYTES_MIN: usize = 32;

/// All settings of this module.
#[derive(Clone, Debug)]
pub struct AuthSettings {
    /// Where clients reach this deployment, without a slash at the end; the issuer of tokens.
    pub public_url: String,
    /// The audience of access tokens; the public URL by default.
    pub audience: String,
    /// From this, keys are derived that encrypt the signing keys in the store and make set-up
    /// links. The same on all replicas. At least [`MASTER_SECRET_BYTES_MIN`] bytes.
    pub master_secret: Secret,
    /// Where the keys that sign access tokens come from.
    pub signing: Signing,
    /// Size of generated keys.
    pub rsa_bits: RsaBits,
    /// How old a replica's picture of the signing keys may be, at most 90 s.
    pub key_refresh: Duration,
    /// How far the clocks of replicas may be apart.
    pub clock_leeway: Duration,
    /// How long an access token is valid.
    pub access_token_life: Duration,
    /// How long a session lives without being refreshed.
    pub session_life: Duration,
    /// How long a session lives however often it is refreshed.
    pub session_life_max: Duration,
    /// How long the answer that a session is alive is cached.
    pub session_cache_ttl: Duration,
    /// Most access tokens whose verification is remembered in a process.
    pub verified_tokens_max: usize,
    /// Whether anybody may register.
    pub registration_open: bool,
    /// How passwords are hashed.
    pub hashing: HashSettings,
    /// How often it may be tried.
    pub throttle: ThrottleSettings,
    /// How long a set-up link works.
    pub setup_link_life: Duration,
    /// The mails with one-time links.
    pub mails: MailSettings,
}

impl AuthSettings {
    /// The defaults for this public URL and master secret.
    pub fn new(public_url: &str, master_secret: Secret) -> Self {
        let public_url = public_url.trim_end_matches('/').to_owned();
        let day = Duration::from_secs(86_400);
        Self {
            mails: MailSettings::new(&public_url),
            audience: public_url.clone(),
            public_url,
            master_secret,
            signing: Signing::Stored,
            rsa_bits: RsaBits::R2048,
            key_refresh: Duration::from_secs(60),
            clock_leeway: Duration::from_secs(60),
            access_token_life: Duration::from_secs(15 * 60),
            session_life: 30 * day,
            session_life_max: 365 * day,
            session_cache_ttl: Duration::from_secs(60),
            verified_tokens_max: 65_536,
            registration_open: true,
            hashing: HashSettings::default(),
            throttle: ThrottleSettings::default(),
            setup_link_life: day,
        }
    }

    /// Refuses settings that cannot work or would not be safe.
    pub(super) fn validate(&self) -> Result<()> {
        let secret_bytes = self.master_secret.expose_secret().len();
        let hashing = &self.hashing;
        let faults = [
            (secret_bytes < MASTER_SECRET_BYTES_MIN, "the secret must have at least 32 bytes"),
            (2 * self.key_refresh > PUBLISHED_FOR, "key_refresh must be at most 90 s"),
            (self.access_token_life.is_zero(), "access_token_life must not be zero"),
            (self.session_life < self.access_token_life, "session_life is below that of tokens"),
            (self.session_life_max < self.session_life, "session_life_max is below session_life"),
            (!(8..=1 << 20).contains(&hashing.memory_kib), "hash memory must be 8 KiB to 1 GiB"),
            (!(1..=64).contains(&hashing.iterations), "hash iterations must be 1 to 64"),
            (!(1..=16).contains(&hashing.lanes), "hash lanes must be 1 to 16"),
            (hashing.memory_kib < 8 * hashing.lanes, "hash memory must be 8 KiB for each lane"),
            (hashing.threads == 0, "at least one thread must hash passwords"),
            (self.mails.verify_life.is_zero(), "verify_life must not be zero"),
            (self.mails.reset_life.is_zero(), "reset_life must not be zero"),
            (!self.mails.has_places(), "a page of a link must hold {token}"),
            (hashing.waiting_max == 0, "at least one request must be let to wait for a hash"),
        ];
        match faults.into_iter().find(|(is_fault, _)| *is_fault) {
            Some((_, what)) => Err(Error::invalid(&["auth"], "setting", what)),
            None => Ok(()),
        }
    }
}

/// Mails with one-time links.
#[derive(Clone, Debug)]
pub struct MailSettings {
    /// What is asked of new users.
    pub verify: VerifyEmail,
    /// How long a link that verifies an address works.
    pub verify_life: Duration,
    /// How long a link that leads to a new password works.
    pub reset_life: Duration,
    /// The page that sends the token to `verify-email`; `{token}` stands for it.
    pub verify_page: String,
    /// The page that sends the token to `reset-password`; `{token}` stands for it.
    pub reset_page: String,
}

impl MailSettings {
    /// The defaults, with the pages of Outrigger itself.
    pub fn new(public_url: &str) -> Self {
        Self {
            verify: VerifyEmail::Ask,
            verify_life: Duration::from_secs(3 * 86_400),
            reset_life: Duration::from_secs(3_600),
            verify_page: format!("{public_url}/verify-email?token={{token}}"),
            reset_page: format!("{public_url}/reset-password?token={{token}}"),
        }
    }

    /// Whether the user has to verify their address before they can sign in. Administrators were
    /// made by who has the machine.
    pub(super) fn keeps_out(&self, user: &User) -> bool {
        self.verify == VerifyEmail::Require && !user.email_verified && !user.role.is_admin()
    }

    fn has_places(&self) -> bool {
        [&self.verify_page, &self.reset_page].iter().all(|page| page.contains("{token}"))
    }
}

/// What is asked of new users.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum VerifyEmail {
    /// Nothing; they may ask for the mail themselves.
    Off,
    /// They are mailed a link when they register.
    Ask,
    /// And cannot sign in before they have followed it.
    Require,
}

/// Where the keys that sign access tokens come from.
#[derive(Clone, Debug)]
pub enum Signing {
    /// Generated at the first start and kept in the store, encrypted.
    Stored,
    /// Given by the operator as PEM (PKCS#8 or PKCS#1, RSA, 2048 bits or more). The first one
    /// signs; tokens of the others are still accepted.
    Provided(Vec<Secret>),
}

/// Size of an RSA key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RsaBits {
    /// 2048 bits.
    R2048,
    /// 3072 bits.
    R3072,
    /// 4096 bits.
    R4096,
}

/// How passwords are hashed: Argon2id, RFC 9106.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HashSettings {
    /// Memory of one hash, in KiB.
    pub memory_kib: u32,
    /// Passes over the memory.
    pub iterations: u32,
    /// Lanes.
    pub lanes: u32,
    /// How many passwords are hashed at once; bounds the memory.
    pub threads: usize,
    /// How many more may wait; the next is refused.
    pub waiting_max: usize,
    /// After how long without work the memory is given back.
    pub idle: Duration,
}

impl Default for HashSettings {
    fn default() -> Self {
        Self {
            memory_kib: 19_456,
            iterations: 2,
            lanes: 1,
            threads: std::thread::available_parallelism().map_or(1, usize::from),
            waiting_max: 64,
            idle: Duration::from_secs(10),
        }
    }
}

/// How often it may be tried.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ThrottleSettings {
    /// For one account: passwords tried, from wherever. Forgotten when one is right.
    pub account: Quota,
    /// Mails with links to one account, from wherever they are asked for.
    pub mail: Quota,
    /// From one address (IPv6: one /64), for whichever account.
    pub address: Quota,
    /// Uses of the refresh tokens of one session.
    pub session: Quota,
    /// Uses of refresh tokens from one address; many users may share one.
    pub refresh_address: Quota,
}

impl Default for ThrottleSettings {
    fn default() -> Self {
        let minute = Duration::from_secs(60);
        let escalation = Some(Escalation {
            base: Duration::from_secs(1),
            cap: 15 * minute,
            forget_after: 60 * minute,
        });
        let tries = Quota { limit: 10, period: minute, escalation };
        Self {
            account: tries,
            mail: Quota { limit: 5, period: 60 * minute, escalation: None },
            address: tries,
            session: tries,
            refresh_address: Quota { limit: 600, period: minute, escalation: None },
        }
    }
}
