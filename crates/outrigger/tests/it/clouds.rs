//! Secrets and mail of clouds, on an emulator of AWS.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, RwLock};
use std::time::{Duration, Instant};

use aws_lc_rs::digest::{SHA256, digest};
use aws_lc_rs::hmac;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use outrigger_testkit::{Aws, Postgres, PostgresOptions, TempDir, sized, wait_until};
use serde_json::{Value, json};

use crate::support::{Api, Backend, Server, ServerOptions, run, unique, until};

/// Whose password is rotated.
const ROLE: &str = "rotating";

/// Asks the emulator's Secrets Manager.
pub(crate) fn secrets(operation: &str, body: &Value) -> String {
    let aws = Aws::shared().unwrap();
    let scope = "Credential=test/20260101/us-east-1/secretsmanager/aws4_request";
    let api =
        Api::new(&aws.url()).with("x-amz-target", &format!("secretsmanager.{operation}")).with(
            "authorization",
            &format!("AWS4-HMAC-SHA256 {scope}, SignedHeaders=host, Signature=0"),
        );
    let body = Some(("application/x-amz-json-1.1", body.to_string()));
    let answer = api.send("POST", "/", body);
    assert_eq!(answer.status, 200, "{operation}: {}", answer.text);
    answer.text
}

/// Options of a server that speaks to the emulator.
pub(crate) fn in_aws(options: ServerOptions) -> ServerOptions {
    options
        .set("AWS_ENDPOINT_URL", &Aws::shared().unwrap().url())
        .set("AWS_REGION", "us-east-1")
        .set("AWS_ACCESS_KEY_ID", "test")
        .set("AWS_SECRET_ACCESS_KEY", "test")
}

const PATIENCE: Duration = Duration::from_secs(120);
/// So long reads and writes wait for a connection. Where opening one has taken longer, as this machine stood
/// still or has much else to do, they may fail, and nothing is shown.
const SOON: Duration = Duration::from_secs(3);

/// What failed, and when it was asked for and refused.
type Failure = (Instant, Instant, String);

/// Reads and writes all the time; counts, and keeps what failed.
struct Load {
    /// Held by each write that is under way: what becomes of one whose connection is ended is not known.
    writing: Arc<RwLock<()>>,
    stop: Arc<AtomicBool>,
    done: Arc<AtomicU64>,
    threads: Vec<std::thread::JoinHandle<Vec<Failure>>>,
    /// From when until when this machine was too slow.
    slow: Mutex<Vec<(Instant, Instant)>>,
}

impl Load {
    fn on(server: &Server, collection: &str) -> Self {
        let (stop, done) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicU64::new(0)));
        let writing = Arc::new(RwLock::new(()));
        let threads = (0..4).map(|thread| {
            let writing = writing.clone();
            let (stop, done, api) = (stop.clone(), done.clone(), server.admin());
            let path = format!("/api/v1/records/{collection}");
            std::thread::spawn(move || {
                let mut failed = Vec::new();
                let mut number = 0;
                while !stop.load(Ordering::Relaxed) {
                    number += 1;
                    let body = Some(("application/json", json!({"n": number}).to_string()));
                    let one = format!("{path}/r{thread}");
                    // The first only reads.
                    let kind = if thread == 0 { 2 } else { number % 3 };
                    let _writing = (kind < 2).then(|| writing.read().unwrap());
                    let began = Instant::now();
                    let asked = match kind {
                        0 => api.try_send("POST", &path, body),
                        1 => api.try_send("PUT", &one, body),
                        _ => api.try_send("GET", &format!("{path}?limit=2"), None),
                    };
                    let why = match asked {
                        Ok(answer) if answer.status < 300 => {
                            done.fetch_add(1, Ordering::Relaxed);
                            continue;
                        }
                        Ok(answer) => format!("{kind}: {} {}", answer.status, answer.text),
                        Err(error) => error.to_string(),
                    };
                    failed.push((began, Instant::now(), why));
                }
                failed
            })
        });
        let threads = threads.collect();
        Self { writing, stop, done, threads, slow: Mutex::default() }
    }

    /// Waits until so many more are done.
    fn go_on(&self, more: u64) {
        let goal = self.done.load(Ordering::Relaxed) + more;
        let is_there = || self.done.load(Ordering::Relaxed) >= goal;
        wait_until("the load goes on", PATIENCE, is_there).unwrap();
    }

    /// How many were done, and what failed while this machine was quick enough.
    fn end(self) -> (u64, Vec<String>) {
        self.stop.store(true, Ordering::Relaxed);
        let failed = self.threads.into_iter().flat_map(|thread| thread.join().unwrap());
        let slow = self.slow.into_inner().unwrap();
        let counts = |(began, ended, _): &Failure| {
            !slow.iter().any(|(from, until)| began <= until && from <= ended)
        };
        let failed = failed.filter(counts).map(|(_, _, why)| why).collect();
        (self.done.load(Ordering::Relaxed), failed)
    }
}

