//! The three properties of the cache, with two replicas, on one server, with TLS and on a cluster.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use bytes::Bytes;
use outrigger_ports::cache::{Cache, CacheError, Lookup};
use outrigger_redis::{RedisCache, RedisOptions};
use outrigger_testkit::Redis;

use crate::{client, key, options};

const MINUTE: Duration = Duration::from_secs(60);

/// Two caches as two processes have them.
async fn replicas(options: &RedisOptions) -> [RedisCache; 2] {
    [RedisCache::new(client(options).await), RedisCache::new(client(options).await)]
}

async fn one_load_under_concurrent_misses(options: &RedisOptions) {
    let replicas = Arc::new(replicas(options).await);
    let key = Arc::new(key("stampede"));
    let loads = Arc::new(AtomicU32::new(0));
    let readers = (0..64).map(|reader| {
        let (replicas, key, loads) = (replicas.clone(), key.clone(), loads.clone());
        tokio::spawn(async move {
            let cache = &replicas[reader % 2];
            loop {
                match cache.lookup(&key, MINUTE).await.unwrap() {
                    Lookup::Hit(value) => return value,
                    Lookup::Miss(lease) => {
                        loads.fetch_add(1, Ordering::SeqCst);
                        tokio::task::yield_now().await;
                        assert!(cache.fill(&key, &lease, "v".into(), MINUTE).await.unwrap());
                    }
                    Lookup::Loading => tokio::task::yield_now().await,
                    Lookup::Held => panic!("nobody holds it"),
                }
            }
        })
    });
    for reader in readers.collect::<Vec<_>>() {
        assert_eq!(reader.await.unwrap(), Bytes::from("v"));
    }
    assert_eq!(loads.load(Ordering::SeqCst), 1);
}

async fn a_slow_reader_cannot_put_back_an_old_value(options: &RedisOptions) {
    let [reader, writer] = replicas(options).await;
    let (one, two) = (key("slow"), key("slow"));
    let keys = [one.clone(), two.clone()];
    let mut leases = Vec::new();
    for key in &keys {
        let Lookup::Miss(lease) = reader.lookup(key, MINUTE).await.unwrap() else { panic!() };
        leases.push(lease);
    }
    // The reader has loaded the old value; meanwhile the writer commits.
    let hold = writer.hold(&keys, MINUTE).await.unwrap();
    assert_eq!(reader.lookup(&one, MINUTE).await.unwrap(), Lookup::Held);
    assert!(!reader.fill(&one, &leases[0], "old".into(), MINUTE).await.unwrap());
    writer.release(&keys, &hold).await.unwrap();
    assert!(!reader.fill(&two, &leases[1], "old".into(), MINUTE).await.unwrap());
    for key in &keys {
        assert_eq!(reader.peek(key).await.unwrap(), None);
        let Lookup::Miss(lease) = writer.lookup(key, MINUTE).await.unwrap() else { panic!() };
        assert!(writer.fill(key, &lease, "new".into(), MINUTE).await.unwrap());
        assert_eq!(reader.lookup(key, MINUTE).await.unwrap(), Lookup::Hit("new".into()));
    }
}

async fn overlapping_holds_end_with_the_last(options: &RedisOptions) {
    let [one, two] = replicas(options).await;
    let key = key("overlap");
    let keys = [key.clone()];
    let first = one.hold(&keys, MINUTE).await.unwrap();
    let second = two.hold(&keys, MINUTE).await.unwrap();
    one.release(&keys, &first).await.unwrap();
    assert_eq!(one.lookup(&key, MINUTE).await.unwrap(), Lookup::Held);
    two.release(&keys, &second).await.unwrap();
    assert!(matches!(one.lookup(&key, MINUTE).await.unwrap(), Lookup::Miss(_)));
    assert_eq!(two.lookup(&key, MINUTE).await.unwrap(), Lookup::Loading);
}

async fn odd_keys_do_not_mix(options: &RedisOptions) {
    let [cache, _] = replicas(options).await;
    let base = key("odd");
    let odd = ["", "}", "{", "}l", "}h", "{}", "{x}", "ü\n\0"];
    for suffix in odd {
        let key = format!("{suffix}{base}{suffix}");
        let Lookup::Miss(lease) = cache.lookup(&key, MINUTE).await.unwrap() else { panic!() };
        let value = Bytes::from(key.clone().into_bytes());
        assert!(cache.fill(&key, &lease, value, MINUTE).await.unwrap());
    }
    for suffix in odd {
        let key = format!("{suffix}{base}{suffix}");
        assert_eq!(cache.peek(&key).await.unwrap().unwrap(), key.as_bytes());
        let hold = cache.hold(std::slice::from_ref(&key), MINUTE).await.unwrap();
        cache.release(&[key], &hold).await.unwrap();
    }
}

