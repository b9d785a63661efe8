//! The suites of the ports, on one server, with TLS, and on a cluster.

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, OnceLock};

use outrigger_conformance::queue::Instance;
use outrigger_conformance::{cache, limiter, queue};
use outrigger_kernel::{Clock, SystemClock};
use outrigger_ports::layered::OutboxQueue;
use outrigger_ports::store::Store;
use outrigger_redis::{RedisCache, RedisClient, RedisLimiter, RedisOptions, RedisQueue};
use outrigger_testkit::{Redis, RedisCluster};

use crate::store::OutboxStore;
use crate::{client, options};

/// Two connections with a prefix of their own, so that nothing is there yet.
async fn two(options: RedisOptions) -> [RedisClient; 2] {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    let prefix = format!("suite-{}:", NEXT.fetch_add(1, Ordering::Relaxed));
    let options = RedisOptions { prefix, ..options };
    [client(&options).await, client(&options).await]
}

async fn open_cache(options: RedisOptions) -> cache::Opened {
    let [one, two] = two(options).await;
    cache::Opened::many(vec![Arc::new(RedisCache::new(one)), Arc::new(RedisCache::new(two))], ())
}

async fn open_limiter(options: RedisOptions) -> limiter::Opened {
    let [one, two] = two(options).await;
    let instances: Vec<Arc<dyn outrigger_ports::limiter::Limiter>> =
        vec![Arc::new(RedisLimiter::new(one)), Arc::new(RedisLimiter::new(two))];
    limiter::Opened::many(instances, ())
}

/// The queue with its outbox in a store.
async fn open_queue(options: RedisOptions) -> queue::Opened {
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let store: Arc<dyn Store> = Arc::new(OutboxStore::default());
    let instances = two(options).await.map(|client| {
        let board = Arc::new(RedisQueue::new(client));
        let outbox = OutboxQueue::new(board.clone(), store.clone(), clock.clone());
        Instance { queue: Arc::new(outbox), board }
    });
    queue::Opened { instances: instances.into(), store, clock: None, keep: Box::new(()) }
}

/// The options for one of the three kinds of server, started on first use.
macro_rules! suites {
    ($kind:ident) => {
        mod $kind {
            mod cache {
                async fn open() -> outrigger_conformance::cache::Opened {
                    super::super::open_cache(super::super::$kind()).await
                }
                outrigger_conformance::cache_suite!(open);
            }
            mod limiter {
                async fn open() -> outrigger_conformance::limiter::Opened {
                    super::super::open_limiter(super::super::$kind()).await
                }
                outrigger_conformance::limiter_suite!(open);
            }
            mod queue {
                async fn open() -> outrigger_conformance::queue::Opened {
                    super::super::open_queue(super::super::$kind()).await
                }
                outrigger_conformance::queue_suite!(open);
            }
        }
    };
}

suites!(plain);
suites!(tls);
suites!(cluster);

fn plain() -> RedisOptions {
    options(Redis::shared().unwrap().url())
}

fn tls() -> RedisOptions {
    static SERVER: OnceLock<Redis> = OnceLock::new();
    let server = SERVER.get_or_init(|| Redis::start_tls().unwrap());
    RedisOptions { ca_file: server.ca_path(), ..options(server.url()) }
}

fn cluster() -> RedisOptions {
    static SERVERS: OnceLock<RedisCluster> = OnceLock::new();
    options(SERVERS.get_or_init(|| Redis::start_cluster().unwrap()).url())
}
