//! What may be done to users, and that it takes effect.

use std::time::Duration;

use outrigger_kernel::{Ctx, PageRequest, Result, Role};
use outrigger_ports::collection::Collection;
use outrigger_ports::store::{Batch, Precondition};
use serde_json::json;

use super::{
    Accounts, AdminPatch, NewKind, NewUser, PasswordHash, Patch, ProfilePatch, Session, UserView,
    cache_key,
};
use crate::audit::Audit;
use crate::audit::testing::{World, user_ctx};

const TTL: Duration = Duration::from_secs(60);

fn accounts(world: &World) -> Accounts {
    Accounts::new(&world.ports, Audit::new(&world.ports))
}

async fn make(accounts: &Accounts, email: &str, kind: NewKind) -> Result<UserView> {
    let new = NewUser { email: email.to_owned(), ..NewUser::default() };
    let hash = PasswordHash::new("hash".to_owned());
    accounts.create(&Ctx::system("r"), new, hash, kind, |_| Ok(Vec::new())).await
}

fn ctx_of(user: &UserView) -> Ctx {
    user_ctx(&user.id, "ses_none", &user.role)
}

/// Starts a session without a login.
async fn start_session(world: &World, user: &UserView, id: &str) {
    let now = world.ports.clock.now();
    let session = Session {
        user_id: user.id.clone(),
        epoch: 0,
        created_at: now,
        last_refreshed_at: now,
        expires_at: now.plus(Duration::from_secs(3600)),
        ends_at: now.plus(Duration::from_secs(7200)),
        user_agent: None,
        address: None,
        family_hash: String::new(),
        refresh_hash: String::new(),
    };
    let put = Collection::put(id, &session, Precondition::Absent).unwrap();
    world.ports.store.commit(Batch::of([put])).await.unwrap();
}

/// What a request of this session would be told, through the cache.
async fn live(accounts: &Accounts, session: &str, user: &UserView) -> Option<serde_json::Value> {
    let key = cache_key(session);
    let live = accounts.sessions.live(&key, session, &user.id, TTL).await.unwrap();
    live.map(|bytes| serde_json::from_slice(&bytes).unwrap())
}

fn role_patch(role: &str) -> AdminPatch {
    AdminPatch { role: Some(role.to_owned()), ..AdminPatch::default() }
}

fn disable() -> AdminPatch {
    AdminPatch { disabled: Some(true), ..AdminPatch::default() }
}

#[test]
fn a_patch_knows_absent_from_null() {
    let patch: ProfilePatch =
        serde_json::from_value(json!({"name": null, "locale": "de"})).unwrap();
    assert_eq!(patch.name, Patch::Clear);
    assert_eq!(patch.locale, Patch::Set("de".to_owned()));
    assert_eq!(patch.currency, Patch::Keep);
    assert!(serde_json::from_value::<ProfilePatch>(json!({"role": "admin"})).is_err());
}

#[tokio::test]
async fn an_address_is_taken_once() {
    let world = World::new();
    let accounts = accounts(&world);
    make(&accounts, "a@example.com", NewKind::User).await.unwrap();
    let error = make(&accounts, "a@example.com", NewKind::User).await.unwrap_err();
    assert_eq!(error.code(), "email_taken");
}

#[tokio::test]
async fn users_change_their_profile_and_nothing_else() {
    let world = World::new();
    let accounts = accounts(&world);
    let user = make(&accounts, "a@example.com", NewKind::User).await.unwrap();
    let ctx = ctx_of(&user);
    let patch = ProfilePatch {
        name: Patch::Set(" Ann ".to_owned()),
        currency: Patch::Set("EUR".to_owned()),
        ..ProfilePatch::default()
    };
    world.clock.advance(Duration::from_secs(5));
    let changed = accounts.update_me(&ctx, patch).await.unwrap();
    assert_eq!((changed.name.as_deref(), changed.currency.as_deref()), (Some("Ann"), Some("EUR")));
    assert!(changed.updated_at > changed.created_at);
    let clear = ProfilePatch { name: Patch::Clear, ..ProfilePatch::default() };
    let cleared = accounts.update_me(&ctx, clear).await.unwrap();
    assert_eq!((cleared.name, cleared.currency.as_deref()), (None, Some("EUR")));
    assert_eq!(accounts.me(&ctx).await.unwrap().currency.as_deref(), Some("EUR"));

    let bad = ProfilePatch {
        locale: Patch::Set("?".to_owned()),
        currency: Patch::Set("?".to_owned()),
        ..ProfilePatch::default()
    };
    assert_eq!(accounts.update_me(&ctx, bad).await.unwrap_err().fields().len(), 2);
}

