//! Google's Secret Manager: on an emulator of it behind a server that gives out tokens and looks at them, and,
//! where no emulator says what Google does, on answers as its documentation has them.

#![allow(clippy::unwrap_used, reason = "in a test, what is not there fails the test")]
#![cfg(feature = "gcp")]

use std::path::PathBuf;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD, URL_SAFE, URL_SAFE_NO_PAD};
use outrigger_cloud::{GcpOptions, GcpSecrets};
use outrigger_kernel::SystemClock;
use outrigger_kernel::secret::ExposeSecret as _;
use outrigger_ports::secrets::{SecretFault, Secrets as _};
use outrigger_testkit::{GoogleFault, Receiver, SecretManager, ServiceAccount};
use serde_json::{Value, json};

const TOKEN: &str = r#"{"access_token":"ya29.token","expires_in":3599,"token_type":"Bearer"}"#;
const OK: &str = "200 OK\r\nContent-Type: application/json";
/// What is asked for `shop-prod/NAME`, in `versions.access` of the REST reference (v1).
const ACCESS: &str = "/v1/projects/p/secrets/n/versions/latest:access";

fn on(google: &SecretManager, key_file: Option<PathBuf>) -> GcpSecrets {
    let (endpoint, metadata_host) = (Some(google.url()), Some(google.metadata_host()));
    GcpSecrets::new(GcpOptions { endpoint, metadata_host, key_file }, Arc::new(SystemClock))
}

fn secrets(google: &Receiver) -> GcpSecrets {
    let metadata_host = Some(format!("127.0.0.1:{}", google.port()));
    let options = GcpOptions { endpoint: Some(google.url("")), metadata_host, key_file: None };
    GcpSecrets::new(options, Arc::new(SystemClock))
}

/// The answer with this payload.
fn version(payload: &Value) -> String {
    json!({"name": "projects/123/secrets/n/versions/7", "payload": payload}).to_string()
}

#[tokio::test]
async fn the_latest_version_is_read_as_the_machine_and_with_a_key() {
    let google = SecretManager::shared().unwrap();
    let (as_machine, with_key) = (on(google, None), on(google, Some(google.key_file.clone())));
    for value in ["postgres://u:p@h/d", "another one, with \u{fc}?>~"] {
        google.add_version("shop-prod", "database", value.as_bytes()).unwrap();
        for secrets in [&as_machine, &with_key] {
            let secret = secrets.read("shop-prod/database").await.unwrap();
            assert_eq!(secret.expose_secret(), value);
        }
    }
}

#[tokio::test]
async fn what_an_emulator_refuses_is_named() {
    let google = SecretManager::start().unwrap();
    let secrets = on(&google, None);
    let fault = secrets.read("shop-prod/nothing").await.unwrap_err();
    assert!(matches!(&fault, SecretFault::Refused(why) if why.contains("NOT_FOUND")), "{fault}");
    let stranger = ServiceAccount::new().unwrap();
    let key = stranger.write_key(&format!("{}/token", google.url())).unwrap();
    let fault = on(&google, Some(key)).read("shop-prod/nothing").await.unwrap_err();
    assert!(
        matches!(&fault, SecretFault::Refused(why) if why.contains("invalid_grant")),
        "{fault}"
    );
    google.add_version("shop-prod", "there", b"x").unwrap();
    google.faults.next(1, "access", GoogleFault(429, "RESOURCE_EXHAUSTED"));
    let fault = secrets.read("shop-prod/there").await.unwrap_err();
    assert!(matches!(&fault, SecretFault::Away(why) if why.contains("EXHAUSTED")), "{fault}");
    assert_eq!(secrets.read("shop-prod/there").await.unwrap().expose_secret(), "x");
}

