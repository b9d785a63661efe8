//! Files, on embedded adapters and a clock that is moved.

use std::ops::Range;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use futures_util::{Stream, StreamExt, stream};
use outrigger_embedded::MemoryBlobs;
use outrigger_kernel::{Ctx, Error, ErrorKind, PageRequest, Result, Role};
use outrigger_ports::blobs::{BlobError, BlobReader, BlobWriter, Blobs};
use outrigger_ports::collection::Collection;
use outrigger_ports::probe::Probed;
use outrigger_ports::store::{Batch, Key, Precondition, Write};

use super::model::{File, Loose, key};
use super::{Files, MediaRange, NewFile, NewUpload, Settings};
use crate::accounts::Departed;
use crate::audit::Audit;
use crate::audit::testing::{World, actions, anonymous_ctx, user_ctx};
use crate::rule::Rule;

struct Bench {
    world: World,
    files: Files,
    ann: Ctx,
    bob: Ctx,
    admin: Ctx,
}

async fn bench(settings: Settings) -> Bench {
    let world = World::new();
    for id in ["usr_ann", "usr_bob", "usr_admin"] {
        let (key, body) = (Key::new("sys.users", id), Bytes::from_static(b"{}"));
        let precondition = Precondition::Absent;
        let user = Write::Put { key, body, entries: Vec::new(), expires_at: None, precondition };
        world.ports.store.commit(Batch::of([user])).await.unwrap();
    }
    let user = |id| user_ctx(id, "ses_1", &Role::user());
    Bench {
        files: Files::new(&world.ports, Audit::new(&world.ports), settings),
        ann: user("usr_ann"),
        bob: user("usr_bob"),
        admin: user_ctx("usr_admin", "ses_2", &Role::admin()),
        world,
    }
}

fn named(name: &str) -> NewFile {
    NewFile { name: Some(name.to_owned()), ..NewFile::default() }
}

fn body(pieces: &[&'static [u8]]) -> impl Stream<Item = Result<Bytes>> + Send + Unpin + use<> {
    let pieces: Vec<_> = pieces.iter().map(|piece| Ok(Bytes::from_static(piece))).collect();
    stream::iter(pieces)
}

fn first_page() -> PageRequest {
    PageRequest { limit: 100, cursor: None }
}

impl Bench {
    async fn upload(&self, ctx: &Ctx, read: Option<Rule>, bytes: &'static [u8]) -> String {
        let new = NewFile { read, ..named("a.txt") };
        self.files.upload(ctx, new, None, body(&[bytes])).await.unwrap().id
    }

    async fn content(&self, ctx: &Ctx, id: &str) -> Result<Vec<u8>> {
        let mut content = self.files.open(ctx, id).await?.read(0..u64::MAX).await?;
        let mut all = Vec::new();
        while let Some(piece) = content.next().await? {
            all.extend_from_slice(&piece);
        }
        Ok(all)
    }

    /// Notes of blobs that belong to no file.
    async fn loose(&self) -> usize {
        let all = outrigger_ports::index_value::all();
        let order = outrigger_ports::store::Order::Id;
        self.files.loose.list(order, all, false, None, 100).await.unwrap().0.len()
    }
}

#[tokio::test]
async fn a_file_is_taken_and_given_with_what_its_bytes_say() {
    let bench = bench(Settings::default()).await;
    let new = NewFile { media_type: Some("text/html".to_owned()), ..named("../me.png") };
    let pieces = body(&[b"\x89PNG\r\n", b"\x1a\n", b"pixels"]);
    let file = bench.files.upload(&bench.ann, new, None, pieces).await.unwrap();
    assert_eq!((&*file.name, &*file.media_type, file.size), ("me.png", "image/png", 14));
    assert_eq!(file.owner.as_deref(), Some("usr_ann"));
    assert_eq!(file.sha256.as_ref().unwrap().len(), 64);
    assert_eq!(bench.files.get(&bench.ann, &file.id).await.unwrap(), file);
    assert_eq!(bench.content(&bench.ann, &file.id).await.unwrap(), b"\x89PNG\r\n\x1a\npixels");
    assert_eq!(bench.loose().await, 0);
}

#[tokio::test]
async fn rules_say_who_may_do_what() {
    let bench = bench(Settings::default()).await;
    let nobody = anonymous_ctx("198.51.100.1");
    let refused = bench.files.upload(&nobody, named("a"), None, body(&[b"x"])).await.unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::Unauthenticated);
    let kind = |result: Result<Vec<u8>>| result.err().map(|error| error.kind());
    let (not_found, sign_in) = (Some(ErrorKind::NotFound), Some(ErrorKind::Unauthenticated));
    for (read, for_bob, for_nobody) in [
        (None, not_found, sign_in),
        (Some(Rule::User), None, sign_in),
        (Some(Rule::Public), None, None),
        (Some(Rule::Role("editor".to_owned())), Some(ErrorKind::Forbidden), sign_in),
        (Some(Rule::Admin), Some(ErrorKind::Forbidden), sign_in),
    ] {
        let id = bench.upload(&bench.ann, read, b"words").await;
        assert_eq!(kind(bench.content(&bench.ann, &id).await), None);
        assert_eq!(kind(bench.content(&bench.admin, &id).await), None);
        assert_eq!(kind(bench.content(&bench.bob, &id).await), for_bob);
        assert_eq!(kind(bench.content(&nobody, &id).await), for_nobody);
        let deleted = bench.files.delete(&bench.bob, &id).await.unwrap_err();
        assert_eq!(deleted.kind(), ErrorKind::NotFound);
    }
    let list = async |ctx, owner| bench.files.list(ctx, owner, &first_page()).await;
    assert_eq!(list(&bench.ann, None).await.unwrap().items.len(), 5);
    assert_eq!(list(&bench.bob, None).await.unwrap().items.len(), 0);
    assert_eq!(list(&bench.admin, None).await.unwrap().items.len(), 5);
    assert_eq!(list(&bench.admin, Some("usr_bob")).await.unwrap().items.len(), 0);
    let other = list(&bench.bob, Some("usr_ann")).await.unwrap_err();
    assert_eq!(other.kind(), ErrorKind::Forbidden);
}

