//! Entries of the audit log.

use std::sync::Arc;
use std::time::Duration;

use outrigger_kernel::{Actor, Clock as _, Ctx, PageRequest, Role};
use outrigger_ports::collection::Entity as _;
use outrigger_ports::index_value;
use outrigger_ports::store::{Batch, Document, Key, Order, Precondition, Query, Write};
use serde_json::{Value, json};

use super::testing;
use super::{Action, Audit, Chain, Change, Entry, Outcome};
use crate::vault::Vault;

#[tokio::test]
async fn an_entry_says_who_did_what_from_where_and_expires() {
    let world = testing::World::new();
    let audit = Audit::new(&world.ports);
    let mut ctx = Ctx::system("req-1");
    ctx.address = Some("203.0.113.9".parse().unwrap());
    let write = audit.entry(&ctx, Action::KeysRotated, Some("key_1"), json!({"n": 1})).unwrap();
    let Write::Put { expires_at, .. } = &write else { panic!("{write:?}") };
    let days = expires_at.unwrap().since(world.ports.clock.now()).as_secs() / 86_400;
    assert_eq!(days, 90);
    world.ports.store.commit(Batch::of([write])).await.unwrap();

    let page = audit.list(&ctx, &PageRequest { limit: 10, cursor: None }).await.unwrap();
    let entry = &page.items[0];
    assert_eq!(entry.action, Action::KeysRotated);
    assert_eq!((entry.actor.as_str(), entry.target.as_deref()), ("system", Some("key_1")));
    assert_eq!(entry.address, ctx.address);
    assert_eq!(entry.outcome, Outcome::Succeeded);
    assert_eq!(entry.request_id, "req-1");
    assert_eq!(entry.details["n"], 1);
}

#[tokio::test]
async fn only_administrators_read_the_log() {
    let world = testing::World::new();
    let audit = Audit::new(&world.ports);
    let mut ctx = Ctx::system("r");
    ctx.actor = Actor::User { id: "usr_1".into(), role: Role::user(), session: "ses_1".into() };
    let error = audit.list(&ctx, &PageRequest { limit: 1, cursor: None }).await.unwrap_err();
    assert_eq!(error.code(), "forbidden");
}

/// Three entries in the chain, of different instants.
async fn linked() -> (testing::World, Chain) {
    let world = testing::World::new();
    let vault = Vault::new(&"a master secret of some length".to_owned().into()).unwrap();
    let chain = Chain::new(&world.ports, Arc::new(vault));
    let audit = Audit::new(&world.ports);
    for key in ["key_1", "key_2", "key_3"] {
        audit.record(&Ctx::system("r"), Action::KeysRotated, Some(key)).await.unwrap();
        world.clock.advance(Duration::from_secs(1));
    }
    assert!(!chain.extend().await.unwrap());
    (world, chain)
}

async fn findings(world: &testing::World, chain: &Chain) -> Vec<String> {
    let now = world.clock.now();
    chain.verify(&Ctx::system("r"), now, None).await.unwrap().findings
}

async fn documents(world: &testing::World) -> Vec<Document> {
    let query = Query {
        collection: Entry::COLLECTION,
        order: Order::Id,
        range: index_value::all(),
        descending: false,
        after: None,
        limit: 1_000,
        may_lag: false,
    };
    let found = world.ports.store.query(&query).await.unwrap();
    found.into_iter().map(|found| found.document).collect()
}

/// Does to the entry what somebody with the database could.
async fn tamper(world: &testing::World, document: &Document, body: Option<Value>) {
    let key = document.key.clone();
    let precondition = Precondition::Any;
    let write = match body {
        None => Write::Delete { key, precondition },
        Some(body) => {
            let entry: Entry = serde_json::from_value(body.clone()).unwrap();
            Write::Put {
                key,
                body: body.to_string().into(),
                entries: entry.entries(),
                expires_at: document.expires_at,
                precondition,
            }
        }
    };
    world.ports.store.commit(Batch::of([write])).await.unwrap();
}