#[tokio::test]
async fn what_is_for_administrators_is_refused_to_others() {
    let world = World::new();
    let accounts = accounts(&world);
    let user = make(&accounts, "a@example.com", NewKind::User).await.unwrap();
    let ctx = ctx_of(&user);
    let page = PageRequest { limit: 10, cursor: None };
    assert_eq!(accounts.list(&ctx, &page).await.unwrap_err().code(), "forbidden");
    assert_eq!(accounts.get(&ctx, &user.id).await.unwrap_err().code(), "forbidden");
    let error = accounts.update(&ctx, &user.id, role_patch("admin")).await.unwrap_err();
    assert_eq!(error.code(), "forbidden");
    assert_eq!(accounts.delete(&ctx, &user.id).await.unwrap_err().code(), "forbidden");
}

#[tokio::test]
async fn users_are_listed_page_by_page() {
    let world = World::new();
    let accounts = accounts(&world);
    for number in 0..5 {
        world.clock.advance(Duration::from_millis(1));
        make(&accounts, &format!("u{number}@example.com"), NewKind::User).await.unwrap();
    }
    let ctx = Ctx::system("r");
    let mut seen = Vec::new();
    let mut cursor = None;
    loop {
        let page = accounts.list(&ctx, &PageRequest { limit: 2, cursor }).await.unwrap();
        seen.extend(page.items.into_iter().map(|user| user.email));
        cursor = page.next_cursor;
        if cursor.is_none() {
            break;
        }
    }
    let expected: Vec<_> = (0..5).map(|number| format!("u{number}@example.com")).collect();
    assert_eq!(seen, expected);
    for bad in ["../x", "usr_1", ""] {
        let bad = PageRequest { limit: 2, cursor: Some(bad.to_owned()) };
        let error = accounts.list(&ctx, &bad).await.unwrap_err();
        assert_eq!(error.fields()[0].loc, ["query", "cursor"]);
        assert_eq!(error.fields()[0].code, "invalid_cursor");
    }
}

#[tokio::test]
async fn a_new_role_takes_effect_at_once_and_the_session_lives_on() {
    let world = World::new();
    let (here, there) = (accounts(&world), accounts(&world));
    make(&here, "root@example.com", NewKind::Admin).await.unwrap();
    let user = make(&here, "a@example.com", NewKind::User).await.unwrap();
    start_session(&world, &user, "ses_1").await;
    assert_eq!(live(&there, "ses_1", &user).await.unwrap()["role"], "user");
    here.update(&Ctx::system("r"), &user.id, role_patch("support")).await.unwrap();
    assert_eq!(live(&there, "ses_1", &user).await.unwrap()["role"], "support");
}

#[tokio::test]
async fn disabling_and_deleting_end_all_sessions_at_once() {
    let world = World::new();
    let (here, there) = (accounts(&world), accounts(&world));
    for end in ["disable", "delete"] {
        let user = make(&here, &format!("{end}@example.com"), NewKind::User).await.unwrap();
        let sessions: Vec<_> = (0..45).map(|number| format!("ses_{end}_{number}")).collect();
        for session in &sessions {
            start_session(&world, &user, session).await;
            assert!(live(&there, session, &user).await.is_some());
        }
        let ctx = Ctx::system("r");
        match end {
            "disable" => drop(here.update(&ctx, &user.id, disable()).await.unwrap()),
            _ => here.delete(&ctx, &user.id).await.unwrap(),
        }
        for session in &sessions {
            assert_eq!(live(&there, session, &user).await, None, "{session}");
        }
        assert!(here.sessions.all_of_user(&user.id).await.unwrap().is_empty(), "swept");
        if end == "disable" {
            let enable = AdminPatch { disabled: Some(false), ..AdminPatch::default() };
            here.update(&ctx, &user.id, enable).await.unwrap();
            assert_eq!(live(&there, &sessions[0], &user).await, None, "old sessions stay dead");
        }
    }
}