async fn all_properties(options: &RedisOptions) {
    one_load_under_concurrent_misses(options).await;
    a_slow_reader_cannot_put_back_an_old_value(options).await;
    overlapping_holds_end_with_the_last(options).await;
    odd_keys_do_not_mix(options).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn all_properties_hold_on_one_server() {
    all_properties(&options(Redis::shared().unwrap().url())).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn all_properties_hold_with_tls_and_a_password() {
    let password = Some("s3cret".to_owned());
    let server = outrigger_testkit::RedisOptions { tls: true, password, ..Default::default() };
    let server = Redis::start_with(server).unwrap();
    let options = RedisOptions { ca_file: server.ca_path(), ..options(server.url()) };
    all_properties(&options).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn all_properties_hold_on_a_cluster() {
    let cluster = Redis::start_cluster().unwrap();
    all_properties(&options(cluster.url())).await;
    let cache = RedisCache::new(client(&options(cluster.url())).await);
    let keys: Vec<String> = (0..100).map(|_| key("spread")).collect();
    let hold = cache.hold(&keys, MINUTE).await.unwrap();
    for node in cluster.nodes() {
        assert_ne!(node.cli(&["DBSIZE"]).unwrap(), "0", "a node without keys");
    }
    cache.release(&keys, &hold).await.unwrap();
    for key in &keys {
        let Lookup::Miss(lease) = cache.lookup(key, MINUTE).await.unwrap() else { panic!() };
        assert!(cache.fill(key, &lease, "v".into(), MINUTE).await.unwrap());
    }
    for node in cluster.nodes() {
        assert_ne!(node.cli(&["DBSIZE"]).unwrap(), "0");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hit_is_one_mget_and_nothing_else() {
    let server = Redis::start().unwrap();
    let cache = RedisCache::new(client(&options(server.url())).await);
    let Lookup::Miss(lease) = cache.lookup("k", MINUTE).await.unwrap() else { panic!() };
    assert!(cache.fill("k", &lease, "v".into(), MINUTE).await.unwrap());
    server.cli(&["CONFIG", "RESETSTAT"]).unwrap();
    for _ in 0..10 {
        assert_eq!(cache.lookup("k", MINUTE).await.unwrap(), Lookup::Hit("v".into()));
    }
    let stats = server.cli(&["INFO", "commandstats"]).unwrap();
    let used: Vec<_> = stats.lines().filter_map(|line| line.split(':').next()).collect();
    assert!(stats.contains("cmdstat_mget:calls=10,"), "{stats}");
    let quiet =
        ["cmdstat_mget", "cmdstat_ping", "cmdstat_config|resetstat", "cmdstat_command|docs"];
    let others: Vec<_> =
        used.iter().filter(|name| name.starts_with("cmdstat") && !quiet.contains(*name)).collect();
    assert!(others.iter().all(|name| name.starts_with("cmdstat_info")), "{others:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_an_earlier_run_of_the_server_has_kept_is_not_believed() {
    let server = Redis::start().unwrap();
    let client = client(&options(server.url())).await;
    let cache = RedisCache::new(client.clone());
    let [value, loading] = [key("value"), key("loading")];
    let Lookup::Miss(lease) = cache.lookup(&value, MINUTE).await.unwrap() else { panic!() };
    assert!(cache.fill(&value, &lease, "old".into(), MINUTE).await.unwrap());
    let Lookup::Miss(lease) = cache.lookup(&loading, MINUTE).await.unwrap() else { panic!() };
    // What comes after this is lost, as after a failover to a replica that lags.
    server.cli(&["SAVE"]).unwrap();
    let both = [value.clone(), loading.clone()];
    let hold = cache.hold(&both, MINUTE).await.unwrap();
    cache.release(&both, &hold).await.unwrap();
    server.kill();
    server.start_again().unwrap();
    assert_eq!(server.cli(&["DBSIZE"]).unwrap(), "2", "the old data is back");
    while cache.peek(&value).await.is_err() {
        assert!(client.wait_connected(crate::SOON).await);
    }
    assert_eq!(cache.peek(&value).await.unwrap(), None);
    assert!(matches!(cache.lookup(&value, MINUTE).await.unwrap(), Lookup::Miss(_)));
    assert!(!cache.fill(&loading, &lease, "old".into(), MINUTE).await.unwrap());
    let again = RedisCache::new(crate::client(&options(server.url())).await);
    assert_eq!(again.lookup(&value, MINUTE).await.unwrap(), Lookup::Loading, "they agree");
}

#[tokio::test(flavor = "multi_thread")]
async fn values_leases_and_holds_expire() {
    let server = Redis::shared().unwrap();
    let cache = RedisCache::new(client(&options(server.url())).await);
    let key = key("expire");
    let short = Duration::from_millis(30);
    let until = async |wanted: fn(&Lookup) -> bool| {
        let started = tokio::time::Instant::now();
        loop {
            let found = cache.lookup(&key, short).await.unwrap();
            if wanted(&found) {
                return found;
            }
            assert!(started.elapsed() < MINUTE, "{found:?}");
            tokio::task::yield_now().await;
        }
    };
    let asked = tokio::time::Instant::now();
    let Lookup::Miss(old) = cache.lookup(&key, short).await.unwrap() else { panic!() };
    let again = cache.lookup(&key, short).await.unwrap();
    assert!(again == Lookup::Loading || asked.elapsed() >= short, "{again:?}");
    let Lookup::Miss(new) = until(|found| matches!(found, Lookup::Miss(_))).await else { panic!() };
    assert!(!cache.fill(&key, &old, "old".into(), MINUTE).await.unwrap(), "its lease has ended");
    cache.abandon(&key, &old).await.unwrap();
    if cache.fill(&key, &new, "new".into(), short).await.unwrap() {
        until(|found| *found != Lookup::Hit("new".into())).await;
    }
    cache.hold(std::slice::from_ref(&key), short).await.unwrap();
    until(|found| matches!(found, Lookup::Miss(_))).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn scripts_come_back_after_the_server_has_forgotten_them() {
    let server = Redis::start().unwrap();
    let cache = RedisCache::new(client(&options(server.url())).await);
    for round in 0..3 {
        let key = key("forgotten");
        let Lookup::Miss(lease) = cache.lookup(&key, MINUTE).await.unwrap() else { panic!() };
        assert!(cache.fill(&key, &lease, "v".into(), MINUTE).await.unwrap(), "round {round}");
        server.cli(&["SCRIPT", "FLUSH"]).unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_value_over_the_bound_is_not_kept_and_its_lease_ends() {
    let cache = RedisCache::new(client(&options(Redis::shared().unwrap().url())).await);
    let key = key("large");
    for (size, kept) in [(1024 * 1024 + 1, false), (1024 * 1024, true)] {
        let Lookup::Miss(lease) = cache.lookup(&key, MINUTE).await.unwrap() else { panic!() };
        let value = Bytes::from(vec![7; size]);
        assert_eq!(cache.fill(&key, &lease, value, MINUTE).await.unwrap(), kept);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_redis_goes_on_with_what_it_has() {
    let args = ["--maxmemory", "4mb"].map(str::to_owned).to_vec();
    let server = outrigger_testkit::RedisOptions { args, ..Default::default() };
    let server = Redis::start_with(server).unwrap();
    let cache = RedisCache::new(client(&options(server.url())).await);
    let fill = async |key: &str| match cache.lookup(key, MINUTE).await.unwrap() {
        Lookup::Miss(lease) => {
            cache.fill(key, &lease, vec![7; 100_000].into(), MINUTE).await.unwrap()
        }
        Lookup::Held => false,
        other => panic!("{other:?}"),
    };
    assert!(fill("first").await);
    let mut filled = 0;
    while fill(&key("full")).await {
        filled += 1;
        assert!(filled < 1_000, "it is never full");
    }
    assert_eq!(cache.lookup(&key("full"), MINUTE).await.unwrap(), Lookup::Held);
    assert!(matches!(cache.lookup("first", MINUTE).await.unwrap(), Lookup::Hit(_)));
    // What a writer invalidates is gone, whether or not there is room to note the hold.
    let held = cache.hold(&["first".to_owned()], MINUTE).await;
    assert!(held.is_ok() || matches!(held, Err(CacheError::Unavailable(_))));
    assert_eq!(cache.peek("first").await.unwrap(), None);
}
