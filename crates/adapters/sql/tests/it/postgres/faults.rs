//! Connections that break in the middle of commits, and a server that goes away and comes back.

use std::sync::Arc;
use std::time::{Duration, Instant};

use outrigger_ports::secrets::fixed;
use outrigger_ports::store::{Store, StoreError};
use outrigger_sql::{PostgresOptions, PostgresStore};
use outrigger_testkit::{FaultProxy, Postgres};
use tokio::time::sleep;

use super::{fresh, migrated, session, store};
use crate::support::{clock, create, key, on_one_core};

/// What became of commits.
#[derive(Debug, Default)]
struct Outcomes {
    done: Vec<String>,
    failed: Vec<String>,
    unknown: usize,
}

impl Outcomes {
    fn note(&mut self, id: String, result: Result<Vec<u64>, StoreError>) {
        match result {
            Ok(versions) => {
                assert_eq!(versions, [1]);
                self.done.push(id);
            }
            Err(StoreError::Unavailable(_)) => self.failed.push(id),
            Err(StoreError::OutcomeUnknown(_)) => self.unknown += 1,
            Err(other) => panic!("{id}: {other:?}"),
        }
    }

    /// Whether some were done and some were not.
    fn are_mixed(&self) -> bool {
        !self.done.is_empty() && self.failed.len() + self.unknown > 0
    }

    /// Every acknowledged document is there and none that was reported as not written.
    async fn check(&self, store: &dyn Store) {
        for id in &self.done {
            assert!(store.get(&key(id)).await.unwrap().is_some(), "{id} was acknowledged");
        }
        for id in &self.failed {
            assert_eq!(store.get(&key(id)).await.unwrap(), None, "{id} was reported as failed");
        }
    }
}

/// Creates documents, `count` at once.
async fn create_all(store: &Arc<PostgresStore>, round: usize, count: usize, out: &mut Outcomes) {
    let all = (0..count).map(|n| {
        let (store, id) = (Arc::clone(store), format!("r{round}-{n}"));
        async move { (id.clone(), create(&*store, &id).await) }
    });
    for (id, result) in futures_util::future::join_all(all).await {
        out.note(id, result);
    }
}

/// Creates documents in waves: those of one go together to the server.
async fn create_waves(store: &Arc<PostgresStore>, round: usize, out: &mut Outcomes) {
    for wave in 0..6 {
        create_all(store, 10 * round + wave, 4, out).await;
    }
}

/// Waits until commits pass again; the store must get there by itself.
async fn until_back(store: &PostgresStore, id: &str) {
    let started = Instant::now();
    let mut attempt = 0;
    while create(store, &format!("{id}-{attempt}")).await.is_err() {
        assert!(started.elapsed() < Duration::from_secs(60), "the store has not come back");
        attempt += 1;
        sleep(Duration::from_millis(20)).await;
    }
}

#[test]
fn a_commit_cut_at_any_byte_is_done_or_failed_or_unknown_but_never_lost() {
    let server = Postgres::shared().unwrap();
    let proxy = FaultProxy::start(server.port()).unwrap();
    let database = fresh();
    on_one_core(async {
        let direct = migrated(&PostgresOptions::at(server.url_of(&database))).await;
        let options = PostgresOptions::at(server.url_at(proxy.port(), &database));
        let store = Arc::new(PostgresStore::connect(&options, clock()).await.unwrap());
        let mut outcomes = Outcomes::default();
        let before = proxy.cuts();
        for round in 0..40 {
            // Somewhere within the first commits of the round, at another byte each time.
            proxy.cut_after_bytes(100 + 61 * round as u64);
            create_waves(&store, round, &mut outcomes).await;
            until_back(&store, &format!("back{round}")).await;
        }
        assert!(proxy.cuts() - before >= 35, "{} cuts", proxy.cuts());
        assert!(outcomes.unknown > 0 && !outcomes.done.is_empty(), "{outcomes:?}");
        outcomes.check(&direct).await;
    });
}

#[test]
fn ended_sessions_lose_nothing() {
    on_one_core(async {
        let (store, options) = store().await;
        let store = Arc::new(store);
        let admin = session(&options).await;
        let mut outcomes = Outcomes::default();
        for round in 0..20 {
            let end = async {
                sleep(Duration::from_millis(round as u64 % 7)).await;
                let sql = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity \
                           WHERE datname = current_database() AND pid <> pg_backend_pid()";
                admin.batch_execute(sql).await.unwrap();
            };
            tokio::join!(create_all(&store, round, 60, &mut outcomes), end);
            until_back(&store, &format!("back{round}")).await;
        }
        // Sessions that were told to end may still be about to: not with one of those.
        outcomes.check(&migrated(&options).await).await;
        assert!(!outcomes.done.is_empty());
    });
}