/// What PostgreSQL keeps of a password (RFC 5803), with one round of hashing in place of 4,096: unoptimised,
/// those make sign-ins of ten connections take seconds.
fn verifier(password: &str) -> String {
    let sign = |key: &[u8], text: &[u8]| {
        let tag = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, key), text);
        tag.as_ref().to_owned()
    };
    let salt = b"0123456789abcdef";
    let salted = sign(password.as_bytes(), &[&salt[..], &[0, 0, 0, 1]].concat());
    let stored = digest(&SHA256, &sign(&salted, b"Client Key"));
    let server = sign(&salted, b"Server Key");
    let [salt, stored, server] =
        [&salt[..], stored.as_ref(), &server].map(|it| STANDARD.encode(it));
    format!("SCRAM-SHA-256$1:{salt}${stored}:{server}")
}

/// The password changes, then the secret, which is what a function of Secrets Manager does; all connections are
/// ended while reads come and writes are about to, between the two if it says so: then the secret is still
/// the old one when the password is refused. Whether all of it went on soon.
fn rotate(
    postgres: &Postgres,
    load: &Load,
    password: &str,
    put: impl Fn(),
    is_between: bool,
) -> bool {
    let next = verifier(password);
    postgres.psql(&format!("alter role {ROLE} password '{next}'")).unwrap();
    if !is_between {
        put();
    }
    let refused = || postgres.log().matches("password authentication failed").count();
    let before = refused();
    let ended = format!(
        "select count(pg_terminate_backend(pid)) from pg_stat_activity where usename = '{ROLE}'"
    );
    let no_write = load.writing.write().unwrap();
    let began = Instant::now();
    let ended: u64 = postgres.psql(&ended).unwrap().trim().parse().unwrap();
    assert!(ended > 0);
    if is_between {
        let is_refused = || refused() > before;
        wait_until("a sign-in was refused", PATIENCE, is_refused).unwrap();
        put();
    }
    // Reads go on, over new connections, and then writes.
    load.go_on(20);
    let reading = began.elapsed();
    drop(no_write);
    let wrote = Instant::now();
    load.go_on(20);
    let is_soon = reading < SOON && wrote.elapsed() < SOON;
    if !is_soon {
        load.slow.lock().unwrap().push((began, Instant::now()));
    }
    load.go_on(200);
    is_soon
}

/// In every other round connections are ended before the secret changes. No request fails.
fn the_password_is_rotated_and_no_request_fails(
    database: impl Fn(&str, u16) -> String,
    secret: impl Fn(&str, u16) -> Value,
    odd: &str,
) {
    let options = PostgresOptions { tls: true, ..PostgresOptions::default() };
    let postgres = Postgres::start_with(options).unwrap();
    let first = verifier("first-password");
    postgres.psql(&format!("create role {ROLE} login password '{first}'")).unwrap();
    postgres.psql(&format!("create database shop owner {ROLE}")).unwrap();
    let port = postgres.port();
    let name = unique("database-");
    let secret = |password: &str| secret(password, port).to_string();
    secrets("CreateSecret", &json!({"Name": name, "SecretString": secret("first-password")}));
    let database = database(&name, port);
    let options = in_aws(ServerOptions::on(Backend::Urls { database, redis: None }))
        .set("OUTRIGGER__HTTP__THREADS", "1")
        .set("OUTRIGGER__DATABASE__WRITE_CONNECTIONS", "4");
    let server = Server::start(&options);
    let things = server.collection(&json!({}));
    let load = Load::on(&server, &things);
    load.go_on(200);
    let (rounds, mut shown) = (sized(3, 30), 0);
    for round in 0..10 * rounds {
        let password = format!("password-{round}{odd}");
        let body = json!({"SecretId": name, "SecretString": secret(&password)});
        let put = || drop(secrets("PutSecretValue", &body));
        shown += usize::from(rotate(&postgres, &load, &password, put, shown % 2 == 0));
        if shown == rounds {
            break;
        }
    }
    assert_eq!(shown, rounds, "connections are there again too late");
    let (done, failed) = load.end();
    assert!(
        failed.is_empty(),
        "{} of {done} failed: {failed:#?}\n{}",
        failed.len(),
        server.process.log()
    );
    assert!(!server.process.log().contains("password-"), "a password is in the log");
}

#[test]
fn the_password_of_the_database_is_rotated_under_load_and_no_request_fails() {
    let url = |password: &str, port: u16| json!({"url": format!("postgres://{ROLE}:{password}@127.0.0.1:{port}/shop?sslmode=require")});
    the_password_is_rotated_and_no_request_fails(|name, _| format!("aws-sm://{name}#url"), url, "");
}

