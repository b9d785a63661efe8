//! No secret stands in a log, in an error, in a metric or in what the command line prints.

use std::path::Path;
use std::time::Duration;

use outrigger_testkit::{Postgres, Redis, RedisOptions, wait_until};
use serde_json::{Value, json};

use crate::support::{
    ADMIN_EMAIL, ADMIN_PASSWORD, Answer, Api, Backend, Server, ServerOptions, SigningKey, run,
    unique, until,
};

/// With a character that parts URLs: drivers take it in a password, encoded or not.
const DATABASE_PASSWORD: &str = "dbpw/7f3a9c51e2";
const REDIS_PASSWORD: &str = "rdpw-90be44a7d1";
const MASTER_SECRET: &str = "mastersecret-5d1f7c0e8b2a4963-5d1f7c0e8b2a4963";
const NEW_PASSWORD: &str = "a-new-course-for-home-2b7";
const HOOK_SECRET: &str = "hook-2e6d90b1c7a84f53";
const WRONG_PASSWORD: &str = "wrong-but-long-enough-91c";
const THREADS: usize = 2;
/// How long backends may take to be noticed as away or back.
const PATIENCE: Duration = Duration::from_secs(120);

/// Collects what others can see, and what they must not see in it.
#[derive(Default)]
struct Watch {
    secrets: Vec<(String, String)>,
    /// Where it stood, and the text.
    seen: Vec<(String, String)>,
}

impl Watch {
    fn secret(&mut self, name: &str, text: &str) {
        assert!(text.len() >= 12, "{name} is too short to be looked for");
        self.secrets.push((name.to_owned(), text.to_owned()));
    }

    /// The tokens of a login. The parts of a JWT that are no secret by themselves are not looked for.
    fn tokens(&mut self, login: &Value) {
        for name in ["access_token", "refresh_token"] {
            let token = login[name].as_str().expect("a token");
            self.secret(name, token);
            let tail = token.rsplit('.').next().expect("a last part");
            self.secret(name, &tail[tail.len().saturating_sub(40)..]);
        }
    }

    fn answer(&mut self, answer: &Answer) {
        let head: Vec<String> = answer.headers.iter().map(|(n, v)| format!("{n}: {v}")).collect();
        self.seen.push(("an answer".to_owned(), format!("{}\n{}", head.join("\n"), answer.text)));
    }

    fn output(&mut self, place: &str, output: (bool, String)) {
        self.seen.push((place.to_owned(), output.1));
    }

    fn logs_in(&mut self, folder: &Path) {
        for entry in std::fs::read_dir(folder).expect("the folder").flatten() {
            let path = entry.path();
            if path.extension().is_some_and(|extension| extension == "log") {
                let text =
                    String::from_utf8_lossy(&std::fs::read(&path).expect("a log")).into_owned();
                assert!(text.len() > 500, "the log is empty: {text}");
                self.seen.push((path.display().to_string(), text));
            }
        }
    }

    fn check(&self) {
        for (place, text) in &self.seen {
            for (name, secret) in &self.secrets {
                let found = text.find(secret.as_str()).map(|at| {
                    let start = text[..at].rfind('\n').map_or(0, |at| at + 1);
                    text[start..].lines().next().unwrap_or_default()
                });
                assert_eq!(found, None, "{name} stands in {place}");
            }
        }
    }
}

fn options(postgres: &Postgres, redis: &Redis, key: &Path) -> ServerOptions {
    let database = postgres.url().replace("app@", &format!("app:{DATABASE_PASSWORD}@"));
    assert!(database.contains(DATABASE_PASSWORD));
    let backend = Backend::Urls { database, redis: Some(redis.url()) };
    ServerOptions::on(backend)
        .set("OUTRIGGER_SECRET", MASTER_SECRET)
        .set("OUTRIGGER__LOG__LEVEL", "trace")
        .set("OUTRIGGER__HTTP__THREADS", &THREADS.to_string())
        .set("OUTRIGGER__AUTH__SIGNING_KEYS", &format!("file://{}", key.display()))
}

