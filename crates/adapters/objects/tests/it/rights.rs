//! What `doctor` is told of a bucket.

use std::time::Duration;

use outrigger_ports::probe::Severity;
use outrigger_testkit::{Aws, http_get};

use crate::refusing::{overwriting, refusing};
use crate::suite::open_at;

#[test]
fn a_bucket_with_all_rights_is_fine_and_keeps_nothing_of_the_probe() {
    let aws = Aws::shared().unwrap();
    let bucket = aws.fresh_bucket().unwrap();
    outrigger_conformance::run(async {
        let blobs = open_at(&format!("s3://{bucket}/a/b?endpoint={}", aws.url()));
        let probed = blobs.probe().await.unwrap();
        assert_eq!(probed.findings, []);
        assert_eq!(probed.version, "S3");
        assert!(probed.facts.contains(&("prefix", "a/b".to_owned())), "{:?}", probed.facts);
    });
    let address = ([127, 0, 0, 1], aws.port()).into();
    let (_, list) = http_get(address, &format!("/{bucket}?list-type=2")).unwrap();
    assert!(list.contains("<KeyCount>0</KeyCount>"), "{list}");
    let (_, begun) = http_get(address, &format!("/{bucket}?uploads")).unwrap();
    assert!(!begun.contains("<UploadId>"), "{begun}");
}

#[test]
fn a_right_that_lacks_is_named() {
    for (method, of_parts, s3, gcs) in [
        ("PUT", false, "s3:PutObject", "storage.objects.create"),
        ("GET", false, "s3:GetObject", "storage.objects.get"),
        ("HEAD", false, "s3:ListBucket", "storage.objects.list"),
        ("DELETE", false, "s3:DeleteObject", "storage.objects.delete"),
        ("POST", true, "s3:PutObject", "storage.multipartUploads.create"),
        ("GET", true, "s3:ListBucketMultipartUploads", "storage.multipartUploads.list"),
        ("DELETE", true, "s3:AbortMultipartUpload", "storage.multipartUploads.abort"),
    ] {
        let endpoint = refusing(method, of_parts);
        for (scheme, right) in [("s3", s3), ("gs", gcs)] {
            outrigger_conformance::run(async {
                let blobs = open_at(&format!("{scheme}://bucket?endpoint={endpoint}"));
                let probed = blobs.probe().await.unwrap();
                let [finding] = &probed.findings[..] else {
                    panic!("{method}: {:?}", probed.findings);
                };
                assert_eq!(finding.severity, Severity::Error);
                assert!(finding.message.contains(&format!("{right} ")), "{}", finding.message);
            });
        }
    }
}

#[test]
fn a_server_that_writes_over_what_is_there_gets_no_signed_uploads() {
    let servers = [(overwriting(), true), (refusing("", false), false)];
    for (endpoint, overwrites) in servers {
        outrigger_conformance::run(async {
            let blobs = open_at(&format!("s3://bucket?endpoint={endpoint}"));
            let probed = blobs.probe().await.unwrap();
            assert_eq!(probed.findings.len(), usize::from(overwrites), "{:?}", probed.findings);
            for finding in probed.findings {
                assert_eq!(finding.severity, Severity::Error);
                assert!(finding.message.contains("If-None-Match"), "{}", finding.message);
            }
            let signed = blobs.sign_upload("a/b", 5, Duration::from_secs(60)).await.unwrap();
            assert_eq!(signed.is_none(), overwrites);
        });
    }
}

#[test]
fn a_bucket_that_is_not_there_is_a_fault() {
    let aws = Aws::shared().unwrap();
    outrigger_conformance::run(async {
        let blobs = open_at(&format!("s3://no-such-bucket?endpoint={}", aws.url()));
        let error = blobs.probe().await.unwrap_err().to_string();
        assert!(error.contains("NoSuchBucket"), "{error}");
    });
}
