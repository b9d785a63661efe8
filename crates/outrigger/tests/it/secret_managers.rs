//! References to secret managers: followed at the start, looked up again while the process serves.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use outrigger_testkit::{Aws, FaultProxy, Receiver, TempDir, free_port, wait_until};
use serde_json::json;

use crate::clouds::{in_aws, secrets};
use crate::support::{ADMIN_PASSWORD, Backend, Server, ServerOptions, run, unique};

const OK: &str = "200 OK\r\nContent-Type: application/json";
const CHANGED: &str = "a secret has changed";
const NOT_FOUND: &str = "a secret cannot be looked up";

/// How often the server's log has these words.
fn said(server: &Server, words: &str) -> usize {
    server.process.log().matches(words).count()
}

/// Waits until the server has said it once more than so often.
#[track_caller]
fn says_more(server: &Server, words: &str, before: usize) {
    let more = || said(server, words) > before;
    wait_until(words, Duration::from_secs(60), more).unwrap();
}

/// Records are written and read.
fn works(server: &Server) {
    let things = server.collection(&json!({}));
    let path = format!("/api/v1/records/{things}");
    server.admin().post(&path, &json!({"n": 1})).expect(201);
    assert_eq!(server.admin().get(&path).expect(200).json()["items"].as_array().unwrap().len(), 1);
}

/// One client of AWS asks for its keys once, however many secrets it looks for, and how often.
#[test]
fn a_secret_that_changes_is_told_and_a_secret_manager_that_is_away_changes_nothing() {
    let (key, password) = (unique("key-"), unique("password-"));
    secrets(
        "CreateSecret",
        &json!({"Name": key, "SecretString": "q7Zs0yq4mXv1f8K2bN5tR9wE3uJ6hL0p"}),
    );
    let parts = |more: u32| json!({"password": ADMIN_PASSWORD, "n": more}).to_string();
    secrets("CreateSecret", &json!({"Name": password, "SecretString": parts(0)}));
    let keys = Receiver::start().unwrap();
    let of_role = json!({
        "AccessKeyId": "test", "SecretAccessKey": "test", "Token": "test",
        "Expiration": "2099-01-01T00:00:00Z",
    });
    keys.answer(OK, &of_role.to_string());
    let proxy = FaultProxy::start(Aws::shared().unwrap().port()).unwrap();
    let options = in_aws(ServerOptions::on(Backend::Sqlite))
        .set("AWS_ENDPOINT_URL", &format!("http://127.0.0.1:{}", proxy.port()))
        .set("AWS_ACCESS_KEY_ID", "")
        .set("AWS_SECRET_ACCESS_KEY", "")
        .set("AWS_CONTAINER_CREDENTIALS_FULL_URI", &keys.url("/keys"))
        .set("OUTRIGGER_SECRET", &format!("aws-sm://{key}"))
        .set("OUTRIGGER_ADMIN_PASSWORD", &format!("aws-sm://{password}#password"))
        .set("OUTRIGGER__SECRETS__REFRESH_S", "1");
    let server = Server::start(&options);
    let put =
        |text: &str| secrets("PutSecretValue", &json!({"SecretId": key, "SecretString": text}));
    put("another-secret-1");
    says_more(&server, CHANGED, 0);
    proxy.cut();
    says_more(&server, NOT_FOUND, 0);
    works(&server);
    // Each of the two is told once in each round.
    says_more(&server, NOT_FOUND, said(&server, NOT_FOUND) + 1);
    works(&server);
    proxy.restore().unwrap();
    assert_eq!(said(&server, CHANGED), 1);
    put("another-secret-2");
    says_more(&server, CHANGED, 1);
    let log = server.process.log();
    assert!(log.contains("auth.secret") && !log.contains("another-secret"), "{log}");
    assert_eq!(keys.received().len(), 1, "{:?}", keys.received());
}

#[test]
fn a_start_waits_for_a_secret_manager_that_is_busy_and_not_for_one_that_refuses() {
    let folder = TempDir::new("busy").unwrap();
    let aws = Receiver::start().unwrap();
    let options = |endpoint: &str| {
        let database = "aws-sm://shop/database".to_owned();
        in_aws(ServerOptions::on(Backend::Urls { database, redis: None }))
            .set("AWS_ENDPOINT_URL", endpoint)
    };
    let migrate =
        |endpoint: &str| run(&options(endpoint), folder.path(), &["migrate", "apply"], "");
    let refusal = |kind: &str| json!({"__type": kind, "message": "why"}).to_string();
    aws.answer("400 Bad Request", &refusal("ThrottlingException"));
    aws.answer("500 Internal Server Error", &refusal("InternalServiceError"));
    let url = format!("sqlite://{}", folder.join("a.db").display());
    aws.answer(OK, &json!({"SecretString": url}).to_string());
    let (done, text) = migrate(&aws.url(""));
    assert!(done, "{text}");
    assert_eq!(aws.received().len(), 3);
    aws.answer("400 Bad Request", &refusal("AccessDeniedException"));
    let (done, text) = migrate(&aws.url(""));
    let words =
        "database.url: aws-sm://shop/database: Secrets Manager: 400 AccessDeniedException why";
    assert!(!done && text.contains(words), "{text}");
    assert_eq!(aws.received().len(), 4);
    // Nobody there: the wait has an end.
    let (done, text) = migrate(&format!("http://127.0.0.1:{}", free_port().unwrap()));
    assert!(!done && text.contains("database.url: aws-sm://shop/database: 127.0.0.1"), "{text}");
}

/// A web server of the test says what Google would; the adapter's own tests have an emulator.
#[test]
fn secrets_of_google_are_followed_at_the_start_and_while_serving() {
    let google = Receiver::start().unwrap();
    let token = json!({"access_token": "ya29.token", "expires_in": 3599, "token_type": "Bearer"});
    let version = |text: &str| json!({"payload": {"data": STANDARD.encode(text)}}).to_string();
    google.answer(OK, &token.to_string());
    google.answer(OK, &version(&json!({"secret": "q7Zs0yq4mXv1f8K2bN5tR9wE3uJ6hL0p"}).to_string()));
    let options = ServerOptions::on(Backend::Sqlite)
        .set("CLOUDSDK_API_ENDPOINT_OVERRIDES_SECRETMANAGER", &google.url("/"))
        .set("GCE_METADATA_HOST", &format!("127.0.0.1:{}", google.port()))
        .set("OUTRIGGER_SECRET", "gcp-sm://shop-prod/outrigger#secret")
        .set("OUTRIGGER__SECRETS__REFRESH_S", "1");
    let server = Server::start(&options);
    let asked = google.received();
    assert_eq!(asked[1].path, "/v1/projects/shop-prod/secrets/outrigger/versions/latest:access");
    assert_eq!(asked[1].header("authorization"), "Bearer ya29.token");
    works(&server);
    // What it says of itself is no secret.
    says_more(&server, NOT_FOUND, 0);
    google.answer(OK, &version(&json!({"secret": "another-secret"}).to_string()));
    says_more(&server, CHANGED, 0);
    works(&server);
    let is_token = |path: &str| path.ends_with("/token");
    let tokens = google.received().iter().filter(|asked| is_token(&asked.path)).count();
    assert_eq!(tokens, 1);
}