#[tokio::test]
async fn what_is_refused_or_cut_off_leaves_nothing() {
    let types = vec![MediaRange::try_from("image/*".to_owned()).unwrap()];
    let bench = bench(Settings { size_bytes_max: 10, types, ..Settings::default() }).await;
    let cut = || Err(Error::bad_request("incomplete_body", "the body ended too early"));
    for (pieces, kind) in [
        (vec![Ok(Bytes::from_static(b"words"))], ErrorKind::UnsupportedMediaType),
        (vec![Ok(Bytes::from_static(b"\x89PNG\r\n\x1a\n and more"))], ErrorKind::TooLarge),
        (vec![Ok(Bytes::from_static(b"\x89PNG")), cut()], ErrorKind::BadRequest),
    ] {
        let taken = bench.files.upload(&bench.ann, named("a"), None, stream::iter(pieces)).await;
        assert_eq!(taken.unwrap_err().kind(), kind);
        assert_eq!(bench.loose().await, 0);
        let list = bench.files.list(&bench.admin, None, &first_page()).await.unwrap();
        assert_eq!(list.items, []);
    }
}

#[tokio::test]
async fn the_same_request_makes_one_file() {
    let bench = bench(Settings::default()).await;
    let upload = async |bytes: &'static [u8]| {
        bench.files.upload(&bench.ann, named("a.txt"), Some("key-1"), body(&[bytes])).await
    };
    let first = upload(b"words").await.unwrap();
    assert_eq!(upload(b"words").await.unwrap(), first);
    assert_eq!(upload(b"other").await.unwrap_err().kind(), ErrorKind::Invalid);
    for key in ["", "\t", &"x".repeat(300)] {
        let unread = stream::poll_fn(|_| panic!("the body is read"));
        let refused = bench.files.upload(&bench.ann, named("a.txt"), Some(key), unread).await;
        assert_eq!(refused.unwrap_err().kind(), ErrorKind::Invalid, "{key:?}");
    }
    let list = bench.files.list(&bench.ann, None, &first_page()).await.unwrap();
    assert_eq!(list.items, [first]);
    assert_eq!(bench.loose().await, 0);
}

/// As a killed process leaves it: the note and the blob are there, the file is not.
#[tokio::test]
async fn the_sweep_removes_what_nobody_goes_on_with() {
    let bench = bench(Settings::default()).await;
    let now = bench.files.clock.now();
    let note = Loose {
        until: now.plus(Duration::from_secs(3_600)),
        doomed: false,
        begun: true,
        promised: None,
    };
    let put = Collection::put("fil_left", &note, Precondition::Absent).unwrap();
    bench.files.commit(Batch::of([put])).await.unwrap();
    let mut writer = bench.files.blobs.create(&key("fil_left")).await.unwrap();
    writer.write(Bytes::from_static(b"left")).await.unwrap();
    writer.finish().await.unwrap();
    bench.world.clock.advance(Duration::from_secs(3_599));
    bench.files.sweep().await.unwrap();
    assert_eq!(bench.files.blobs.size(&key("fil_left")).await.unwrap(), Some(4));
    bench.world.clock.advance(Duration::from_secs(2));
    bench.files.sweep().await.unwrap();
    assert_eq!(bench.files.blobs.size(&key("fil_left")).await.unwrap(), None);
    assert_eq!(bench.loose().await, 0);
}

