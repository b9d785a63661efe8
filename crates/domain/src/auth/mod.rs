//! Who somebody is, and how they prove it: passwords, sessions, tokens, keys.
//!
//! A login makes a session, which is a document. The access token is short-lived and names the
//! session; each request checks both, the session in the cache first. The refresh token changes
//! with each use, and one that is used twice ends the session.

mod access_token;
mod account_mail;
mod admins;
mod authenticate;
mod change_password;
mod discovery;
mod hash_pool;
pub mod jobs;
mod keys;
mod login;
mod mail_link;
mod outcome;
mod password;
mod refresh;
mod refresh_token;
mod register;
mod sessions;
mod settings;
mod setup;
mod shared;
mod throttle;
mod verified;

use std::sync::Arc;

use metrics::Counter;
use outrigger_kernel::{Clock, Ids, Random};
use outrigger_ports::collection::Collection;

pub use keys::RotatedKey;
pub use login::{Credentials, TokenAnswer};
pub use mail_link::Purpose;
pub use settings::{
    AuthSettings, HashSettings, MASTER_SECRET_BYTES_MIN, MailSettings, RsaBits, Signing,
    ThrottleSettings, VerifyEmail,
};
pub use setup::SetupLink;
pub use shared::Shared;

use crate::accounts::Accounts;
use crate::audit::Audit;
use crate::idempotency::Idempotency;
use crate::ports::Ports;
use crate::tasks::Tasks;
use keys::{RingDocument, Tools};
use mail_link::MailLink;
use setup::Setup;
use throttle::Throttle;

/// Signing in and out. One per thread of the process.
#[derive(Clone, Debug)]
pub struct Auth {
    accounts: Accounts,
    audit: Audit,
    tasks: Tasks,
    throttle: Throttle,
    ring_documents: Collection<RingDocument>,
    setups: Collection<Setup>,
    mail_links: Collection<MailLink>,
    idempotency: Idempotency,
    shared: Arc<Shared>,
    clock: Arc<dyn Clock>,
    random: Arc<dyn Random>,
    ids: Ids,
    /// Counted on each request, so looked up once.
    tokens_accepted: Counter,
}

impl Auth {
    /// The module over these ports. The recorder of metrics must be installed before.
    pub fn new(
        ports: &Ports,
        audit: Audit,
        tasks: Tasks,
        accounts: Accounts,
        shared: Arc<Shared>,
    ) -> Self {
        Self {
            accounts,
            audit,
            tasks,
            throttle: Throttle::new(ports.limiter.clone(), &shared.settings.throttle),
            ring_documents: ports.collection(),
            setups: ports.collection(),
            mail_links: ports.collection(),
            idempotency: Idempotency::new(ports),
            shared,
            clock: ports.clock.clone(),
            random: ports.random.clone(),
            ids: ports.ids(),
            tokens_accepted: metrics::counter!(
                "outrigger_authentication_total", "action" => "token", "outcome" => "ok"
            ),
        }
    }

    fn tools(&self) -> Tools<'_> {
        Tools {
            documents: &self.ring_documents,
            settings: &self.shared.settings,
            vault: &self.shared.vault,
            pool: &self.shared.pool,
        }
    }
}

#[cfg(test)]
mod tests;
