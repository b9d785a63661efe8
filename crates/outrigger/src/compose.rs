//! The only wiring: settings -> adapters -> services.

use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use outrigger_domain::auth::AuthSettings;
use outrigger_domain::notifications;
use outrigger_domain::services::{Settings, Shared};
use outrigger_domain::tasks::Kinds;
use outrigger_domain::{Ports, Services, analytics, files, records};
use outrigger_embedded::{MemoryCache, MemoryLimiter, StoreQueue, Wakeups};
use outrigger_kernel::{Clock, Random, SystemClock, SystemRandom};
use outrigger_mail::{FolderMailer, SmtpMailer, SmtpOptions, check_address};
use outrigger_ports::cache::Cache;
use outrigger_ports::cached::{CacheAside, LostWrites, StoredNotices, Timing};
use outrigger_ports::http_client::HttpClient;
use outrigger_ports::layered::{
    Breaker, FallbackLimiter, GuardedCache, LeasedLimiter, MeteredStore, OutboxQueue,
};
use outrigger_ports::limiter::{Limiter, Quota};
use outrigger_ports::mailer::Mailer;
use outrigger_ports::queue::{Queue, QueueError, TaskBoard};
use outrigger_ports::store::Store;
use outrigger_redis::{RedisCache, RedisClient, RedisLimiter, RedisOptions, RedisQueue};
use outrigger_sql::PostgresReplica;
use outrigger_web::{WebClient, WebOptions};

use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;

use crate::Additions;
use crate::auth_settings::auth_settings;
use crate::blobs;
use crate::config::{Config, QueueOn, Webhooks};
use crate::database::{Database, replica};
use outrigger_worker::Registry;

/// What the threads of a process have in common: one SQLite file, one cache in memory.
#[derive(Debug)]
pub(crate) struct Backends {
    config: Config,
    clock: Arc<dyn Clock>,
    random: Arc<dyn Random>,
    database: Database,
    memory_cache: Arc<MemoryCache>,
    /// Without Redis the threads also share what keeps the cache right: one load per key then
    /// holds across them at once.
    memory_aside: Arc<CacheAside>,
    memory_limiter: Arc<MemoryLimiter>,
    web: Arc<dyn HttpClient>,
    mailer: Arc<dyn Mailer>,
    lost_writes: LostWrites,
    wakeups: Wakeups,
    cache_breaker: Arc<Breaker>,
    limiter_breaker: Arc<Breaker>,
}

/// The ports of one thread, and what only probes need.
#[derive(Clone, Debug)]
pub(crate) struct Connected {
    pub(crate) ports: Ports,
    pub(crate) cache: Arc<dyn Cache>,
    redis: Option<RedisClient>,
    /// Of the thread that watches.
    pub(crate) replica: Option<Arc<PostgresReplica>>,
}

/// Redis answers within this, or is done without.
const REDIS_TIMEOUT: Duration = Duration::from_millis(250);
/// Redis answers a call of the queue within this, or it is tried again.
const QUEUE_TIMEOUT: Duration = Duration::from_secs(5);
/// The shared limiter answers within this, or the local one decides.
const LIMITER_TIMEOUT: Duration = Duration::from_millis(150);
/// How long a start waits for Redis, which connects in the background and need not be there.
const REDIS_WAIT: Duration = Duration::from_secs(1);

impl Connected {
    /// Waits until Redis is connected, or for a while.
    pub(crate) async fn settle(&self) {
        if let Some(redis) = &self.redis {
            redis.wait_connected(REDIS_WAIT).await;
        }
    }

    /// Also connects to what only the thread that watches the backends needs.
    ///
    /// # Errors
    /// Names the setting that cannot work.
    pub(crate) async fn watching(mut self, backends: &Backends) -> Result<Self> {
        self.replica = replica(&backends.config, backends.clock(), false).await?.map(Arc::new);
        Ok(self)
    }
}

