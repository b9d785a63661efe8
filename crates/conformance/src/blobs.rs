//! The suite of the blobs port.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use outrigger_ports::blobs::{BlobError, BlobReader, Blobs, PIECE_BYTES_MAX};

/// Makes a `#[test]` of each guarantee of the blobs port. The argument is an
/// `fn() -> (Arc<dyn Blobs>, K)`, `K` being what must live as long.
#[macro_export]
macro_rules! blobs_suite {
    ($open:expr) => {
        $crate::blobs_suite!(@tests $open;
            what_is_written_is_read,
            small_pieces_are_not_kept,
            a_range_is_read_as_far_as_there_are_bytes,
            nothing_is_seen_before_the_end,
            the_last_one_who_finishes_is_read,
            deleting_says_whether_there_was_one,
            clearing_leaves_nothing_under_a_key,
            only_keys_pass,
        );
    };
    (@tests $open:expr; $($name:ident),+ $(,)?) => {
        $(
            #[test]
            fn $name() {
                $crate::run(async {
                    let (blobs, _keep) = $open();
                    $crate::blobs::$name(blobs).await;
                });
            }
        )+
    };
}

async fn put(blobs: &Arc<dyn Blobs>, key: &str, bytes: &Bytes) -> u64 {
    let mut writer = blobs.create(key).await.expect("a writer");
    for piece in bytes.chunks(100_000) {
        writer.write(Bytes::copy_from_slice(piece)).await.expect("a piece is written");
    }
    writer.finish().await.expect("the blob is there")
}

async fn get(blobs: &Arc<dyn Blobs>, key: &str) -> Option<Vec<u8>> {
    Some(all(blobs.open(key).await.expect("an answer")?).await)
}

async fn all(mut reader: Box<dyn BlobReader>) -> Vec<u8> {
    let mut all = Vec::new();
    while let Some(piece) = reader.next().await.expect("a piece") {
        assert!((1..=PIECE_BYTES_MAX).contains(&piece.len()), "{}", piece.len());
        all.extend_from_slice(&piece);
    }
    all
}

/// A pattern in which no two pieces are the same.
fn pattern(bytes: usize) -> Bytes {
    (0..bytes).map(|at| u8::try_from((at / 7 + at / 1_013) % 251).unwrap_or(0)).collect()
}

/// Also of no bytes, and of more than one piece; under keys with and without folders.
pub async fn what_is_written_is_read(blobs: Arc<dyn Blobs>) {
    for (key, bytes) in [("none", 0), ("a/one", 1), ("a/b/many.bin", 3 * PIECE_BYTES_MAX + 7)] {
        let bytes = pattern(bytes);
        assert_eq!(put(&blobs, key, &bytes).await, bytes.len() as u64);
        assert_eq!(get(&blobs, key).await.as_deref(), Some(&bytes[..]), "{key}");
    }
    assert_eq!(get(&blobs, "a/two").await, None);
    assert_eq!(get(&blobs, "a").await, None);
}

/// Neither they, nor the buffers that they are of: a client may send one byte at a time.
pub async fn small_pieces_are_not_kept(blobs: Arc<dyn Blobs>) {
    let bytes = pattern(3_000);
    let kept = Arc::new(());
    let mut writer = blobs.create("small").await.expect("a writer");
    for byte in &bytes {
        let piece = Bytes::from_owner(Piece([*byte], kept.clone()));
        writer.write(piece).await.expect("a piece is written");
        assert_eq!(Arc::strong_count(&kept), 1, "a piece is kept");
    }
    writer.finish().await.expect("the blob is there");
    assert_eq!(get(&blobs, "small").await.as_deref(), Some(&bytes[..]));
}

