//! Google's Secret Manager, as its documentation has it: what is asked, and what is made of the answers.
//! No emulator of it is to be had, so a web server of the tests' own says what Google would.

#![allow(clippy::unwrap_used, reason = "in a test, what is not there fails the test")]
#![cfg(feature = "gcp")]

use std::sync::Arc;

use aws_lc_rs::encoding::{AsDer, Pkcs8V1Der};
use aws_lc_rs::rsa::{KeyPair, KeySize};
use aws_lc_rs::signature::{KeyPair as _, RSA_PKCS1_2048_8192_SHA256, UnparsedPublicKey};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use outrigger_cloud::{GcpOptions, GcpSecrets};
use outrigger_kernel::SystemClock;
use outrigger_kernel::secret::ExposeSecret as _;
use outrigger_ports::secrets::{SecretFault, Secrets as _};
use outrigger_testkit::{Receiver, TempDir};
use serde_json::{Value, json};

const TOKEN: &str = r#"{"access_token":"ya29.token","expires_in":3599,"token_type":"Bearer"}"#;
const OK: &str = "200 OK\r\nContent-Type: application/json";

fn secrets(google: &Receiver, key_file: Option<std::path::PathBuf>) -> GcpSecrets {
    let options = GcpOptions {
        endpoint: Some(google.url("")),
        metadata_host: Some(format!("127.0.0.1:{}", google.port())),
        key_file,
    };
    GcpSecrets::new(options, Arc::new(SystemClock))
}

fn version(text: &[u8]) -> String {
    let data = STANDARD.encode(text);
    let name = "projects/123/secrets/database/versions/7";
    json!({"name": name, "payload": {"data": data, "dataCrc32c": "1"}}).to_string()
}

#[tokio::test]
async fn a_secret_is_read_with_the_token_of_the_machine() {
    let google = Receiver::start().unwrap();
    google.answer(OK, TOKEN);
    google.answer(OK, &version(b"postgres://u:p@h/d"));
    let secret = secrets(&google, None).read("shop-prod/database").await.unwrap();
    assert_eq!(secret.expose_secret(), "postgres://u:p@h/d");
    let asked = google.received();
    let [token, access] = &asked[..] else { panic!("{asked:?}") };
    assert_eq!(token.path, "/computeMetadata/v1/instance/service-accounts/default/token");
    assert_eq!(token.header("metadata-flavor"), "Google");
    let path = "/v1/projects/shop-prod/secrets/database/versions/latest:access";
    assert_eq!((&*access.method, &*access.path), ("GET", path));
    assert_eq!(access.header("authorization"), "Bearer ya29.token");
}

#[tokio::test]
async fn the_key_of_a_service_account_signs_for_a_token() {
    let google = Receiver::start().unwrap();
    let folder = TempDir::new("gcp").unwrap();
    let pair = KeyPair::generate(KeySize::Rsa2048).unwrap();
    let der: Pkcs8V1Der<'_> = pair.as_der().unwrap();
    let lines = STANDARD.encode(der.as_ref());
    let key = json!({
        "type": "service_account", "client_email": "app@shop.iam.gserviceaccount.com",
        "private_key_id": "k1", "token_uri": google.url("/token"),
        "private_key": format!("-----BEGIN PRIVATE KEY-----\n{lines}\n-----END PRIVATE KEY-----\n"),
    });
    let file = folder.join("key.json");
    std::fs::write(&file, key.to_string()).unwrap();
    google.answer(OK, TOKEN);
    google.answer(OK, &version(b"x"));
    secrets(&google, Some(file)).read("p/n").await.unwrap();
    let body = String::from_utf8(google.received()[0].body.clone()).unwrap();
    let grant = "grant_type=urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Ajwt-bearer&assertion=";
    let assertion = body.strip_prefix(grant).unwrap();
    let (text, signature) = assertion.rsplit_once('.').unwrap();
    let public = pair.public_key();
    UnparsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, public.as_ref())
        .verify(text.as_bytes(), &URL_SAFE_NO_PAD.decode(signature).unwrap())
        .unwrap();
    let claims = URL_SAFE_NO_PAD.decode(text.split_once('.').unwrap().1).unwrap();
    let claims: Value = serde_json::from_slice(&claims).unwrap();
    assert_eq!(claims["iss"], "app@shop.iam.gserviceaccount.com");
    assert_eq!(claims["aud"], google.url("/token"));
    assert_eq!(claims["exp"].as_i64().unwrap() - claims["iat"].as_i64().unwrap(), 600);
}

#[tokio::test]
async fn what_google_refuses_is_told_from_what_passes() {
    let google = Receiver::start().unwrap();
    let error = |status: &str| {
        json!({"error": {"code": 1, "message": "why", "status": status}}).to_string()
    };
    for (head, status, passes) in [
        ("404 Not Found", "NOT_FOUND", false),
        ("403 Forbidden", "PERMISSION_DENIED", false),
        ("429 Too Many Requests", "RESOURCE_EXHAUSTED", true),
        ("503 Unavailable", "UNAVAILABLE", true),
    ] {
        google.answer(OK, TOKEN);
        google.answer(head, &error(status));
        let fault = secrets(&google, None).read("p/n").await.unwrap_err();
        assert_eq!(matches!(fault, SecretFault::Away(_)), passes, "{fault}");
        assert!(fault.to_string().contains(status), "{fault}");
    }
    google.answer(OK, TOKEN);
    google.answer(OK, &version(&[0xff]));
    let fault = secrets(&google, None).read("p/n").await.unwrap_err().to_string();
    assert!(fault.contains("bytes, and not a text"), "{fault}");
    for name in ["p", "p/", "/n", "p/n/../m", "p/n?x"] {
        let fault = secrets(&google, None).read(name).await.unwrap_err().to_string();
        assert!(fault.contains("expected PROJECT/NAME"), "{name}: {fault}");
    }
}