impl Backends {
    /// Opens what is one per process.
    ///
    /// # Errors
    /// Names the setting whose value does not work.
    pub(crate) fn open(config: &Config) -> Result<Self> {
        let clock: Arc<dyn Clock> = Arc::new(SystemClock);
        let database = Database::open(config, &clock)?;
        let random: Arc<dyn Random> = Arc::new(SystemRandom);
        let breaker = |name| Arc::new(Breaker::new(name, clock.clone(), random.clone()));
        let memory_cache = Arc::new(MemoryCache::new(config.cache.memory_bytes_max, clock.clone()));
        Ok(Self {
            database,
            memory_aside: Arc::new(CacheAside::new(memory_cache.clone(), random.clone())),
            memory_cache,
            lost_writes: LostWrites::default(),
            wakeups: Wakeups::default(),
            web: Arc::new(web(config)?),
            mailer: mailer(config)?,
            cache_breaker: breaker("cache"),
            limiter_breaker: breaker("limiter"),
            memory_limiter: Arc::new(MemoryLimiter::new(clock.clone())),
            config: config.clone(),
            random,
            clock,
        })
    }

    /// Tells the time.
    pub(crate) fn clock(&self) -> Arc<dyn Clock> {
        self.clock.clone()
    }

    /// Gives random bytes.
    pub(crate) fn random(&self) -> Arc<dyn Random> {
        self.random.clone()
    }

    /// The ports for the calling thread, on its runtime.
    ///
    /// # Errors
    /// Names the setting whose backend cannot be used.
    pub(crate) async fn connect(&self) -> Result<Connected> {
        let store: Arc<dyn Store> = Arc::new(MeteredStore::new(self.store().await?));
        let redis = redis(&self.config, self.clock(), self.random())?;
        let (cache, aside) = self.cache(redis.as_ref(), &store);
        let limiter = self.limiter(redis.as_ref());
        let (queue, board) = self.queue(&store)?;
        let ports = Ports {
            queue,
            board,
            store,
            cache: aside,
            limiter,
            blobs: blobs::open(&self.config)?,
            http: self.web.clone(),
            mailer: self.mailer.clone(),
            clock: self.clock.clone(),
            random: self.random.clone(),
        };
        Ok(Connected { ports, cache, redis, replica: None })
    }

    /// The queue on Redis, with an outbox for what is enqueued in batches of the store; or on the
    /// store itself.
    fn queue(&self, store: &Arc<dyn Store>) -> Result<(Arc<dyn Queue>, Arc<dyn TaskBoard>)> {
        if let Some(client) = queue_client(&self.config, self.clock(), self.random())? {
            let queue = Arc::new(RedisQueue::new(client));
            let outbox = OutboxQueue::new(queue.clone(), store.clone(), self.clock());
            return Ok((Arc::new(outbox), queue));
        }
        let queue = StoreQueue::new(store.clone(), self.clock(), self.random());
        let queue = Arc::new(queue.sharing(self.wakeups.clone()));
        Ok((queue.clone(), queue))
    }

    fn cache(
        &self,
        redis: Option<&RedisClient>,
        store: &Arc<dyn Store>,
    ) -> (Arc<dyn Cache>, Arc<CacheAside>) {
        let Some(client) = redis else {
            return (self.memory_cache.clone(), self.memory_aside.clone());
        };
        let cache = Arc::new(RedisCache::new(client.clone()));
        let breaker = self.cache_breaker.clone();
        let cache: Arc<dyn Cache> = Arc::new(GuardedCache::new(cache, breaker));
        let random = self.random.clone();
        let aside =
            CacheAside::sharing(cache.clone(), random, Timing::default(), &self.lost_writes);
        let (clock, random) = (self.clock.clone(), self.random.clone());
        let notices = StoredNotices::new(store.clone(), clock, random);
        (cache, Arc::new(aside.telling(Arc::new(notices))))
    }

    /// Shared limits, local ones while Redis is away, and slices of generous ones in advance unless each
    /// request is to be counted at once.
    fn limiter(&self, redis: Option<&RedisClient>) -> Arc<dyn Limiter> {
        let local = self.memory_limiter.clone();
        let primary: Arc<dyn Limiter> = match redis {
            Some(client) => Arc::new(RedisLimiter::new(client.clone())),
            None => local.clone(),
        };
        let breaker = self.limiter_breaker.clone();
        let limiter = Arc::new(FallbackLimiter::new(primary, local, breaker, LIMITER_TIMEOUT));
        if self.config.http.rate_limit_exact {
            return limiter;
        }
        Arc::new(LeasedLimiter::new(limiter, self.clock.clone()))
    }