/// A piece of one byte; it is there as long as the other.
struct Piece([u8; 1], #[expect(dead_code, reason = "is counted")] Arc<()>);

impl AsRef<[u8]> for Piece {
    fn as_ref(&self) -> &[u8] {
        &self.0
    }
}

/// Also of a blob of several pieces, of one without bytes, and beyond the end.
pub async fn a_range_is_read_as_far_as_there_are_bytes(blobs: Arc<dyn Blobs>) {
    let bytes = pattern(3 * PIECE_BYTES_MAX + 7);
    let size = bytes.len() as u64;
    put(&blobs, "a/ranges", &bytes).await;
    put(&blobs, "a/none", &Bytes::new()).await;
    let piece = PIECE_BYTES_MAX as u64;
    for range in [0..1, 5..5, piece - 1..2 * piece + 1, size - 1..size, 7..u64::MAX, size..size + 9]
    {
        let reader = blobs.open_range("a/ranges", range.clone()).await.expect("an answer");
        let read = all(reader.expect("it is there")).await;
        let within = |at: u64| usize::try_from(at.min(size)).expect("it is small");
        assert!(read == bytes[within(range.start)..within(range.end)], "{range:?}");
        let reader = blobs.open_range("a/none", range.clone()).await.expect("an answer");
        assert!(all(reader.expect("it is there")).await.is_empty(), "{range:?}");
        assert!(blobs.open_range("a/two", range).await.expect("an answer").is_none());
    }
    assert_eq!(blobs.size("a/ranges").await.expect("an answer"), Some(size));
    assert_eq!(blobs.size("a/none").await.expect("an answer"), Some(0));
    assert_eq!(blobs.size("a/two").await.expect("an answer"), None);
    assert_eq!(blobs.size("a").await.expect("an answer"), None);
}

/// Nor when the writer is dropped; who reads what was there reads it to its end.
pub async fn nothing_is_seen_before_the_end(blobs: Arc<dyn Blobs>) {
    let mut dropped = blobs.create("new").await.expect("a writer");
    dropped.write(Bytes::from_static(b"half")).await.expect("a piece is written");
    assert_eq!(get(&blobs, "new").await, None);
    drop(dropped);
    assert_eq!(get(&blobs, "new").await, None);
    let (old, new) = (pattern(2 * PIECE_BYTES_MAX), Bytes::from_static(b"new"));
    put(&blobs, "old", &old).await;
    let mut reader = blobs.open("old").await.expect("an answer").expect("it is there");
    let mut read = reader.next().await.expect("a piece").expect("a piece").to_vec();
    put(&blobs, "old", &new).await;
    while let Some(piece) = reader.next().await.expect("a piece") {
        read.extend_from_slice(&piece);
    }
    assert!(read == old, "what was open has changed");
    assert_eq!(get(&blobs, "old").await.as_deref(), Some(&new[..]));
}

/// Whoever began first.
pub async fn the_last_one_who_finishes_is_read(blobs: Arc<dyn Blobs>) {
    let mut first = blobs.create("both").await.expect("a writer");
    let mut second = blobs.create("both").await.expect("a writer");
    for _ in 0..3 {
        first.write(Bytes::from_static(b"1")).await.expect("a piece is written");
        second.write(Bytes::from_static(b"2")).await.expect("a piece is written");
    }
    second.finish().await.expect("the blob is there");
    assert_eq!(get(&blobs, "both").await.as_deref(), Some(&b"222"[..]));
    first.finish().await.expect("the blob is there");
    assert_eq!(get(&blobs, "both").await.as_deref(), Some(&b"111"[..]));
}

/// And then there is none.
pub async fn deleting_says_whether_there_was_one(blobs: Arc<dyn Blobs>) {
    put(&blobs, "a/one", &pattern(10)).await;
    assert!(blobs.delete("a/one").await.expect("an answer"));
    assert!(!blobs.delete("a/one").await.expect("an answer"));
    assert_eq!(get(&blobs, "a/one").await, None);
}

/// Of what is there and of what somebody else has begun; what is under other keys stays, and the key can
/// be written again.
pub async fn clearing_leaves_nothing_under_a_key(blobs: Arc<dyn Blobs>) {
    put(&blobs, "a/one", &pattern(10)).await;
    put(&blobs, "a/one-more", &pattern(11)).await;
    let mut begun = blobs.create("a/one").await.expect("a writer");
    begun.write(pattern(100)).await.expect("a piece is written");
    assert!(blobs.clear("a/one").await.expect("an answer"));
    assert_eq!(get(&blobs, "a/one").await, None);
    drop(begun);
    assert!(!blobs.clear("a/one").await.expect("an answer"));
    assert_eq!(get(&blobs, "a/one-more").await.as_deref(), Some(&pattern(11)[..]));
    put(&blobs, "a/one", &pattern(12)).await;
    assert_eq!(get(&blobs, "a/one").await.as_deref(), Some(&pattern(12)[..]));
}

/// Nothing leads out of where the blobs are, or to what is not finished.
pub async fn only_keys_pass(blobs: Arc<dyn Blobs>) {
    let long = "x".repeat(256);
    for key in [
        "", "/", "/a", "a/", "a//b", "..", "../a", "a/../b", ".a", "a/.b", "a b", "a\\b", "é",
        &long,
    ] {
        let refused = |result: Option<BlobError>| matches!(result, Some(BlobError::Key(_)));
        assert!(refused(blobs.create(key).await.err()), "{key}");
        assert!(refused(blobs.open(key).await.err()), "{key}");
        assert!(refused(blobs.delete(key).await.err()), "{key}");
        assert!(refused(blobs.clear(key).await.err()), "{key}");
        assert!(refused(blobs.size(key).await.err()), "{key}");
        let signed = blobs.sign_upload(key, 1, Duration::from_secs(1)).await;
        assert!(refused(signed.err()), "{key}");
    }
    put(&blobs, &"x".repeat(255), &pattern(1)).await;
}