/// What those see who look after tasks: of payloads that hold secrets nothing, also when they fail.
fn tasks(watch: &mut Watch, server: &Server) {
    watch.secret("the header of a webhook", HOOK_SECRET);
    let (admin, hidden) = (server.admin(), unique("hidden-"));
    let payload = json!({
        "url": format!("http://127.0.0.1:9/{hidden}"), "headers": {"authorization": HOOK_SECRET},
        "body": {"token": HOOK_SECRET},
    });
    for kind in ["http.request", "noop"] {
        let body = json!({"kind": kind, "payload": payload});
        watch.answer(&admin.post("/api/v1/tasks", &body));
    }
    let body = json!({"kind": "http.request", "payload": payload});
    let path = admin.post("/api/v1/tasks", &body).expect(202).header("location").to_owned();
    assert!(until(&admin, &path, "failed")["error"]["code"] == "refused");
    watch.answer(&admin.get(&path).expect(200));
    watch.answer(&admin.get(&format!("{path}/events")).expect(200));
    watch.answer(&admin.get("/api/v1/tasks?limit=100").expect(200));
    let id = path.rsplit('/').next().unwrap_or_default();
    for arguments in [&["tasks", "list", "--limit", "100"][..], &["tasks", "show", id]] {
        let said = server.run(arguments);
        assert!(said.0 && said.1.contains(id), "{}", said.1);
        watch.output("outrigger tasks", said);
    }
}

/// Signs in and out, rightly and wrongly, in every way there is.
fn live(watch: &mut Watch, server: &Server) {
    let (email, login) = server.new_login();
    watch.tokens(&login);
    let api = server.api();
    let user = api.with_token(login["access_token"].as_str().unwrap());
    watch.answer(&api.login(&email, WRONG_PASSWORD).expect(401));
    let form = format!("username={email}&password={WRONG_PASSWORD}");
    let media_type = "application/x-www-form-urlencoded";
    watch.answer(&api.send("POST", "/api/v1/auth/token", Some((media_type, form))).expect(401));
    for body in [
        json!({"email": "x", "password": WRONG_PASSWORD}),
        json!({"email": email, "password": WRONG_PASSWORD}),
        json!({"email": [WRONG_PASSWORD], "password": WRONG_PASSWORD}),
        json!({"email": "b@example.com", "password": {"x": WRONG_PASSWORD}}),
        json!({"email": "c@example.com", "password": WRONG_PASSWORD.repeat(20)}),
    ] {
        watch.answer(&api.post("/api/v1/auth/register", &body));
        watch.answer(&api.post("/api/v1/auth/login", &body));
    }
    let text = format!("{{\"email\":\"a@example.com\",\"password\":\"{WRONG_PASSWORD}\"");
    let cut = api.send("POST", "/api/v1/auth/login", Some(("application/json", text)));
    watch.answer(&cut.expect(400));
    let body = json!({"current_password": WRONG_PASSWORD, "new_password": NEW_PASSWORD});
    watch.answer(&user.post("/api/v1/auth/change-password", &body));
    let body = json!({"current_password": Server::password(), "new_password": NEW_PASSWORD});
    user.post("/api/v1/auth/change-password", &body).expect(204);
    refresh(watch, &api, &login);
    // Tokens where they do not belong.
    let token = login["access_token"].as_str().unwrap();
    for authorization in [format!("Token {token}"), format!("Bearer {token}x"), token.to_owned()] {
        watch
            .answer(&api.with("authorization", &authorization).get("/api/v1/users/me").expect(401));
    }
    watch.answer(&user.get("/api/v1/nothing"));
    user.send("POST", "/api/v1/auth/logout", None);
    watch.answer(&user.get("/api/v1/users/me").expect(401));
}

fn refresh(watch: &mut Watch, api: &Api, login: &Value) {
    let body = json!({"refresh_token": login["refresh_token"]});
    let renewed = api.post("/api/v1/auth/refresh", &body).expect(200).json();
    watch.tokens(&renewed);
    watch.answer(&api.post("/api/v1/auth/refresh", &body).expect(401));
    let cut = renewed["refresh_token"].as_str().unwrap().split_at(30).0;
    watch.answer(&api.post("/api/v1/auth/refresh", &json!({"refresh_token": cut})).expect(401));
    watch.answer(&api.post("/api/v1/auth/refresh", &json!({"refresh_token": [cut]})).expect(422));
}

#[test]
fn no_secret_is_logged_answered_or_printed() {
    let postgres = Postgres::start().expect("PostgreSQL starts");
    let password = Some(REDIS_PASSWORD.to_owned());
    let redis = Redis::start_with(RedisOptions { password, ..RedisOptions::default() })
        .expect("Redis starts");
    let keys = outrigger_testkit::TempDir::new("keys").unwrap();
    let key = keys.join("key.pem");
    SigningKey::generate().write(&key);
    let pem = std::fs::read_to_string(&key).unwrap();
    let mut watch = Watch::default();
    for (name, secret) in [
        ("the database's password", DATABASE_PASSWORD),
        ("the password of Redis", REDIS_PASSWORD),
        ("the master secret", MASTER_SECRET),
        ("the administrator's password", ADMIN_PASSWORD),
        ("a password", Server::password()),
        ("a new password", NEW_PASSWORD),
        ("a wrong password", WRONG_PASSWORD),
        ("the signing key", pem.lines().nth(5).unwrap()),
    ] {
        watch.secret(name, secret);
    }
    let options = options(&postgres, &redis, &key);
    let server = Server::start(&options);
    live(&mut watch, &server);
    tasks(&mut watch, &server);
    watch.answer(&server.internal().get("/metrics").expect(200));
    watch.answer(&server.api().get("/api/health/").expect(200));
    watch.answer(&server.api().get("/openapi.json").expect(200));
    watch.answer(&server.admin().get("/api/v1/users?limit=100").expect(200));
    command_line(&mut watch, &server);
    without_backends(&mut watch, &server, &postgres, &redis);
    starts_that_fail(&mut watch, &options, &server);
    server.terminate();
    watch.logs_in(server.path());
    watch.check();
}

