//! Blobs of many parts, and what is left of one that is not finished.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use outrigger_ports::blobs::Blobs;
use outrigger_testkit::{Aws, CloudStorage, http_get};

use crate::refusing::refusing;
use crate::suite::{as_account, open_at};

const MIB: usize = 1024 * 1024;

/// Uploads in parts that were begun and neither completed nor taken back.
fn unfinished(aws: &Aws, bucket: &str) -> usize {
    let address = ([127, 0, 0, 1], aws.port()).into();
    let (status, list) = http_get(address, &format!("/{bucket}?uploads")).unwrap();
    assert_eq!(status, 200, "{list}");
    list.matches("<UploadId>").count()
}

fn bucket_of(url: &str) -> String {
    url.split('/').nth(2).unwrap().to_owned()
}

#[test]
fn a_blob_of_several_parts_is_read_as_it_was_written() {
    let aws = open_at(&Aws::shared().unwrap().fresh_blob_url().unwrap());
    let google = as_account(&CloudStorage::shared().unwrap().fresh_blob_url().unwrap());
    for blobs in [aws, google] {
        outrigger_conformance::run(read_as_written(blobs));
    }
}

async fn read_as_written(blobs: Arc<dyn Blobs>) {
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
}

#[test]
fn what_is_dropped_before_its_end_leaves_no_parts() {
    let aws = Aws::shared().unwrap().fresh_blob_url().unwrap();
    outrigger_conformance::run(leaves_no_parts(open_at(&aws), &aws));
    let google = CloudStorage::shared().unwrap().fresh_blob_url().unwrap();
    outrigger_conformance::run(leaves_no_parts(as_account(&google), &google));
}

async fn leaves_no_parts(blobs: Arc<dyn Blobs>, url: &str) {
    let aws = Aws::shared().unwrap();
    let bucket = bucket_of(url);
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
    tokio::time::timeout(Duration::from_secs(60), gone).await.expect("it is taken back");
    assert_eq!(blobs.size("large").await.unwrap(), None);
}

/// As a process that is killed leaves it: the writer takes nothing back. Who only has the same beginning
/// of a key goes on.
#[test]
fn clearing_a_key_takes_back_what_others_have_begun_under_it() {
    let aws = Aws::shared().unwrap();
    let s3 = aws.fresh_blob_url().unwrap();
    let gcs = CloudStorage::shared().unwrap().fresh_blob_url().unwrap();
    for (blobs, url) in [(open_at(&s3), &s3), (as_account(&gcs), &gcs)] {
        let bucket = bucket_of(url);
        outrigger_conformance::run(async {
            for _ in 0..2 {
                let mut killed = blobs.create("a/large").await.unwrap();
                killed.write(Bytes::from(vec![7; 9 * MIB])).await.unwrap();
                std::mem::forget(killed);
            }
            let mut other = blobs.create("a/large-one").await.unwrap();
            other.write(Bytes::from(vec![8; 9 * MIB])).await.unwrap();
            assert_eq!(unfinished(aws, &bucket), 3);
            assert!(blobs.clear("a/large").await.unwrap());
            assert!(!blobs.clear("a/large").await.unwrap());
            assert_eq!(unfinished(aws, &bucket), 1);
            assert_eq!(other.finish().await.unwrap(), 9 * MIB as u64);
            assert!(blobs.clear("a/large-one").await.unwrap());
            assert_eq!(unfinished(aws, &bucket), 0);
        });
    }
}

/// Or it would be tried again for ever, and others would have to wait for it.
#[test]
fn who_may_not_list_uploads_clears_all_the_same() {
    let endpoint = refusing("GET", true);
    for scheme in ["s3", "gs"] {
        outrigger_conformance::run(async {
            let blobs = open_at(&format!("{scheme}://bucket?endpoint={endpoint}"));
            assert!(blobs.clear("a").await.is_ok());
        });
    }
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
