//! Tokens, signed requests and refusals of Cloud Storage, as Google's documentation has them.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use outrigger_kernel::{SystemClock, SystemRandom};
use outrigger_objects::ObjectBlobs;
use outrigger_ports::blobs::{Blobs, SignedUpload};
use outrigger_testkit::{CloudStorage, GoogleFault, ServiceAccount};

use crate::suite::{as_account, open_at};

/// The server that requests are signed for; those of the tests go elsewhere.
const HOST: &str = "storage.googleapis.com";

fn put(
    signed: &SignedUpload,
    url: &str,
    headers: &[(String, String)],
    body: &[u8],
) -> (u16, String) {
    assert_eq!(signed.method, "PUT");
    let mut request = ureq::put(url).config().http_status_as_error(false).build();
    for (name, value) in headers {
        request = request.header(name, value);
    }
    let mut answer = request.header("host", HOST).send(body).unwrap();
    (answer.status().as_u16(), answer.body_mut().read_to_string().unwrap())
}

#[test]
fn a_key_that_google_does_not_know_is_refused() {
    let google = CloudStorage::shared().unwrap();
    let url = google.fresh_blob_url().unwrap();
    let stranger = ServiceAccount::new().unwrap();
    let key = stranger.write_key("https://127.0.0.1/token").unwrap();
    outrigger_conformance::run(async {
        for blobs in [
            // Without a key a server on this machine is sent none.
            open_at(&url),
            Arc::new(
                ObjectBlobs::open_as(&key, &url, Arc::new(SystemClock), Arc::new(SystemRandom))
                    .unwrap(),
            ),
        ] {
            let error = blobs.size("a").await.unwrap_err().to_string();
            assert!(error.contains("401"), "{error}");
        }
    });
}

#[test]
fn somebody_else_writes_a_blob_once_and_only_as_it_was_signed() {
    let google = CloudStorage::shared().unwrap();
    outrigger_conformance::run(async {
        let blobs = as_account(&google.fresh_blob_url().unwrap());
        let signed = blobs.sign_upload("a/b", 5, Duration::from_secs(600)).await.unwrap().unwrap();
        let (url, headers) = (&signed.url, &signed.headers);
        for altered in [
            url.replace("a/b", "a/c"),
            url.replace("X-Goog-Expires=600", "X-Goog-Expires=6000"),
            url.replace("%3Bx-goog-if-generation-match", ""),
        ] {
            assert_ne!(altered, *url);
            let (status, said) = put(&signed, &altered, headers, b"hello");
            assert_eq!(status, 403, "{altered}: {said}");
        }
        let mut longer = headers.clone();
        for (_, value) in longer.iter_mut().filter(|(name, _)| name.ends_with("length-range")) {
            *value = "5,6".to_owned();
        }
        assert_ne!(longer, *headers);
        assert_eq!(put(&signed, url, &longer, b"hello!").0, 403);
        assert_eq!(put(&signed, url, &[], b"hello").0, 403);
        let (status, said) = put(&signed, url, headers, b"hello!");
        assert_eq!(status, 400);
        assert!(said.contains("EntityTooLarge"), "{said}");
        assert_eq!(blobs.size("a/b").await.unwrap(), None);
        assert_eq!(put(&signed, url, headers, b"hello").0, 200);
        assert_eq!(put(&signed, url, headers, b"other").0, 412);
        let mut reader = blobs.open("a/b").await.unwrap().unwrap();
        assert_eq!(reader.next().await.unwrap().unwrap(), &b"hello"[..]);
    });
}

#[test]
fn what_passes_is_asked_again_and_what_is_refused_is_named() {
    let google = CloudStorage::start().unwrap();
    outrigger_conformance::run(async {
        let key = &google.key_file;
        let (url, clock) = (google.fresh_blob_url().unwrap(), Arc::new(SystemClock));
        let blobs = ObjectBlobs::open_as(key, &url, clock, Arc::new(SystemRandom)).unwrap();
        let write = async || {
            let mut writer = blobs.create("a").await.unwrap();
            writer.write(Bytes::from_static(b"hello")).await.unwrap();
            writer.finish().await
        };
        for fault in [GoogleFault(429, "SlowDown"), GoogleFault(503, "ServiceUnavailable")] {
            google.faults.next(2, "PUT", fault);
            assert_eq!(write().await.unwrap(), 5);
            google.faults.next(1, "HEAD", fault);
            assert_eq!(blobs.size("a").await.unwrap(), Some(5));
            google.faults.next(1, "DELETE", fault);
            google.faults.next(1, "GET", fault);
            assert!(blobs.open("a").await.unwrap().is_some());
            assert!(blobs.delete("a").await.unwrap());
            assert_eq!(google.faults.relent(), 0, "every fault was met");
        }
        google.faults.next(1, "PUT", GoogleFault(403, "AccessDenied"));
        let error = write().await.unwrap_err().to_string();
        assert!(error.contains("AccessDenied"), "{error}");
        assert_eq!(blobs.size("a").await.unwrap(), None);
    });
}
