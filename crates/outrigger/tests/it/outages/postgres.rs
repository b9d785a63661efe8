//! PostgreSQL is away or stands still: 503 at once or in time, and recovery without a restart.

use std::time::{Duration, Instant};

use outrigger_testkit::{FaultProxy, Postgres, Redis, wait_until};
use serde_json::json;

use super::{NOTICED, public_collection, token, wait_for_check};
use crate::support::{Answer, Api, Backend, Server, ServerOptions, unique};

const TIMEOUT: Duration = Duration::from_secs(8);
/// Longest time for one request while the database does not answer: its timeout, on a busy machine.
const EACH: Duration = Duration::from_secs(30);

fn start(database: String) -> Server {
    let redis = Redis::shared().expect("Redis starts").url();
    let backend = Backend::Urls { database, redis: Some(redis) };
    let options = ServerOptions::on(backend)
        .set("OUTRIGGER__HTTP__REQUEST_TIMEOUT_S", &TIMEOUT.as_secs().to_string())
        .set("OUTRIGGER__DATABASE__STATEMENT_TIMEOUT_MS", "6000");
    Server::start(&options)
}

#[test]
fn when_the_time_runs_out_only_a_write_may_have_taken_effect() {
    let postgres = Postgres::start().expect("PostgreSQL starts");
    let proxy = FaultProxy::start(postgres.port()).expect("a proxy");
    let backend =
        Backend::Urls { database: postgres.url_at(proxy.port(), "postgres"), redis: None };
    // Each request's time ends before that of any statement.
    let options = ServerOptions::on(backend)
        .set("OUTRIGGER__HTTP__REQUEST_TIMEOUT_S", "8")
        .set("OUTRIGGER__DATABASE__STATEMENT_TIMEOUT_MS", "60000");
    let server = Server::start(&options);
    let path = format!("/api/v1/records/{}", public_collection(&server));
    proxy.freeze();
    let api = server.api();
    let codes = |answer: Answer| (answer.status, answer.code());
    assert_eq!(codes(api.get(&path)), (503, "timeout".to_owned()));
    let unknown = (503, "outcome_unknown".to_owned());
    assert_eq!(codes(api.post(&path, &json!({"n": 1}))), unknown);
    assert_eq!(codes(api.put(&format!("{path}/one"), &json!({"n": 1}))), unknown);
    assert_eq!(codes(api.delete(&format!("{path}/one"))), unknown);
}

/// Needs the database whatever is cached.
fn database_calls(api: &Api, collection: &str) -> Vec<Answer> {
    let path = format!("/api/v1/records/{collection}");
    vec![
        api.get(&format!("{path}/never-read")),
        api.get(&path),
        api.put(&format!("{path}/one"), &json!({"n": 1})),
        api.post(&path, &json!({"n": 1})),
        api.login("somebody@example.com", "not-the-password"),
    ]
}

fn is_away(answer: &Answer) {
    assert_eq!(answer.status, 503, "{}", answer.text);
    assert!(answer.header("retry-after").parse::<u64>().is_ok_and(|after| after > 0), "{answer:?}");
    let code = answer.code();
    assert!(
        ["database_unavailable", "outcome_unknown", "timeout"].contains(&code.as_str()),
        "{code}"
    );
}

/// The process is alive, and says that it is not ready.
fn health_says_down(server: &Server) {
    wait_for_check(server, "database", "down");
    // Each answer would take that long if it waited for the database; one may on a busy machine.
    let quickly = |path: &str, status: u16| {
        for api in [server.api(), server.internal()] {
            let each = (0..3).map(|_| super::timed(|| api.get(path).expect(status)).1);
            let quickest = each.min().unwrap();
            assert!(quickest < TIMEOUT / 2, "{path}: {quickest:?}");
        }
    };
    quickly("/health", 200);
    quickly("/health/live", 200);
    quickly("/health/ready", 503);
    let report = server.api().get("/api/health/").expect(503).json();
    assert_eq!(report["status"], "down");
    server.internal().get("/metrics").expect(200);
}

