//! Blobs of many parts, and what is left of one that is not finished.

use std::time::Duration;

use bytes::Bytes;
use outrigger_testkit::{Aws, http_get};

use crate::suite::open_at;

const MIB: usize = 1024 * 1024;

/// Uploads in parts that were begun and neither completed nor taken back.
fn unfinished(aws: &Aws, bucket: &str) -> usize {
    let address = ([127, 0, 0, 1], aws.port()).into();
    let (status, list) = http_get(address, &format!("/{bucket}?uploads")).unwrap();
    assert_eq!(status, 200, "{list}");
    list.matches("<UploadId>").count()
}

#[test]
fn a_blob_of_several_parts_is_read_as_it_was_written() {
    outrigger_conformance::run(async {
        let blobs = open_at(&Aws::shared().unwrap().fresh_blob_url().unwrap());
        let piece: Bytes = (0..MIB).map(|at| u8::try_from(at % 249).unwrap()).collect();
        let mut writer = blobs.create("large").await.unwrap();
        for _ in 0..20 {
            writer.write(piece.clone()).await.unwrap();
        }
        writer.write(Bytes::from_static(b"end")).await.unwrap();
        assert_eq!(writer.finish().await.unwrap(), 20 * MIB as u64 + 3);
        let from = 20 * MIB as u64 - 2;
        let mut reader = blobs.open_range("large", from..u64::MAX).await.unwrap().unwrap();
        let mut read = Vec::new();
        while let Some(piece) = reader.next().await.unwrap() {
            read.extend_from_slice(&piece);
        }
        assert_eq!(read, [&piece[MIB - 2..], b"end"].concat());
    });
}

#[test]
fn what_is_dropped_before_its_end_leaves_no_parts() {
    let aws = Aws::shared().unwrap();
    let bucket = aws.fresh_bucket().unwrap();
    outrigger_conformance::run(async {
        let blobs = open_at(&format!("s3://{bucket}?endpoint={}", aws.url()));
        let mut writer = blobs.create("large").await.unwrap();
        for _ in 0..17 {
            writer.write(Bytes::from(vec![7; MIB])).await.unwrap();
        }
        assert_eq!(unfinished(aws, &bucket), 1);
        drop(writer);
        let gone = async {
            while tokio::task::spawn_blocking({
                let bucket = bucket.clone();
                move || unfinished(aws, &bucket)
            })
            .await
            .unwrap()
                > 0
            {}
        };
        tokio::time::timeout(Duration::from_secs(20), gone).await.expect("it is taken back");
        assert_eq!(blobs.size("large").await.unwrap(), None);
    });
}

#[test]
fn a_server_that_is_away_is_named_and_comes_back() {
    let aws = Aws::start().unwrap();
    let url = aws.fresh_blob_url().unwrap();
    outrigger_conformance::run(async {
        let blobs = open_at(&url);
        assert_eq!(blobs.size("a").await.unwrap(), None);
        aws.kill();
        let error = blobs.size("a").await.unwrap_err();
        assert!(error.to_string().starts_with("blobs are not available"), "{error}");
        aws.start_again().unwrap();
        assert_eq!(blobs.size("a").await.unwrap(), None);
    });
}