#[tokio::test]
async fn the_last_administrator_stays() {
    let world = World::new();
    let accounts = accounts(&world);
    let first = make(&accounts, "a@example.com", NewKind::Admin).await.unwrap();
    let ctx = ctx_of(&first);
    let refused = |result: Result<()>| assert_eq!(result.unwrap_err().code(), "last_administrator");
    refused(accounts.update(&ctx, &first.id, role_patch("user")).await.map(drop));
    refused(accounts.update(&ctx, &first.id, disable()).await.map(drop));
    refused(accounts.delete(&ctx, &first.id).await);
    refused(accounts.delete_me(&ctx).await);
    assert_eq!(accounts.me(&ctx).await.unwrap().role, Role::admin());

    let second = make(&accounts, "b@example.com", NewKind::User).await.unwrap();
    accounts.update(&ctx, &second.id, role_patch("admin")).await.unwrap();
    accounts.update(&ctx, &second.id, disable()).await.unwrap();
    // A disabled administrator is none.
    refused(accounts.delete_me(&ctx).await);
    let enable = AdminPatch { disabled: Some(false), ..AdminPatch::default() };
    accounts.update(&ctx, &second.id, enable).await.unwrap();
    accounts.delete_me(&ctx).await.unwrap();
    refused(accounts.delete_me(&ctx_of(&second)).await);
}

#[tokio::test]
async fn two_administrators_cannot_remove_each_other_at_once() {
    for _ in 0..20 {
        let world = World::new();
        let accounts = accounts(&world);
        let a = make(&accounts, "a@example.com", NewKind::Admin).await.unwrap();
        let b = make(&accounts, "b@example.com", NewKind::Admin).await.unwrap();
        let (ctx_a, ctx_b) = (ctx_of(&a), ctx_of(&b));
        let (first, second) = tokio::join!(
            accounts.update(&ctx_a, &b.id, role_patch("user")),
            accounts.delete(&ctx_b, &a.id),
        );
        assert!(first.is_ok() ^ second.is_ok(), "{first:?} {second:?}");
        assert!(!accounts.has_no_admin().await.unwrap());
    }
}

#[tokio::test]
async fn many_at_once_make_one_first_administrator() {
    let world = World::new();
    let accounts = accounts(&world);
    let tries = (0..8).map(|number| {
        let accounts = &accounts;
        async move { make(accounts, &format!("{number}@example.com"), NewKind::FirstAdmin).await }
    });
    let results = futures_util::future::join_all(tries).await;
    let made = results.iter().filter(|result| result.is_ok()).count();
    assert_eq!(made, 1, "{results:?}");
    let others = results.into_iter().filter_map(Result::err);
    assert!(others.into_iter().all(|error| error.code() == "administrator_exists"));
}

#[tokio::test]
async fn the_page_of_sessions_shows_only_live_ones() {
    let world = World::new();
    let accounts = accounts(&world);
    let user = make(&accounts, "a@example.com", NewKind::User).await.unwrap();
    for id in ["ses_1", "ses_2", "ses_3"] {
        start_session(&world, &user, id).await;
    }
    let stored = accounts.find(&user.id).await.unwrap().unwrap();
    let (first, next) = accounts.sessions.page(&stored, Some("ses_2"), None, 2).await.unwrap();
    let shown: Vec<_> = first.iter().map(|s| (s.id.as_str(), s.current)).collect();
    assert_eq!(shown, [("ses_1", false), ("ses_2", true)]);
    let (rest, _) = accounts.sessions.page(&stored, None, next, 2).await.unwrap();
    assert_eq!(rest.len(), 1);
    world.clock.advance(Duration::from_secs(3601));
    assert!(accounts.sessions.page(&stored, None, None, 9).await.unwrap().0.is_empty());
}