    /// The database, for the calling thread, on its runtime.
    ///
    /// # Errors
    /// Names the setting whose database cannot be used.
    pub(crate) async fn store(&self) -> Result<Arc<dyn Store>> {
        self.database.connect(&self.config, self.clock()).await
    }
}

fn redis(
    config: &Config,
    clock: Arc<dyn Clock>,
    random: Arc<dyn Random>,
) -> Result<Option<RedisClient>> {
    redis_within(config, REDIS_TIMEOUT, clock, random)
}

/// The connection of the queue, if it is on Redis: of its own, because its scripts take longer than
/// a look into the cache may.
///
/// # Errors
/// Names the setting that cannot work.
fn queue_client(
    config: &Config,
    clock: Arc<dyn Clock>,
    random: Arc<dyn Random>,
) -> Result<Option<RedisClient>> {
    match (config.tasks.queue, config.redis.url.is_set()) {
        (QueueOn::Database, _) | (QueueOn::Auto, false) => Ok(None),
        (QueueOn::Redis, false) => bail!("tasks.queue: redis needs redis.url"),
        (QueueOn::Auto | QueueOn::Redis, true) => {
            redis_within(config, QUEUE_TIMEOUT, clock, random)
        }
    }
}

fn redis_within(
    config: &Config,
    response_timeout: Duration,
    clock: Arc<dyn Clock>,
    random: Arc<dyn Random>,
) -> Result<Option<RedisClient>> {
    let redis = &config.redis;
    if !redis.url.is_set() {
        return Ok(None);
    }
    let options = RedisOptions {
        prefix: redis.prefix.clone(),
        ca_file: (!redis.ca_file.is_empty()).then(|| redis.ca_file.clone().into()),
        response_timeout,
        ..RedisOptions::following(redis.url.live())
    };
    Ok(Some(RedisClient::connect(&options, clock, random).context("redis.url")?))
}

/// The cache on Redis alone, if there is one, once it is connected or after a while.
///
/// # Errors
/// Names the setting that cannot work.
pub(crate) async fn redis_cache(config: &Config) -> Result<Option<RedisCache>> {
    let Some(client) = redis(config, Arc::new(SystemClock), Arc::new(SystemRandom))? else {
        return Ok(None);
    };
    client.wait_connected(REDIS_WAIT).await;
    Ok(Some(RedisCache::new(client)))
}

/// The queue on Redis alone, if it is there, once it is connected or after a while.
///
/// # Errors
/// Names the setting that cannot work.
pub(crate) async fn redis_queue(config: &Config) -> Result<Option<RedisQueue>> {
    let client = queue_client(config, Arc::new(SystemClock), Arc::new(SystemRandom))?;
    let Some(client) = client else { return Ok(None) };
    client.wait_connected(REDIS_WAIT).await;
    Ok(Some(RedisQueue::new(client)))
}

/// Refuses a Redis that would lose tasks; one that is away may come back.
///
/// # Errors
/// Says what to change.
pub(crate) async fn check_queue(config: &Config) -> Result<()> {
    let Some(queue) = redis_queue(config).await? else { return Ok(()) };
    match queue.check().await {
        Err(error @ QueueError::Internal(_)) => {
            Err(error).context("redis.url: not fit for tasks (or set tasks.queue to \"database\")")
        }
        Err(error) => {
            tracing::warn!(source = %error, "the queue cannot be reached yet");
            Ok(())
        }
        Ok(()) => Ok(()),
    }
}

