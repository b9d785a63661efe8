//! What was acknowledged is there after `kill -9`, of the process and of the database.

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use anyhow::bail;
use outrigger_testkit::{Postgres, PostgresOptions, eventually, wait_until};
use serde_json::{Value, json};

use crate::support::{Answer, Api, Backend, Server, ServerOptions};

const KILLS: u64 = 50;
const WRITERS: usize = 4;
/// Records of each writer, written over and over.
const RECORDS: u64 = 30;
/// Longest time until every thread of the process has found the database again.
const SERVED_AGAIN: Duration = Duration::from_secs(60);

/// What the writers know of one record.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Known {
    /// The last number that was acknowledged.
    acknowledged: u64,
    /// The last number that was sent.
    sent: u64,
}

/// What the writers know.
#[derive(Default)]
struct Ledger {
    collection: String,
    next: AtomicU64,
    acknowledgements: AtomicU64,
    records: Mutex<BTreeMap<String, Known>>,
    /// Records that were created under an id of the server's choice: their number.
    created: Mutex<BTreeMap<String, u64>>,
    stop: AtomicBool,
}

impl Ledger {
    fn number(&self) -> u64 {
        self.next.fetch_add(1, Ordering::SeqCst) + 1
    }

    fn sends(&self, ids: &[&str], n: u64) {
        let mut records = self.records.lock().unwrap();
        for id in ids {
            records.entry((*id).to_owned()).or_default().sent = n;
        }
    }

    fn acknowledged(&self, ids: &[&str], n: u64) {
        let mut records = self.records.lock().unwrap();
        for id in ids {
            records.entry((*id).to_owned()).or_default().acknowledged = n;
        }
        self.acknowledgements.fetch_add(1, Ordering::SeqCst);
    }

    /// Writes until told to stop; with `through_errors` also while the database is away. Each
    /// writer has records of its own, and writes them in different ways.
    fn write(&self, api: &Api, writer: usize, through_errors: bool) {
        let base = format!("/api/v1/records/{}", self.collection);
        while !self.stop.load(Ordering::SeqCst) {
            let n = self.number();
            let one = format!("w{writer}-{}", n % RECORDS);
            let two = format!("{one}-twin");
            let data = json!({"n": n});
            let (method, path, body, ids): (_, _, _, Vec<&str>) = match writer % 4 {
                0 => ("POST", base.clone(), data, vec![]),
                1 => ("PUT", format!("{base}/{one}"), data, vec![&one]),
                2 => {
                    let put = |id: &str| json!({"op": "put", "collection": self.collection, "id": id, "data": data});
                    let batch = json!({"operations": [put(&one), put(&two)]});
                    ("POST", "/api/v1/batch".to_owned(), batch, vec![&one, &two])
                }
                _ => {
                    let put = json!({"op": "put", "collection": self.collection, "id": one, "data": {"n": n, "text": "x".repeat(20_000)}});
                    let batch = json!({"operations": [put]});
                    ("POST", "/api/v1/batch".to_owned(), batch, vec![&one])
                }
            };
            self.sends(&ids, n);
            let body = Some(("application/json", body.to_string()));
            match api.try_send(method, &path, body) {
                Ok(answer) if answer.status < 300 => {
                    if ids.is_empty() {
                        let id = answer.json()["id"].as_str().expect("an id").to_owned();
                        self.created.lock().unwrap().insert(id, n);
                    }
                    self.acknowledged(&ids, n);
                }
                Ok(answer) => assert_eq!(answer.status, 503, "{}", answer.text),
                Err(_) if through_errors => {}
                Err(_) => return,
            }
        }
    }

    fn wait_for(&self, more: u64) {
        let enough = self.acknowledgements.load(Ordering::SeqCst) + more;
        let reached = || self.acknowledgements.load(Ordering::SeqCst) >= enough;
        wait_until("acknowledged writes", Duration::from_secs(120), reached).expect("writes go on");
    }

    /// Reads a record, as soon as the thread that serves it has found the database again.
    fn read(&self, api: &Api, id: &str) -> Answer {
        let path = format!("/api/v1/records/{}/{id}", self.collection);
        let served = || match api.get(&path) {
            answer if answer.status == 503 => bail!("{}", answer.text),
            answer => Ok(answer),
        };
        eventually("a read", SERVED_AGAIN, served).expect("it is served again")
    }

    /// Reads back every record; created ones only from `first_created` on.
    fn verify(&self, api: &Api, first_created: u64) {
        let read = |id: &str| self.read(api, id);
        let number = |value: &Value| value["data"]["n"].as_u64().expect("a number");
        let records = self.records.lock().unwrap().clone();
        for (id, known) in &records {
            let answer = read(id);
            if known.acknowledged == 0 && answer.status == 404 {
                continue;
            }
            let n = number(&answer.expect(200).json());
            assert!((known.acknowledged..=known.sent).contains(&n), "{id}: {n}, {known:?}");
            if let Some(one) = id.strip_suffix("-twin") {
                // What was under way at the kill may be committed between two reads, but never by halves.
                let are_one = || number(&read(one).expect(200).json()) == number(&read(id).json());
                wait_until(&format!("both of the batch with {id}"), SERVED_AGAIN, are_one).unwrap();
            }
        }
        for (id, n) in self.created.lock().unwrap().iter().filter(|(_, n)| **n >= first_created) {
            assert_eq!(number(&read(id).expect(200).json()), *n, "{id}");
        }
    }