/// Slow, but going on: every piece comes after half of the time that is waited.
#[tokio::test]
async fn an_upload_that_goes_on_is_not_swept_and_one_that_was_swept_makes_no_file() {
    let bench = bench(Settings::default()).await;
    for (pause, is_made) in [(2_000, true), (3_601, false)] {
        let slow = stream::iter(0..4).then(|_| {
            bench.world.clock.advance(Duration::from_secs(pause));
            let files = bench.files.clone();
            Box::pin(async move {
                files.sweep().await?;
                Ok(Bytes::from_static(b"piece"))
            })
        });
        let made = bench.files.upload(&bench.ann, named("slow"), None, Box::pin(slow)).await;
        match made {
            Ok(file) => assert_eq!((is_made, file.size), (true, 20)),
            Err(error) => assert_eq!((is_made, error.code()), (false, "upload_given_up")),
        }
        assert_eq!(bench.loose().await, 0);
    }
    let list = bench.files.list(&bench.ann, None, &first_page()).await.unwrap();
    assert_eq!(list.items.len(), 1);
}

#[tokio::test]
async fn a_deletion_that_was_cut_off_is_ended_by_the_sweep() {
    let bench = bench(Settings::default()).await;
    let id = bench.upload(&bench.ann, None, b"words").await;
    let note = Loose { until: bench.files.clock.now(), doomed: true, begun: false, promised: None };
    let cut = Batch::of([
        Collection::<File>::delete(&id, Precondition::Any),
        Collection::put(&id, &note, Precondition::Absent).unwrap(),
    ]);
    bench.files.commit(cut).await.unwrap();
    bench.files.sweep().await.unwrap();
    assert_eq!(bench.files.blobs.size(&key(&id)).await.unwrap(), None);
    let id = bench.upload(&bench.ann, None, b"words").await;
    bench.files.delete(&bench.ann, &id).await.unwrap();
    assert_eq!(bench.files.blobs.size(&key(&id)).await.unwrap(), None);
    assert_eq!(bench.loose().await, 0);
    assert_eq!(bench.files.delete(&bench.ann, &id).await.unwrap_err().kind(), ErrorKind::NotFound);
}

#[tokio::test]
async fn blobs_that_only_we_reach_are_signed_for_nobody() {
    let bench = bench(Settings::default()).await;
    let new = NewUpload { name: None, size: 5, media_type: None, read: None };
    let refused = bench.files.sign(&bench.ann, new, None).await.unwrap_err();
    assert_eq!(refused.code(), "no_signed_uploads");
    assert_eq!(bench.loose().await, 0);
}

/// Keeps blobs in memory, and cannot delete those of these files.
#[derive(Debug)]
struct Stubborn(MemoryBlobs, Mutex<Vec<String>>);

#[async_trait::async_trait]
impl Blobs for Stubborn {
    async fn create(&self, key: &str) -> Result<Box<dyn BlobWriter>, BlobError> {
        self.0.create(key).await
    }

    async fn open_range(
        &self,
        key: &str,
        range: Range<u64>,
    ) -> Result<Option<Box<dyn BlobReader>>, BlobError> {
        self.0.open_range(key, range).await
    }

    async fn size(&self, key: &str) -> Result<Option<u64>, BlobError> {
        self.0.size(key).await
    }

    async fn delete(&self, key: &str) -> Result<bool, BlobError> {
        if self.1.lock().unwrap().iter().any(|id| key.ends_with(id)) {
            return Err(BlobError::Unavailable("it is held".into()));
        }
        self.0.delete(key).await
    }

    async fn probe(&self) -> Result<Probed, BlobError> {
        self.0.probe().await
    }
}

