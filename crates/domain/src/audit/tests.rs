//! Entries of the audit log.

use outrigger_kernel::{Actor, Ctx, PageRequest, Role};
use outrigger_ports::store::{Batch, Write};
use serde_json::json;

use super::testing;
use super::{Action, Audit, Outcome};

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