    /// From now on each record is what was read; writes in flight at a kill are settled.
    fn settle(&self, api: &Api) {
        let mut records = self.records.lock().unwrap();
        for (id, known) in records.iter_mut() {
            let answer = self.read(api, id);
            known.acknowledged = answer.json()["data"]["n"].as_u64().unwrap_or(0);
        }
    }
}

fn public_collection(server: &Server) -> String {
    server.collection(&json!({"cache_ttl_s": 0, "rules": {"read": "public", "create": "public", "update": "public"}}))
}

fn kill_in_a_write_loop(options: &ServerOptions, kills: u64) {
    // The token of the beginning is good at the end, however long that takes.
    let options = options.clone().set("OUTRIGGER__AUTH__ACCESS_TOKEN_S", "86400");
    let mut server = Server::start(&options);
    let ledger = Ledger { collection: public_collection(&server), ..Ledger::default() };
    let (_, login) = server.new_login();
    for round in 0..kills {
        let first = ledger.next.load(Ordering::SeqCst) + 1;
        std::thread::scope(|scope| {
            for writer in 0..WRITERS {
                let (api, ledger) = (server.api(), &ledger);
                scope.spawn(move || ledger.write(&api, writer, false));
            }
            // Not always at the same place of the loop.
            ledger.wait_for(12 + round * 7 % 23);
            server.process.kill();
        });
        server = server.start_again();
        let api = server.api();
        ledger.verify(&api, first);
        ledger.settle(&api);
    }
    ledger.verify(&server.api(), 0);
    let token = login["access_token"].as_str().unwrap();
    server.api().with_token(token).get("/api/v1/users/me").expect(200);
    let count = ledger.acknowledgements.into_inner();
    assert!(count > kills * 12, "{count}: hardly anything was written");
}

#[test]
fn fifty_kills_in_a_write_loop_lose_nothing_on_sqlite() {
    kill_in_a_write_loop(&ServerOptions::on(Backend::Sqlite), KILLS);
}

#[test]
fn fifty_kills_in_a_write_loop_lose_nothing_on_postgres() {
    let options = PostgresOptions { durable: true, ..PostgresOptions::default() };
    let postgres = Postgres::start_with(options).expect("PostgreSQL starts");
    let redis = outrigger_testkit::Redis::shared().expect("Redis starts").url();
    let backend = Backend::Urls { database: postgres.url(), redis: Some(redis) };
    kill_in_a_write_loop(&ServerOptions::on(backend), KILLS);
}

#[cfg(feature = "dynamodb")]
#[test]
fn kills_in_a_write_loop_lose_nothing_on_dynamodb() {
    kill_in_a_write_loop(&ServerOptions::on(Backend::dynamodb()), 3);
}

#[cfg(feature = "mongodb")]
#[test]
fn kills_in_a_write_loop_lose_nothing_on_mongodb() {
    kill_in_a_write_loop(&ServerOptions::on(Backend::mongodb()), 3);
}

#[test]
fn kills_of_postgres_itself_lose_nothing() {
    let options = PostgresOptions { durable: true, ..PostgresOptions::default() };
    let postgres = Postgres::start_with(options).expect("PostgreSQL starts");
    let backend = Backend::Urls { database: postgres.url(), redis: None };
    kill_the_database(backend, 5, || {
        postgres.kill();
        postgres.start_again().expect("it recovers");
    });
}

#[cfg(feature = "dynamodb")]
#[test]
fn kills_of_dynamodb_itself_lose_nothing() {
    let dynamodb = outrigger_testkit::DynamoDb::start_durable().expect("an emulator starts");
    let backend = Backend::Urls { database: dynamodb.fresh_url(), redis: None };
    kill_the_database(backend, 2, || {
        dynamodb.kill();
        dynamodb.start_again().expect("it recovers");
    });
}

fn kill_the_database(backend: Backend, times: usize, kill: impl Fn()) {
    let server = Server::start(&ServerOptions::on(backend));
    let ledger = Ledger { collection: public_collection(&server), ..Ledger::default() };
    for _ in 0..times {
        ledger.stop.store(false, Ordering::SeqCst);
        std::thread::scope(|scope| {
            for writer in 0..WRITERS {
                let (api, ledger) = (server.api(), &ledger);
                scope.spawn(move || ledger.write(&api, writer, true));
            }
            ledger.wait_for(30);
            kill();
            ledger.wait_for(30);
            ledger.stop.store(true, Ordering::SeqCst);
        });
        let api = server.api();
        ledger.verify(&api, 0);
        ledger.settle(&api);
    }
    assert!(server.process.is_running());
}
