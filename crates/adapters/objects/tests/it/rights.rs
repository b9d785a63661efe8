//! What `doctor` is told of a bucket.

use outrigger_ports::probe::Severity;
use outrigger_testkit::{Aws, http_get};

use crate::refusing::refusing;
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
}

#[test]
fn a_right_that_lacks_is_named() {
    for (method, s3, gcs) in [
        ("PUT", "s3:PutObject", "storage.objects.create"),
        ("GET", "s3:GetObject", "storage.objects.get"),
        ("HEAD", "s3:ListBucket", "storage.objects.list"),
        ("DELETE", "s3:DeleteObject", "storage.objects.delete"),
    ] {
        let endpoint = refusing(method);
        for (scheme, right) in [("s3", s3), ("gs", gcs)] {
            outrigger_conformance::run(async {
                let blobs = open_at(&format!("{scheme}://bucket?endpoint={endpoint}"));
                let probed = blobs.probe().await.unwrap();
                let [finding] = &probed.findings[..] else {
                    panic!("{method}: {:?}", probed.findings);
                };
                assert_eq!(finding.severity, Severity::Error);
                assert!(finding.message.contains(right), "{}", finding.message);
            });
        }
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