#[test]
fn a_killed_server_has_every_acknowledged_commit() {
    let durable = outrigger_testkit::PostgresOptions {
        durable: true,
        ..outrigger_testkit::PostgresOptions::default()
    };
    let server = Postgres::start_with(durable).unwrap();
    on_one_core(async {
        let store = Arc::new(migrated(&PostgresOptions::at(server.url())).await);
        let mut outcomes = Outcomes::default();
        // Until the server was killed in the middle, however slow it is: later in each round.
        for round in 0..60_u64 {
            let kill = async {
                sleep(Duration::from_millis(5 + 13 * round)).await;
                server.kill();
            };
            let round = usize::try_from(round).unwrap();
            tokio::join!(create_all(&store, round, 400, &mut outcomes), kill);
            server.start_again().unwrap();
            until_back(&store, &format!("back{round}")).await;
            if round >= 3 && outcomes.are_mixed() {
                break;
            }
        }
        assert!(outcomes.are_mixed(), "{outcomes:?}");
        outcomes.check(&migrated(&PostgresOptions::at(server.url())).await).await;
    });
}

#[test]
fn while_the_server_is_away_calls_fail_at_once_and_then_pass_again() {
    let server = Postgres::start().unwrap();
    on_one_core(async {
        let store = migrated(&PostgresOptions::at(server.url())).await;
        create(&store, "before").await.unwrap();
        server.stop().unwrap();
        // The first calls may meet connections that are just ending.
        let started = Instant::now();
        while !matches!(store.get(&key("before")).await, Err(StoreError::Unavailable(_))) {
            assert!(started.elapsed() < Duration::from_secs(60));
        }
        let started = Instant::now();
        for n in 0..50 {
            let read = store.get(&key("before")).await;
            assert!(matches!(read, Err(StoreError::Unavailable(_))), "{read:?}");
            let written = create(&store, &format!("away{n}")).await;
            assert!(matches!(written, Err(StoreError::Unavailable(_))), "{written:?}");
        }
        // If each waited for a connection it would take minutes.
        assert!(started.elapsed() < Duration::from_secs(60), "{:?}", started.elapsed());
        server.start_again().unwrap();
        until_back(&store, "after").await;
        let started = Instant::now();
        while store.get(&key("before")).await.is_err() {
            assert!(started.elapsed() < Duration::from_secs(60), "reads have not come back");
            sleep(Duration::from_millis(20)).await;
        }
    });
}

#[test]
fn a_silent_server_gives_timeout_to_reads_and_unknown_to_commits() {
    let server = Postgres::shared().unwrap();
    let proxy = FaultProxy::start(server.port()).unwrap();
    let database = fresh();
    on_one_core(async {
        let direct = migrated(&PostgresOptions::at(server.url_of(&database))).await;
        let options = PostgresOptions {
            statement_timeout: Duration::from_secs(2),
            connect_timeout: Duration::from_secs(2),
            ..PostgresOptions::at(server.url_at(proxy.port(), &database))
        };
        let store = PostgresStore::connect(&options, clock()).await.unwrap();
        create(&store, "before").await.unwrap();
        store.get(&key("before")).await.unwrap();
        proxy.freeze();
        let before = key("before");
        let (read, written) = tokio::join!(store.get(&before), create(&store, "within"));
        assert!(matches!(read, Err(StoreError::Timeout)), "{read:?}");
        assert!(matches!(written, Err(StoreError::OutcomeUnknown(_))), "{written:?}");
        proxy.restore().unwrap();
        until_back(&store, "after").await;
        assert!(direct.get(&key("before")).await.unwrap().is_some());
    });
}

#[test]
fn a_commit_whose_caller_has_gone_holds_nothing_up() {
    on_one_core(async {
        let (store, _) = store().await;
        for n in 0..200_u64 {
            let id = format!("gone{n}");
            let left = tokio::time::timeout(Duration::from_micros(n * 7), create(&store, &id));
            // It is left in the middle, wherever that is.
            let _ = left.await;
        }
        for n in 0..20 {
            create(&store, &format!("after{n}")).await.unwrap();
        }
    });
}

