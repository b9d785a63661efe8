//! Faults that are made for real, and the alerts that they cause. What a process shows of a fault is carried on
//! in simulated time, and the rules of `deploy/prometheus` are asked two minutes after its beginning.

use std::cell::Cell;
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::Write as _;
use std::net::TcpStream;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use outrigger_testkit::program::Program;
use outrigger_testkit::{Postgres, Redis, TempDir, wait_until};
use serde_json::json;

use crate::outages::metric;
use crate::support::{Backend, Server, ServerOptions, dead, unique};

const PATIENCE: Duration = Duration::from_secs(120);
/// Between two looks at a fault.
const APART: Duration = Duration::from_secs(2);

/// What a process shows at an instant.
pub(crate) struct Look {
    at: Instant,
    series: BTreeMap<String, f64>,
}

impl Look {
    pub(crate) fn at(server: &Server) -> Self {
        let at = Instant::now();
        let text = server.internal().get("/metrics").expect(200).text;
        let lines = text.lines().filter(|line| !line.starts_with('#'));
        let series = lines.filter_map(|line| {
            let (series, value) = line.rsplit_once(' ')?;
            // As a Prometheus names what it has looked at.
            let (name, labels) = series.split_once('{').unwrap_or((series, "}"));
            let series = format!("{name}{{job=\"outrigger\",instance=\"a:9000\",{labels}");
            Some((series, value.parse().ok()?))
        });
        Self { at, series: series.collect() }
    }
}

/// Ten minutes as it was before, then as it went on between two looks at the fault: the alert is quiet before,
/// and speaks up within two minutes.
pub(crate) fn fires(alert: &str, before: &Look, one: &Look, two: &Look) {
    let rules = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../deploy/prometheus/rules.yml");
    let rules = rules.canonicalize().expect("the rules");
    let seconds = two.at.duration_since(one.at).as_secs_f64();
    let series = two.series.iter().map(|(name, value)| {
        let was = one.series.get(name).copied().unwrap_or(*value);
        let each = (value - was) / seconds * 15.0;
        let mut values = match before.series.get(name) {
            Some(well) => format!("{well}x39"),
            None => "_x39".to_owned(),
        };
        let _fits =
            write!(values, " {value}{}{}x20", if each < 0.0 { '-' } else { '+' }, each.abs());
        json!({"series": name, "values": values})
    });
    let spoken = format!(
        "count(count by (alertname) (ALERTS{{alertname=\"{alert}\",alertstate=\"firing\"}}))"
    );
    let test = json!({
        "rule_files": [rules],
        "evaluation_interval": "15s",
        "tests": [{
            "interval": "15s",
            "input_series": series.collect::<Vec<_>>(),
            "promql_expr_test": [
                {"expr": spoken, "eval_time": "9m45s", "exp_samples": []},
                {"expr": spoken, "eval_time": "11m45s", "exp_samples": [{"labels": "{}", "value": 1}]},
            ],
        }],
    });
    let folder = TempDir::new("alerts").unwrap();
    let file = folder.join("test.yml");
    std::fs::write(&file, test.to_string()).unwrap();
    let mut promtool = Command::new(Program::PROMTOOL.path().unwrap());
    let done = promtool.args(["test", "rules"]).arg(&file).output().unwrap();
    let said = String::from_utf8_lossy(&done.stdout);
    let why = String::from_utf8_lossy(&done.stderr);
    assert!(done.status.success(), "{alert}: {said}{why}");
}

/// The fault goes on for as long as two looks are apart, and at least so many times, also where the test
/// stands still meanwhile.
fn while_it_lasts(server: &Server, times: usize, goes_on: impl Fn()) -> (Look, Look) {
    goes_on();
    let one = Look::at(server);
    let mut done = 0;
    while done < times || one.at.elapsed() < APART {
        goes_on();
        done += 1;
    }
    (one, Look::at(server))
}

fn postgres() -> (Postgres, ServerOptions) {
    let postgres = Postgres::start().unwrap();
    let backend = Backend::Urls { database: postgres.url(), redis: None };
    let options = ServerOptions::on(backend).set("OUTRIGGER__HTTP__REQUEST_TIMEOUT_S", "5");
    (postgres, options)
}

#[test]
fn a_slow_database() {
    let (postgres, options) = postgres();
    let server = Server::start(&options);
    let path = format!("/api/v1/records/{}/none", server.collection(&json!({})));
    let admin = server.admin();
    (0..20).for_each(|_| drop(admin.get(&path).expect(404)));
    let before = Look::at(&server);
    // Until somebody has waited for it for a while.
    let locked = "BEGIN; LOCK TABLE outrigger_documents IN ACCESS EXCLUSIVE MODE; \
        DO $$ BEGIN FOR n IN 1..6000 LOOP EXIT WHEN EXISTS (SELECT FROM pg_locks WHERE NOT granted); \
        PERFORM pg_sleep(0.01); END LOOP; END $$; SELECT pg_sleep(0.7); COMMIT";
    let ask = || {
        let answer = admin.get(&path);
        // Nobody waits for a lock for longer than some seconds.
        assert!([404, 503].contains(&answer.status), "{}", answer.text);
    };
    let (one, two) = while_it_lasts(&server, 3, || {
        std::thread::scope(|scope| {
            let holder = scope.spawn(|| postgres.psql(locked).unwrap());
            let is_held =
                "SELECT count(*) FROM pg_locks WHERE granted AND mode = 'AccessExclusiveLock'";
            let held =
                || holder.is_finished() || postgres.psql(is_held).is_ok_and(|count| count != "0");
            wait_until("the lock", PATIENCE, held).unwrap();
            let asking: Vec<_> = (0..8).map(|_| scope.spawn(ask)).collect();
            for asked in asking {
                asked.join().unwrap();
            }
            holder.join().unwrap();
        });
    });
    fires("DatabaseSlow", &before, &one, &two);
}