#[tokio::test]
async fn a_payload_is_taken_in_every_form_that_json_may_have_and_only_with_its_checksum() {
    let google = Receiver::start().unwrap();
    let secrets = secrets(&google);
    google.answer(OK, TOKEN);
    // Its base64 has letters that the alphabets do not share, and padding.
    let text = "a~~?>\u{fc}";
    assert!(STANDARD.encode(text).contains(['+', '/']) && STANDARD.encode(text).ends_with('='));
    // The sum is that of another implementation.
    let sum = "1190133097";
    for engine in [&STANDARD, &STANDARD_NO_PAD, &URL_SAFE, &URL_SAFE_NO_PAD] {
        google.answer(OK, &version(&json!({"data": engine.encode(text), "dataCrc32c": sum})));
        assert_eq!(secrets.read("p/n").await.unwrap().expose_secret(), text);
    }
    google.answer(OK, &version(&json!({"data": STANDARD.encode("altered"), "dataCrc32c": sum})));
    let fault = secrets.read("p/n").await.unwrap_err();
    assert!(matches!(&fault, SecretFault::Away(why) if why.contains("checksum")), "{fault}");
    for payload in [json!({}), json!({"data": "", "dataCrc32c": "0"})] {
        google.answer(OK, &version(&payload));
        assert_eq!(secrets.read("p/n").await.unwrap().expose_secret(), "");
    }
    let asked = google.received();
    assert_eq!((&*asked[1].method, &*asked[1].path), ("GET", ACCESS));
    assert!(asked[1].body.is_empty());
    assert_eq!(asked[1].header("authorization"), "Bearer ya29.token");
}

#[tokio::test]
async fn a_token_is_kept_until_it_is_about_to_end_or_refused() {
    let google = Receiver::start().unwrap();
    let secrets = secrets(&google);
    let version = |text: &str| version(&json!({"data": STANDARD.encode(text)}));
    google.answer(OK, TOKEN);
    google.answer(OK, &version("one"));
    google.answer(OK, &version("two"));
    google.answer("401 Unauthorized", "{}");
    google.answer(OK, &TOKEN.replace("3599", "300"));
    google.answer(OK, &version("three"));
    google.answer(OK, TOKEN);
    google.answer(OK, &version("four"));
    for text in ["one", "two", "", "three", "four"] {
        let read = secrets.read("p/n").await;
        let read = read.map(|secret| secret.expose_secret().to_owned());
        assert_eq!(read.unwrap_or_default(), text);
    }
    let asked = google.received();
    let tokens = asked.iter().filter(|asked| asked.path.ends_with("/token")).count();
    assert_eq!((asked.len(), tokens), (8, 3), "{asked:?}");
}

#[tokio::test]
async fn what_google_refuses_is_told_from_what_passes() {
    let google = Receiver::start().unwrap();
    let error = |status: &str| {
        json!({"error": {"code": 1, "message": "why", "status": status}}).to_string()
    };
    for (head, status, passes) in [
        // A version that is disabled or destroyed; `latest` is the one that was made last, in whatever state.
        ("400 Bad Request", "FAILED_PRECONDITION", false),
        ("401 Unauthorized", "UNAUTHENTICATED", false),
        ("404 Not Found", "NOT_FOUND", false),
        ("403 Forbidden", "PERMISSION_DENIED", false),
        ("429 Too Many Requests", "RESOURCE_EXHAUSTED", true),
        ("503 Unavailable", "UNAVAILABLE", true),
    ] {
        google.answer(OK, TOKEN);
        google.answer(head, &error(status));
        let fault = secrets(&google).read("p/n").await.unwrap_err();
        assert_eq!(matches!(fault, SecretFault::Away(_)), passes, "{fault}");
        assert!(fault.to_string().contains(status), "{fault}");
    }
    google.answer(OK, TOKEN);
    google.answer(OK, &version(&json!({"data": STANDARD.encode([0xff])})));
    let fault = secrets(&google).read("p/n").await.unwrap_err().to_string();
    assert!(fault.contains("bytes, and not a text"), "{fault}");
    for name in ["p", "p/", "/n", "p/n/../m", "p/n?x"] {
        let fault = secrets(&google).read(name).await.unwrap_err().to_string();
        assert!(fault.contains("expected PROJECT/NAME"), "{name}: {fault}");
    }
}