#[test]
fn a_full_disk_is_said_to_be_full_and_reads_go_on() {
    on_one_core(async {
        let (store, options) = store().await;
        create(&store, "before").await.unwrap();
        // What the server raises when it cannot extend a file, raised by a trigger.
        let sql = "CREATE FUNCTION full_disk() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN \
                   RAISE EXCEPTION 'could not extend file' USING ERRCODE = 'disk_full'; END $$; \
                   CREATE TRIGGER full_disk BEFORE INSERT ON outrigger_documents \
                   EXECUTE FUNCTION full_disk()";
        session(&options).await.batch_execute(sql).await.unwrap();
        let refused = create(&store, "after").await;
        assert!(matches!(refused, Err(StoreError::Full(_))), "{refused:?}");
        assert!(store.get(&key("before")).await.unwrap().is_some());
    });
}

#[test]
fn a_server_that_takes_no_writes_is_unavailable_for_them_only() {
    on_one_core(async {
        let (store, options) = store().await;
        create(&store, "before").await.unwrap();
        let admin = session(&options).await;
        let name = options_database(&options);
        let read_only = format!("ALTER DATABASE {name} SET default_transaction_read_only = on");
        admin.batch_execute(&read_only).await.unwrap();
        // On its own: who connects before the change is committed may still write.
        let end = "SELECT pg_terminate_backend(pid, 60000) FROM pg_stat_activity \
                   WHERE datname = current_database() AND pid <> pg_backend_pid()";
        admin.batch_execute(end).await.unwrap();
        let started = Instant::now();
        loop {
            let written = create(&store, "during").await;
            let Err(StoreError::Unavailable(cause)) = &written else { panic!("{written:?}") };
            if cause.to_string().contains("read-only") {
                break;
            }
            assert!(started.elapsed() < Duration::from_secs(60), "{cause}");
            sleep(Duration::from_millis(20)).await;
        }
        let undo = format!(
            "SET default_transaction_read_only = off; \
             ALTER DATABASE {name} SET default_transaction_read_only = off"
        );
        admin.batch_execute(&undo).await.unwrap();
        until_back(&store, "after").await;
    });
}

fn options_database(options: &PostgresOptions) -> String {
    use outrigger_kernel::secret::ExposeSecret;
    options.url.current().expose_secret().rsplit('/').next().unwrap().to_owned()
}

#[test]
fn lists_that_may_lag_go_to_the_replica_while_it_is_there() {
    use outrigger_ports::index_value::all;
    use outrigger_ports::store::{Order, Query};
    let server = Postgres::shared().unwrap();
    let proxy = FaultProxy::start(server.port()).unwrap();
    let (primary, replica) = (fresh(), fresh());
    on_one_core(async {
        // Another database stands for the replica, so that one can tell who answered.
        let other = migrated(&PostgresOptions::at(server.url_of(&replica))).await;
        create(&other, "replica").await.unwrap();
        let options = PostgresOptions {
            readonly_url: Some(fixed(server.url_at(proxy.port(), &replica))),
            ..PostgresOptions::at(server.url_of(&primary))
        };
        let store = migrated(&options).await;
        create(&store, "primary").await.unwrap();
        let ask = async |may_lag| {
            let query = Query {
                collection: "rec.things",
                order: Order::Id,
                range: all(),
                descending: false,
                after: None,
                limit: 10,
                may_lag,
            };
            store.query(&query).await.unwrap()[0].document.key.id.clone()
        };
        let started = Instant::now();
        while ask(true).await != "replica" {
            assert!(started.elapsed() < Duration::from_secs(60), "the replica is not used");
            sleep(Duration::from_millis(10)).await;
        }
        assert_eq!(ask(false).await, "primary");
        proxy.cut();
        assert_eq!(ask(true).await, "primary");
    });
}

#[test]
fn a_server_that_is_not_there_is_named_without_the_password() {
    let port = outrigger_testkit::free_port().unwrap();
    on_one_core(async {
        let url = format!("postgres://app:geheim@127.0.0.1:{port}/postgres");
        let error = PostgresStore::connect(&PostgresOptions::at(url), clock()).await.unwrap_err();
        assert!(matches!(error, StoreError::Unavailable(_)), "{error:?}");
        let text = format!("{error} {error:?}");
        assert!(text.contains("refused") && !text.contains("geheim"), "{text}");
    });
}