/// The secret as AWS makes it for RDS, with whatever characters, and references to its parts in the URL.
#[test]
fn a_secret_of_rds_is_rotated_under_load_and_no_request_fails() {
    let url = |name: &str, port: u16| {
        let part = |member: &str| format!("{{aws-sm://{name}#{member}}}");
        let (user, password) = (part("username"), part("password"));
        format!("postgres://{user}:{password}@127.0.0.1:{port}/shop?sslmode=require")
    };
    let secret = |password: &str, _| json!({"username": ROLE, "password": password});
    the_password_is_rotated_and_no_request_fails(url, secret, "/@:#%{}? &");
}

#[test]
fn a_reference_that_leads_nowhere_is_named_at_the_start_and_secrets_are_not() {
    let folder = TempDir::new("clouds").unwrap();
    let name = unique("odd-");
    secrets("CreateSecret", &json!({"Name": name, "SecretString": "hunter2 is no JSON"}));
    for (url, words) in [
        (format!("aws-sm://{}", unique("no-")), "database.url: aws-sm://no-"),
        (format!("aws-sm://{name}#url"), "is no JSON, of which #url could be a part"),
        ("aws-sm://#url".to_owned(), "a reference is aws-sm://NAME"),
    ] {
        let options = in_aws(ServerOptions::on(Backend::Urls { database: url, redis: None }));
        let (done, text) = run(&options, folder.path(), &["migrate", "plan"], "");
        assert!(!done && text.contains(words) && !text.contains("hunter2"), "{text}");
    }
    let name = unique("part-");
    let parts = json!({"url": format!("sqlite://{}", folder.join("a.db").display())}).to_string();
    secrets("CreateSecret", &json!({"Name": name, "SecretString": parts}));
    let database = format!("aws-sm://{name}#url");
    let options = in_aws(ServerOptions::on(Backend::Urls { database, redis: None }));
    let (done, text) = run(&options, folder.path(), &["migrate", "apply"], "");
    assert!(done && text.contains("0 missing"), "{text}");
}

/// Mail goes through SES as it is written; one that SES does not know yet is tried again.
#[test]
fn mail_is_handed_to_ses() {
    let aws = Aws::start().unwrap();
    let api = Api::new(&aws.url());
    let scope = "Credential=test/20260101/us-east-1/ses/aws4_request";
    let signed = format!("AWS4-HMAC-SHA256 {scope}, SignedHeaders=host, Signature=0");
    let identity = json!({"EmailIdentity": "shop@example.com"});
    let body = Some(("application/json", identity.to_string()));
    let made = api.with("authorization", &signed).send("POST", "/v2/email/identities", body);
    assert_eq!(made.status, 200, "{}", made.text);
    let options = in_aws(ServerOptions::on(Backend::Sqlite))
        .set("AWS_ENDPOINT_URL", &aws.url())
        .set("MAIL_URL", "ses://us-east-1")
        .set("OUTRIGGER__MAIL__FROM", "The Shop <shop@example.com>");
    let server = Server::start(&options);
    let (_, text) = server.run(&["doctor"]);
    assert!(text.contains("SES"), "{text}");
    let payload =
        json!({"to": "ana@example.org", "subject": "Öl für Zoë", "text": "It is on its way."});
    let task = json!({"kind": "email.send", "payload": payload});
    let admin = server.admin();
    let path = admin.post("/api/v1/tasks", &task).expect(202).header("location").to_owned();
    let task = until(&admin, &path, "succeeded");
    let result = &task["result"];
    assert!(result["message_id"].as_str().unwrap().ends_with("@email.amazonses.com"), "{task}");
    let taken = api.get("/_ministack/ses/messages").expect(200).text;
    assert!(taken.contains("ana@example.org") && taken.contains("shop@example.com"), "{taken}");
    // A sender that it does not know may be made known: the task waits, and says what SES says.
    let mut unknown = payload.clone();
    unknown["from"] = json!("nobody@example.net");
    let path = admin.post("/api/v1/tasks", &json!({"kind": "email.send", "payload": unknown}));
    let path = path.expect(202).header("location").to_owned();
    let said = || {
        let task = admin.get(&path).expect(200).json();
        let message = task["error"]["message"].as_str().unwrap_or_default().to_owned();
        task["status"] == "scheduled"
            && message.contains("400 MessageRejected Email address is not")
    };
    wait_until("it was told", PATIENCE, said).unwrap();
    // SES away: the task waits and goes on when it is back.
    aws.kill();
    let path = admin.post("/api/v1/tasks", &json!({"kind": "email.send", "payload": payload}));
    let path = path.expect(202).header("location").to_owned();
    let tried = || admin.get(&path).expect(200).json()["attempts"].as_u64() >= Some(1);
    wait_until("it was tried", PATIENCE, tried).unwrap();
    aws.start_again().unwrap();
    let body = Some(("application/json", identity.to_string()));
    api.with("authorization", &signed).send("POST", "/v2/email/identities", body);
    until(&admin, &path, "succeeded");
}
