//! One handle per module, built from ports in one function.

use std::sync::Arc;

use outrigger_kernel::Result;
use outrigger_ports::limiter::Quota;

use crate::accounts::Accounts;
use crate::admission::Admission;
use crate::analytics::{self, Analytics};
use crate::audit::{Audit, Chain};
use crate::auth::{self, Auth, AuthSettings};
use crate::files::{self, Files};
use crate::notifications::{self, Notifications};
use crate::ports::Ports;
use crate::records::{self, Records};
use crate::replicas::{self, Replicas};
use crate::tasks::schedules::Schedules;
use crate::tasks::{Kinds, Sealer, Tasks};
use crate::vault::Vault;

/// What can be set about the domain.
#[derive(Clone, Debug)]
pub struct Settings {
    /// What is sent to others.
    pub notifications: notifications::Settings,
    /// Accounts and sessions.
    pub auth: AuthSettings,
    /// Events and what is counted of them.
    pub analytics: analytics::Settings,
    /// Files of users.
    pub files: files::Settings,
    /// Collections and records.
    pub records: records::Settings,
    /// Whether the payloads of all tasks are kept encrypted.
    pub encrypt_payloads: bool,
    /// How many requests each caller may make.
    pub rate_limit: Quota,
}

/// What the threads of one process share.
#[derive(Clone, Debug)]
pub struct Shared {
    auth: Arc<auth::Shared>,
    records: Arc<records::Shared>,
    replicas: Arc<replicas::Shared>,
    kinds: Arc<Kinds>,
    sealer: Arc<Sealer>,
    notifications: Arc<notifications::Shared>,
    audit_key: Arc<Vault>,
    settings: Settings,
}

impl Shared {
    /// Checks the settings, and starts the threads that hash passwords.
    ///
    /// # Errors
    /// `invalid` naming the setting that cannot work.
    pub fn new(settings: Settings, kinds: Kinds, ports: &Ports) -> Result<Self> {
        let auth = auth::Shared::new(settings.auth.clone(), ports.clock.clone(), &ports.random)?;
        let notifications = notifications::Shared::new(&settings.notifications)?;
        let sealer = Sealer::new(&settings.auth.master_secret, settings.encrypt_payloads)?;
        Ok(Self {
            auth,
            records: Arc::default(),
            replicas: Arc::default(),
            kinds: Arc::new(kinds),
            sealer: Arc::new(sealer),
            notifications,
            audit_key: Arc::new(Vault::new(&settings.auth.master_secret)?),
            settings,
        })
    }
}

/// All that the outer layers may call. One per thread of the process.
#[derive(Clone, Debug)]
pub struct Services {
    /// Users.
    pub accounts: Accounts,
    /// Events and what is counted of them.
    pub analytics: Analytics,
    /// Signing in and out.
    pub auth: Auth,
    /// Files of users.
    pub files: Files,
    /// Collections and records.
    pub records: Records,
    /// Background work.
    pub tasks: Tasks,
    /// Telling others.
    pub notifications: Notifications,
    /// What enqueues tasks at certain times.
    pub schedules: Schedules,
    /// Who did what.
    pub audit: Audit,
    /// What shows that the log of it is whole.
    pub audit_chain: Chain,
    /// The processes that are alive.
    pub replicas: Replicas,
    /// How often a caller may ask.
    pub admission: Admission,
}

impl Services {
    /// The services of one thread on its ports.
    pub fn new(ports: &Ports, shared: &Shared) -> Self {
        let audit = Audit::new(ports);
        let accounts = Accounts::new(ports, audit.clone());
        let (kinds, sealer) = (shared.kinds.clone(), shared.sealer.clone());
        let tasks = Tasks::new(ports, audit.clone(), kinds, sealer);
        Self {
            auth: Auth::new(
                ports,
                audit.clone(),
                tasks.clone(),
                accounts.clone(),
                shared.auth.clone(),
            ),
            analytics: Analytics::new(ports, shared.settings.analytics.clone()),
            files: Files::new(ports, audit.clone(), shared.settings.files.clone()),
            records: Records::new(
                ports,
                audit.clone(),
                tasks.clone(),
                shared.records.clone(),
                shared.settings.records,
            ),
            notifications: Notifications::new(
                ports,
                audit.clone(),
                tasks.clone(),
                shared.notifications.clone(),
            ),
            schedules: Schedules::new(ports, audit.clone(), tasks.clone()),
            tasks,
            replicas: Replicas::new(ports, shared.replicas.clone()),
            admission: Admission::new(ports.limiter.clone(), shared.settings.rate_limit),
            accounts,
            audit,
            audit_chain: Chain::new(ports, shared.audit_key.clone()),
        }
    }
}