fn recovers(server: &Server, collection: &str, session: &str) {
    wait_until("ready again", NOTICED, || server.api().get("/health/ready").status == 200).unwrap();
    wait_for_check(server, "database", "ok");
    // Ready says that one thread reaches the database; the others follow within moments.
    let all_work =
        || (0..4).all(|_| database_calls(&server.api(), collection).iter().all(|a| a.status < 500));
    wait_until("all requests served", NOTICED, all_work).unwrap();
    let lives = || server.api().with_token(session).get("/api/v1/users/me").status == 200;
    wait_until("the session lives", NOTICED, lives).unwrap();
    let email = format!("{}@example.com", unique("recovered-"));
    let body = json!({"email": email, "password": Server::password()});
    let signs_in = || {
        server.api().post("/api/v1/auth/register", &body);
        server.api().login(&email, Server::password()).status == 200
    };
    wait_until("a new user", NOTICED, signs_in).unwrap();
}

#[test]
fn without_postgres_it_answers_503_and_recovers_by_itself() {
    let postgres = Postgres::start().expect("PostgreSQL starts");
    let server = start(postgres.url());
    let collection = public_collection(&server);
    let (_, login) = server.new_login();
    for kill in [false, true] {
        if kill {
            postgres.kill();
        } else {
            postgres.stop().expect("it stops");
        }
        let api = server.api();
        for _ in 0..3 {
            let started = Instant::now();
            database_calls(&api, &collection).iter().for_each(is_away);
            assert!(started.elapsed() < 5 * EACH, "{:?}", started.elapsed());
        }
        health_says_down(&server);
        postgres.start_again().expect("it starts again");
        recovers(&server, &collection, token(&login));
    }
    assert!(server.process.is_running());
}

#[test]
fn while_postgres_stands_still_requests_end_in_time() {
    let postgres = Postgres::shared().expect("PostgreSQL starts");
    let database = postgres.fresh_database().expect("a database");
    let name = database.rsplit('/').next().unwrap();
    let proxy = FaultProxy::start(postgres.port()).expect("a proxy");
    let server = start(postgres.url_at(proxy.port(), name));
    let collection = public_collection(&server);
    let (_, login) = server.new_login();
    let path = format!("/api/v1/records/{collection}/cached");
    server.api().put(&path, &json!({"n": 1})).expect(201);
    server.api().get(&path).expect(200);
    proxy.freeze();
    std::thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| {
                let api = server.api();
                for _ in 0..2 {
                    for answer in database_calls_one_by_one(&api, &collection) {
                        is_away(&answer);
                    }
                }
            });
        }
        health_says_down(&server);
    });
    proxy.restore().expect("it goes on");
    recovers(&server, &collection, token(&login));
}

/// The same calls, each of which must end in time.
fn database_calls_one_by_one(api: &Api, collection: &str) -> Vec<Answer> {
    let path = format!("/api/v1/records/{collection}");
    let calls: [&dyn Fn() -> Answer; 3] = [
        &|| api.get(&format!("{path}/never-read")),
        &|| api.post(&path, &json!({"n": 1})),
        &|| api.login("somebody@example.com", "not-the-password"),
    ];
    let in_time = |call: &dyn Fn() -> Answer| {
        let (answer, took) = super::timed(call);
        assert!(took < EACH, "{took:?}");
        answer
    };
    calls.iter().map(|call| in_time(call)).collect()
}

#[test]
fn sessions_that_postgres_ends_cost_at_most_the_requests_in_flight() {
    let postgres = Postgres::start().expect("PostgreSQL starts");
    let server = start(postgres.url());
    let collection = public_collection(&server);
    let path = format!("/api/v1/records/{collection}");
    let api = server.api();
    let mut acknowledged = Vec::new();
    for round in 0..12 {
        postgres.psql("select pg_terminate_backend(pid) from pg_stat_activity where pid <> pg_backend_pid() and backend_type = 'client backend'").expect("they end");
        for n in 0..10 {
            let id = format!("r{round}-{n}");
            let answer = api.put(&format!("{path}/{id}"), &json!({"n": n}));
            match answer.status {
                201 => acknowledged.push(id),
                _ => is_away(&answer),
            }
        }
    }
    assert!(acknowledged.len() > 60, "{}", acknowledged.len());
    for id in acknowledged {
        // The last sessions may end only now.
        let is_there = || {
            let answer = api.get(&format!("{path}/{id}"));
            assert!([200, 503].contains(&answer.status), "{id}: {}", answer.text);
            answer.status == 200
        };
        wait_until("it is read", NOTICED, is_there).unwrap();
    }
}