#[tokio::test]
async fn the_sweep_goes_on_after_a_blob_that_cannot_be_deleted() {
    let mut bench = bench(Settings::default()).await;
    let stubborn = Arc::new(Stubborn(MemoryBlobs::default(), Mutex::default()));
    bench.files.blobs = stubborn.clone();
    let mut ids = Vec::new();
    for _ in 0..8 {
        ids.push(bench.upload(&bench.ann, None, b"words").await);
    }
    // More than a round bears, and those come first.
    stubborn.1.lock().unwrap().extend_from_slice(&ids[..6]);
    for id in &ids {
        bench.files.delete(&bench.ann, id).await.unwrap();
    }
    assert_eq!(bench.loose().await, 6);
    let left = Loose { until: bench.files.clock.now(), doomed: true, begun: false, promised: None };
    let put = Collection::put("fil_zz", &left, Precondition::Absent).unwrap();
    bench.files.commit(Batch::of([put])).await.unwrap();
    for left in [7, 6] {
        bench.files.sweep().await.unwrap();
        assert_eq!(bench.loose().await, left);
    }
    stubborn.1.lock().unwrap().clear();
    bench.world.clock.advance(bench.files.sweep_every());
    bench.files.sweep().await.unwrap();
    assert_eq!(bench.loose().await, 0);
}

#[tokio::test]
async fn files_go_with_their_owner_and_none_is_made_after_that() {
    let bench = bench(Settings::default()).await;
    let mut ids = Vec::new();
    for _ in 0..11 {
        ids.push(bench.upload(&bench.ann, None, b"words").await);
    }
    let other = bench.upload(&bench.bob, None, b"words").await;
    // As an account is deleted.
    let departed = Departed::note("usr_ann", bench.files.clock.now()).unwrap();
    let gone =
        Write::Delete { key: Key::new("sys.users", "usr_ann"), precondition: Precondition::Exists };
    bench.files.commit(Batch::of([gone, departed])).await.unwrap();
    let late = bench.files.upload(&bench.ann, named("late"), None, body(&[b"words"])).await;
    assert_eq!(late.unwrap_err().code(), "owner_deleted");
    bench.files.sweep().await.unwrap();
    let list = bench.files.list(&bench.admin, None, &first_page()).await.unwrap();
    assert_eq!(list.items.iter().map(|file| &file.id).collect::<Vec<_>>(), [&other]);
    for id in &ids {
        assert_eq!(bench.files.blobs.size(&key(id)).await.unwrap(), None);
    }
    assert_eq!(bench.loose().await, 0);
    assert_eq!(Departed::some(&bench.files.departed, 10).await.unwrap(), Vec::<String>::new());
    assert_eq!(actions(&bench.world).await, ["files.deleted_with_owner"; 2]);
}

/// As versions left it that deleted accounts and knew of no files.
#[tokio::test]
async fn files_of_users_whose_deletion_nobody_noted_are_found_a_page_at_a_time() {
    let bench = bench(Settings::default()).await;
    let store = &bench.world.ports.store;
    let put = |id: &str| {
        let (key, body) = (Key::new("sys.users", id), Bytes::from_static(b"{}"));
        let precondition = Precondition::Absent;
        Write::Put { key, body, entries: Vec::new(), expires_at: None, precondition }
    };
    let mut lost = Vec::new();
    for number in 0..60 {
        let id = format!("usr_many{number:02}");
        store.commit(Batch::of([put(&id)])).await.unwrap();
        let ctx = user_ctx(&id, "ses_1", &Role::user());
        let file = bench.upload(&ctx, None, b"words").await;
        if number % 25 == 1 {
            let key = Key::new("sys.users", &id);
            let gone = Write::Delete { key, precondition: Precondition::Exists };
            store.commit(Batch::of([gone])).await.unwrap();
            lost.push(file);
        }
    }
    assert_eq!(lost.len(), 3);
    // More files than are looked at in one round, which cost but one.
    for _ in 0..60 {
        bench.upload(&bench.ann, None, b"words").await;
    }
    let left = async || {
        let mut left = 0;
        for id in &lost {
            left += usize::from(bench.files.blobs.size(&key(id)).await.unwrap().is_some());
        }
        left
    };
    let whole = async || bench.files.stored.store().scan(None, 1_000).await.unwrap().len();
    let rounds = [3, 1, 0];
    for expected in rounds {
        bench.files.sweep().await.unwrap();
        assert_eq!(left().await, expected);
        bench.world.clock.advance(bench.files.sweep_every());
    }
    let before = whole().await;
    bench.files.sweep().await.unwrap();
    assert_eq!(whole().await, before, "nothing else goes");
    let late = Departed::note_late("usr_ann", bench.files.clock.now()).unwrap();
    assert!(
        !bench.files.commit(Batch::of(late)).await.unwrap(),
        "a user who is there is not noted"
    );
    let list = bench.files.list(&bench.ann, None, &first_page()).await.unwrap();
    assert_eq!(list.items.len(), 60);
    assert_eq!(actions(&bench.world).await, ["files.deleted_with_owner"; 3]);
}