#[tokio::test]
async fn the_chain_has_every_entry_and_is_whole_however_many_extend_it() {
    let (world, chain) = linked().await;
    let audit = Audit::new(&world.ports);
    let one = audit.entry(&Ctx::system("r"), Action::Login, None, json!({})).unwrap();
    world.ports.store.commit(Batch::of([one])).await.unwrap();
    let now = world.clock.now();
    let fresh = chain.verify(&Ctx::system("r"), now, None).await.unwrap();
    assert_eq!((fresh.entries, fresh.open, fresh.findings.len()), (3, 1, 0), "{fresh:?}");
    for _ in 0..60 {
        audit.record(&Ctx::system("r"), Action::Login, None).await.unwrap();
    }
    let all = futures_util::future::join_all((0..4).map(|_| chain.extend())).await;
    assert!(all.into_iter().all(|extended| extended.is_ok()));
    while chain.extend().await.unwrap() {}
    let whole = chain.verify(&Ctx::system("r"), now, None).await.unwrap();
    assert_eq!((whole.entries, whole.first, whole.open), (64, 1, 0));
    assert_eq!(whole.findings, [""; 0]);
    let newest = whole.newest.unwrap();
    let known = Some((newest.number, newest.hash.as_str()));
    assert_eq!(chain.verify(&Ctx::system("r"), now, known).await.unwrap().findings, [""; 0]);
}

#[tokio::test]
async fn whatever_is_done_to_an_entry_in_the_database_is_found() {
    let (world, chain) = linked().await;
    let second = documents(&world).await.remove(1);
    let body: Value = serde_json::from_slice(&second.body).unwrap();
    let mut changed = body.clone();
    changed["actor"] = json!("usr_somebody");
    tamper(&world, &second, Some(changed)).await;
    assert_eq!(findings(&world, &chain).await.len(), 1);
    assert!(findings(&world, &chain).await[0].contains("number 2"));
    tamper(&world, &second, Some(body.clone())).await;
    assert_eq!(findings(&world, &chain).await, [""; 0]);
    tamper(&world, &second, None).await;
    assert_eq!(findings(&world, &chain).await, ["1 entries before number 3 are gone"]);
    // What the database says of its end is not believed.
    let third = documents(&world).await.remove(1);
    let soon = Some(world.clock.now().plus(Duration::from_secs(30)));
    let of_third = serde_json::from_slice(&third.body).unwrap();
    tamper(&world, &Document { expires_at: soon, ..third }, Some(of_third)).await;
    assert_eq!(findings(&world, &chain).await, ["1 entries before number 3 are gone"]);
    let first = documents(&world).await.remove(0);
    tamper(&world, &first, None).await;
    assert_eq!(findings(&world, &chain).await, ["entries before number 3 are gone"]);
    let of_first = serde_json::from_slice(&first.body).unwrap();
    tamper(&world, &first, Some(of_first)).await;
    tamper(&world, &second, Some(body)).await;
    let third = documents(&world).await.remove(2);
    tamper(&world, &third, None).await;
    assert_eq!(findings(&world, &chain).await, ["1 entries after number 2 are gone"]);
}

#[tokio::test]
async fn an_entry_that_nobody_links_and_a_chain_that_was_made_anew_are_found() {
    let (world, chain) = linked().await;
    let newest = chain.verify(&Ctx::system("r"), world.clock.now(), None).await.unwrap().newest;
    let newest = newest.unwrap();
    Audit::new(&world.ports).record(&Ctx::system("r"), Action::Login, None).await.unwrap();
    world.clock.advance(Duration::from_secs(61));
    let found = findings(&world, &chain).await;
    assert!(found.len() == 1 && found[0].contains("is not in the chain"), "{found:?}");

    let (other, anew) = linked().await;
    let now = other.clock.now();
    let known = Some((newest.number, newest.hash.as_str()));
    let verified = anew.verify(&Ctx::system("r"), now, known).await.unwrap();
    assert_eq!(verified.findings, ["number 3 is another one than was noted"]);
}