/// What the threads' services have in common.
///
/// # Errors
/// Names the setting that cannot work.
pub(crate) fn shared(config: &Config, kinds: Kinds, ports: &Ports) -> Result<Shared> {
    let auth = auth_settings(config)?;
    let settings = Settings {
        notifications: notification_settings(config, &auth),
        auth,
        analytics: analytics::Settings {
            ingest: config.analytics.ingest.clone(),
            late: Duration::from_secs(config.analytics.late_hours * 3_600),
            retention: Duration::from_secs(config.analytics.retention_days * 86_400),
        },
        files: files::Settings {
            size_bytes_max: config.files.size_bytes_max,
            types: config.files.types.clone(),
            create: config.files.create.clone(),
            unfinished: Duration::from_secs(config.files.unfinished_s),
        },
        records: records::Settings { settle: Duration::from_secs(config.records.settle_s) },
        encrypt_payloads: config.tasks.encrypt_payloads,
        rate_limit: Quota {
            limit: config.http.rate_limit_per_minute,
            period: Duration::from_secs(60),
            escalation: None,
        },
    };
    Shared::new(settings, kinds, ports).context("auth")
}

fn notification_settings(config: &Config, auth: &AuthSettings) -> notifications::Settings {
    let named = config.webhooks.secrets.iter();
    notifications::Settings {
        master: auth.master_secret.clone(),
        secrets: named.map(|named| (named.name.clone(), named.secret().clone())).collect(),
        mail_from: config.mail.from.clone(),
        product: config.product(),
        public_url: config.public_url(),
    }
}

/// The secrets of webhooks.
///
/// # Errors
/// Names the secret that cannot be used.
pub(crate) fn webhook_keys(config: &Config) -> Result<notifications::Keys> {
    let settings = notification_settings(config, &auth_settings(config)?);
    Ok(notifications::Keys::new(&settings.master, &settings.secrets)?)
}

/// Sends webhooks.
fn web(config: &Config) -> Result<WebClient> {
    let Webhooks { ca_file, allow_private, .. } = &config.webhooks;
    web_client("webhooks", ca_file, *allow_private)
}

/// A client that trusts the authorities in this file, or the system's if it is not named.
///
/// # Errors
/// Names the section whose file cannot be used.
pub(crate) fn web_client(section: &str, ca_file: &str, allow_private: bool) -> Result<WebClient> {
    let mut options = WebOptions { allow_private, ..WebOptions::default() };
    if !ca_file.is_empty() {
        let certificates = CertificateDer::pem_file_iter(ca_file);
        let read = certificates.and_then(Iterator::collect::<Result<Vec<_>, _>>);
        options.authorities = read.with_context(|| format!("{section}.ca_file"))?;
    }
    WebClient::new(options).map_err(|error| anyhow::anyhow!("{section}: {error}"))
}

/// Sends mail.
///
/// # Errors
/// Names the setting that cannot work.
pub(crate) fn mailer(config: &Config) -> Result<Arc<dyn Mailer>> {
    let mail = &config.mail;
    check_address(&mail.from).context("mail.from")?;
    match mail.url.expose().split_once("://") {
        Some(("log", "")) => {
            return Ok(Arc::new(FolderMailer::new(config.deployment.data_dir.join("mail"))));
        }
        #[cfg(feature = "ses")]
        Some(("ses", _)) => {
            let mailer = outrigger_mail::SesMailer::new(mail.url.expose(), Arc::new(SystemClock));
            return Ok(Arc::new(mailer.map_err(|what| anyhow::anyhow!("mail.url: {what}"))?));
        }
        #[cfg(not(feature = "ses"))]
        Some(("ses", _)) => bail!(
            "mail.url: this binary is built without Amazon SES: use the released image, or build it with `--features ses`"
        ),
        _ => {}
    }
    let mut options = SmtpOptions::at(mail.url.live());
    if !mail.ca_file.is_empty() {
        options.authorities = Some(std::fs::read(&mail.ca_file).context("mail.ca_file")?);
    }
    let mailer = SmtpMailer::new(&options);
    Ok(Arc::new(mailer.map_err(|error| anyhow::anyhow!("mail.url: {error}"))?))
}

/// The jobs of this binary, and those of the library's user.
///
/// # Errors
/// Names the job whose kind cannot be used.
pub(crate) fn registry(additions: &Additions) -> Result<Registry> {
    let jobs = outrigger_worker::built_in().into_iter().chain(additions.jobs.iter().cloned());
    Registry::new(jobs).context("a job cannot be used")
}

/// The services of the calling thread.
pub(crate) fn services(ports: &Ports, shared: &Shared) -> Services {
    Services::new(ports, shared)
}