fn command_line(watch: &mut Watch, server: &Server) {
    for arguments in [
        &["config", "show"][..],
        &["doctor"],
        &["migrate", "plan"],
        &["keys", "rotate"],
        &["openapi"],
        &["admin", "create", "--email", ADMIN_EMAIL],
    ] {
        watch.output(&arguments.join(" "), server.run(arguments));
    }
    let shown = server.run(&["config", "show"]).1;
    assert!(shown.contains("***"), "the secrets are shown as stars: {shown}");
    let input = format!("{WRONG_PASSWORD}\n");
    let arguments = ["admin", "create", "--email", "no address"];
    watch.output("admin create", run(&server.options, server.path(), &arguments, &input));
}

fn without_backends(watch: &mut Watch, server: &Server, postgres: &Postgres, redis: &Redis) {
    let (email, login) = server.new_login();
    watch.tokens(&login);
    let user = server.api().with_token(login["access_token"].as_str().unwrap());
    redis.kill();
    user.get("/api/v1/users/me").expect(200);
    postgres.kill();
    for _ in 0..3 {
        watch.answer(&server.api().login(&email, Server::password()).expect(503));
        watch.answer(&user.get("/api/v1/users/me").expect(503));
    }
    let down = || server.api().get("/health/ready").status == 503;
    wait_until("not ready", PATIENCE, down).unwrap();
    watch.answer(&server.api().get("/api/health/").expect(503));
    watch.output("doctor without backends", server.run(&["doctor"]));
    postgres.start_again().expect("it starts again");
    redis.start_again().expect("it starts again");
    // Each keeps its connection, and a new one goes to the thread that has the fewest: each thread has
    // its own to the database.
    let clients: Vec<Api> = (0..3 * THREADS).map(|_| server.api()).collect();
    let up = || clients.iter().all(|api| api.login(ADMIN_EMAIL, ADMIN_PASSWORD).status == 200);
    wait_until("ready", PATIENCE, up).unwrap();
    live(watch, server);
}

/// Settings that cannot work, whose error must not repeat them.
fn starts_that_fail(watch: &mut Watch, options: &ServerOptions, server: &Server) {
    let database = |url: String| ServerOptions {
        backend: Backend::Urls { database: url, redis: None },
        ..options.clone()
    };
    for (name, options) in [
        ("nobody there", database(format!("postgres://app:{DATABASE_PASSWORD}@127.0.0.1:1/x"))),
        ("another scheme", database(format!("mysql://app:{DATABASE_PASSWORD}@127.0.0.1/x"))),
        ("a bad port", database(format!("postgres://app:{DATABASE_PASSWORD}@127.0.0.1:port/x"))),
        (
            "a bad option",
            database(format!("postgres://app:{DATABASE_PASSWORD}@127.0.0.1/x?sslmode=so")),
        ),
        ("no URL", database(DATABASE_PASSWORD.to_owned())),
        ("a short secret", options.clone().set("OUTRIGGER_SECRET", &MASTER_SECRET[..14])),
        ("no PEM", options.clone().set("OUTRIGGER__AUTH__SIGNING_KEYS", WRONG_PASSWORD)),
        (
            "a bad Redis",
            options
                .clone()
                .set("OUTRIGGER__REDIS__URL", &format!("redis://:{REDIS_PASSWORD}@[::1/x")),
        ),
        ("an unknown setting", options.clone().set("OUTRIGGER__AUTH__SECRETT", MASTER_SECRET)),
        ("production", options.clone().set("OUTRIGGER_ENV", "production")),
    ] {
        let options = options.set("PORT", "1");
        let (worked, said) = run(&options, server.path(), &["serve"], "");
        assert!(!worked, "{name}: {said}");
        watch.output(name, (worked, said));
    }
    watch.secret("a short secret", &MASTER_SECRET[..14]);
}