#[tokio::test]
async fn what_has_expired_breaks_no_chain_and_lines_go_on_after_a_number() {
    let (world, chain) = linked().await;
    world.clock.advance(Duration::from_secs(90 * 86_400 - 2));
    let now = world.clock.now();
    let verified = chain.verify(&Ctx::system("r"), now, None).await.unwrap();
    assert_eq!((verified.entries, verified.first, verified.findings.len()), (1, 3, 0));

    let (_world, chain) = linked().await;
    let (lines, last) = chain.export(&Ctx::system("r"), 1, 10).await.unwrap();
    let numbers: Vec<u64> = lines
        .iter()
        .map(|line| {
            serde_json::from_str::<Value>(line).unwrap()["link"]["number"].as_u64().unwrap()
        })
        .collect();
    assert_eq!((numbers, last), (vec![2, 3], Some(3)));
}

#[tokio::test]
async fn a_change_tells_what_was_and_what_is() {
    let change = Change::of_bytes(None, Some(b"{}"));
    let world = testing::World::new();
    let audit = Audit::new(&world.ports);
    let ctx = Ctx::system("r");
    let write = audit.change(&ctx, Action::RecordChanged, "notes/a", change, json!({})).unwrap();
    let entry: Entry = serde_json::from_slice(write.body().unwrap()).unwrap();
    let empty = "44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a";
    assert_eq!((entry.before, entry.after.as_deref()), (None, Some(empty)));
}

#[tokio::test]
async fn entries_of_an_earlier_version_and_a_log_without_its_head_go_on_in_the_chain() {
    let (world, chain) = linked().await;
    let ctx = Ctx::system("r");
    let write = Audit::new(&world.ports).entry(&ctx, Action::Login, None, json!({})).unwrap();
    let Write::Put { body, expires_at, .. } = write else { panic!("{write:?}") };
    let of_before = |id: &str| Write::Put {
        key: Key::new("sys.audit", id),
        body: body.clone(),
        entries: Vec::new(),
        expires_at,
        precondition: Precondition::Absent,
    };
    let head = Write::Delete {
        key: Key::new("sys.audit_chain", "head"),
        precondition: Precondition::Exists,
    };
    world.ports.store.commit(Batch::of([of_before("aud_first"), head])).await.unwrap();
    world.clock.advance(Duration::from_secs(61));
    assert_eq!(chain.adopt(&ctx).await.unwrap(), 1);
    assert!(findings(&world, &chain).await[0].contains("is not in the chain"));
    assert!(!chain.extend().await.unwrap());
    let verified = chain.verify(&ctx, world.clock.now(), None).await.unwrap();
    assert_eq!((verified.entries, verified.findings.len()), (4, 0), "{verified:?}");
    assert_eq!(verified.newest.unwrap().number, 4);
    // Nothing was left, so the log is not read for it again.
    world.ports.store.commit(Batch::of([of_before("aud_second")])).await.unwrap();
    assert_eq!(chain.adopt(&ctx).await.unwrap(), 0);
    assert_eq!(findings(&world, &chain).await, ["aud_second is not in the chain"]);
    let Write::Put { precondition, expires_at, .. } = of_before("") else { unreachable!() };
    let copy = Write::Put {
        key: Key::new("sys.audit", "aud_third"),
        body: documents(&world).await[0].body.clone(),
        entries: Vec::new(),
        expires_at,
        precondition,
    };
    world.ports.store.commit(Batch::of([copy])).await.unwrap();
    assert_eq!(findings(&world, &chain).await[1], "1 entries are not where their links say");
    world.clock.advance(Duration::from_secs(91 * 86_400));
    assert_eq!(findings(&world, &chain).await, [""; 0], "all have expired");
}
