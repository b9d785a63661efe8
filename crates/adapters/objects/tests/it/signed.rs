//! Requests signed for others.

use std::time::Duration;

use outrigger_testkit::Aws;

use crate::suite::open_at;

#[test]
fn somebody_else_writes_a_blob_once() {
    outrigger_conformance::run(async {
        let blobs = open_at(&Aws::shared().unwrap().fresh_blob_url().unwrap());
        let signed = blobs.sign_upload("a/b", 5, Duration::from_secs(600)).await.unwrap();
        let signed = signed.expect("S3 can be reached by others");
        let put = |url: &str, body: &'static [u8]| {
            let mut request = ureq::put(url).config().http_status_as_error(false).build();
            for (name, value) in &signed.headers {
                request = request.header(name, value);
            }
            request.send(body).unwrap().status().as_u16()
        };
        for altered in [
            signed.url.replace("a/b", "a/c"),
            signed.url.replace("X-Amz-Expires=600", "X-Amz-Expires=6000"),
            signed.url.replace("%3Bif-none-match", ""),
        ] {
            assert_ne!(altered, signed.url);
            assert_eq!(put(&altered, b"hello"), 403, "{altered}");
        }
        assert_eq!(ureq::put(&signed.url).send("x").unwrap_err().to_string(), "http status: 403");
        assert_eq!(put(&signed.url, b"hello"), 200);
        assert_eq!(blobs.size("a/b").await.unwrap(), Some(5));
        assert_eq!(put(&signed.url, b"other"), 412);
        let mut reader = blobs.open("a/b").await.unwrap().unwrap();
        assert_eq!(reader.next().await.unwrap().unwrap(), &b"hello"[..]);
    });
}