#[test]
fn a_burst_of_errors_while_the_database_is_away() {
    let (postgres, options) = postgres();
    let server = Server::start(&options);
    let path = format!("/api/v1/records/{}/none", server.collection(&json!({})));
    let admin = server.admin();
    (0..20).for_each(|_| drop(admin.get(&path).expect(404)));
    let before = Look::at(&server);
    postgres.stop().unwrap();
    wait_until("it is noticed", PATIENCE, || admin.get(&path).status == 503).unwrap();
    let (one, two) = while_it_lasts(&server, 20, || drop(admin.get(&path).expect(503)));
    fires("RequestsFail", &before, &one, &two);
    fires("DatabaseFails", &before, &one, &two);
}

#[test]
fn redis_is_away() {
    let redis = Redis::start().unwrap();
    let database = Postgres::shared().and_then(Postgres::fresh_database).unwrap();
    let backend = Backend::Urls { database, redis: Some(redis.url()) };
    let server = Server::start(&ServerOptions::on(backend));
    let ask = || drop(server.api().get("/api/v1/users/me").expect(401));
    ask();
    let before = Look::at(&server);
    redis.stop().unwrap();
    let is_open = || {
        ask();
        metric(&server, &["outrigger_breaker_open", "of=\"limiter\""]) > 0.9
    };
    wait_until("Redis is skipped", PATIENCE, is_open).unwrap();
    let (one, two) = while_it_lasts(&server, 1, ask);
    fires("RedisSkipped", &before, &one, &two);
}

#[test]
fn a_worker_that_stands_still() {
    let (_postgres, options) = postgres();
    let options = options.set("OUTRIGGER_SECRET", "0f3c6a9be27d41580f3c6a9be27d4158ab");
    let worker = Server::start_with(&options, &["--roles", "worker"]);
    let api = Server::start_with(&options, &["--roles", "api"]);
    let oldest = || metric(&api, &["outrigger_queue_oldest_seconds", "queue=\"default\""]);
    let known = || api.internal().get("/metrics").text.contains("outrigger_queue_oldest_seconds");
    wait_until("the queue is told of", PATIENCE, known).unwrap();
    let before = Look::at(&api);
    worker.process.signal("STOP").unwrap();
    let task = json!({"kind": "noop", "payload": {}});
    api.admin().post("/api/v1/tasks", &task).expect(202);
    wait_until("a task waits", PATIENCE, || oldest() > 1.0).unwrap();
    let one = Look::at(&api);
    let was = oldest();
    wait_until("it waits longer", PATIENCE, || oldest() > was + 3.0).unwrap();
    let two = Look::at(&api);
    worker.process.signal("CONT").unwrap();
    fires("WorkersStandStill", &before, &one, &two);
}

#[test]
fn somebody_tries_passwords() {
    let server = Server::start(&ServerOptions::on(Backend::Sqlite));
    let before = Look::at(&server);
    let tried = || {
        let email = format!("{}@example.com", unique("nobody"));
        let answer = server.api().login(&email, "wrong-horse-battery-19");
        assert!([401, 429].contains(&answer.status), "{}", answer.text);
    };
    let (one, two) = while_it_lasts(&server, 100, tried);
    fires("WrongPasswords", &before, &one, &two);
}

#[test]
fn dead_letters_that_grow() {
    let server = Server::start(&ServerOptions::on(Backend::Sqlite));
    let (admin, queue) = (server.admin(), unique("alert-"));
    let there = || metric(&server, &["outrigger_queue_tasks", "state=\"dead\""]);
    dead(&admin, &queue, 1);
    wait_until("the first is counted", PATIENCE, || there() > 0.0).unwrap();
    let before = Look::at(&server);
    dead(&admin, &queue, 15);
    wait_until("they are counted", PATIENCE, || there() > 15.0).unwrap();
    fires("DeadTasksGrow", &before, &before, &Look::at(&server));
}

/// A request that is larger than all that the process may have, and does not end.
#[test]
fn memory_that_runs_short() {
    let options = ServerOptions::on(Backend::Sqlite)
        .set("OUTRIGGER__HTTP__BODY_BYTES_MAX", "1000000000")
        .set("OUTRIGGER__HTTP__REQUEST_TIMEOUT_S", "3600");
    let server = Server::start(&options);
    let before = Look::at(&server);
    let head = "POST /api/v1/auth/login HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\n";
    let piece = vec![b' '; 1_000_000];
    let hold = || {
        let mut held = TcpStream::connect(("127.0.0.1", server.port)).unwrap();
        write!(held, "{head}content-length: 900000000\r\n\r\n").unwrap();
        (0..20).for_each(|_| held.write_all(&piece).unwrap());
        held
    };
    let held: Vec<TcpStream> = (0..40).map(|_| hold()).collect();
    let used = || metric(&server, &["process_resident_memory_bytes"]);
    // What was needed to put it together is given back first, in steps that are seconds apart.
    let last = Cell::new((0.0, Instant::now()));
    wait_until("it is held", PATIENCE, || {
        let now = used();
        if (now - last.get().0).abs() > 1e6 {
            last.set((now, Instant::now()));
        }
        now > 700e6 && last.get().1.elapsed() > 5 * APART
    })
    .unwrap();
    let (one, two) = while_it_lasts(&server, 1, || drop(Look::at(&server)));
    drop(held);
    fires("MemoryShort", &before, &one, &two);
}
