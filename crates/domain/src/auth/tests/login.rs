//! Registering and signing in.

use outrigger_kernel::{Ctx, ErrorKind, PageRequest, limits};

use super::*;
use crate::accounts::AdminPatch;
use crate::audit::{Action, Outcome};

#[tokio::test]
async fn who_registers_can_sign_in_however_the_address_is_typed() {
    let world = World::new();
    let replica = replica(&world);
    let user = replica.register(" Ann@Example.com ").await;
    assert_eq!((user.email.as_str(), user.role.as_str()), (EMAIL, "user"));
    let ctx = anonymous_ctx("192.0.2.1");
    let tokens = replica.login_from(&ctx, "ANN@example.COM", PASSWORD).await.unwrap();
    assert_eq!(tokens.user, user);
    assert_eq!((tokens.token_type.as_str(), tokens.expires_in), ("Bearer", 900));
    assert!(tokens.session_id.starts_with("ses_"));
    let actor = replica.auth.authenticate(&tokens.access_token).await.unwrap();
    let Actor::User { id, role, session } = actor else { panic!("{actor:?}") };
    assert_eq!((&*id, role.as_str(), &*session), (&*user.id, "user", &*tokens.session_id));
}

#[tokio::test]
async fn registering_is_refused_with_a_reason() {
    let world = World::new();
    let replica = replica(&world);
    replica.register(EMAIL).await;
    let register = async |email: &str, password: &str| {
        let new = NewUser { email: email.to_owned(), ..NewUser::default() };
        let ctx = anonymous_ctx("192.0.2.77");
        replica.auth.register(&ctx, new, secret(password), None).await.unwrap_err()
    };
    assert_eq!(register("ANN@example.com", PASSWORD).await.code(), "email_taken");
    assert_eq!(register("nobody", PASSWORD).await.fields()[0].loc, ["body", "email"]);
    let weak = register("bob@example.com", "password12").await;
    assert_eq!(weak.fields()[0].loc, ["body", "password"]);
    let own = register("bob.builder@example.com", "bob.builder@example.com").await;
    assert_eq!(own.fields()[0].code, "password_too_weak");
}

#[tokio::test]
async fn a_repeated_registration_with_the_same_key_is_done_once() {
    let world = World::new();
    let replica = replica(&world);
    let ctx = anonymous_ctx("192.0.2.1");
    let register = async |email: &str, password: &str, key: &str| {
        let new = NewUser { email: email.to_owned(), ..NewUser::default() };
        replica.auth.register(&ctx, new, secret(password), Some(key)).await
    };
    let (first, again) =
        tokio::join!(register(EMAIL, PASSWORD, "k1"), register(EMAIL, PASSWORD, "k1"));
    let first = first.unwrap();
    assert_eq!(again.unwrap(), first);
    assert_eq!(register(EMAIL, PASSWORD, "k1").await.unwrap(), first);
    for (email, password) in [("b@example.com", PASSWORD), (EMAIL, "otter-marble-42-plum")] {
        let error = register(email, password, "k1").await.unwrap_err();
        assert_eq!(error.fields()[0].code, "key_reused");
    }
    assert_eq!(register(EMAIL, PASSWORD, "k2").await.unwrap_err().code(), "email_taken");
}

#[tokio::test]
async fn registration_can_be_closed() {
    let world = World::new();
    let settings = AuthSettings { registration_open: false, ..settings() };
    let replica = replica_with(&world, settings);
    let new = NewUser { email: EMAIL.to_owned(), ..NewUser::default() };
    let ctx = anonymous_ctx("192.0.2.1");
    let error = replica.auth.register(&ctx, new, secret(PASSWORD), None).await.unwrap_err();
    assert_eq!(error.code(), "registration_closed");
}

#[tokio::test]
async fn an_unknown_address_and_a_wrong_password_look_the_same() {
    let world = World::new();
    let replica = replica(&world);
    replica.register(EMAIL).await;
    let ctx = anonymous_ctx("192.0.2.1");
    let long = "x".repeat(10_000);
    let mut answers = Vec::new();
    for (email, password) in [
        (EMAIL, "wrong-password-1"),
        ("nobody@example.com", PASSWORD),
        ("not an address", PASSWORD),
        (EMAIL, ""),
        (EMAIL, long.as_str()),
    ] {
        let error = replica.login_from(&ctx, email, password).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Unauthenticated);
        answers.push((error.code(), error.message().to_owned()));
    }
    answers.dedup();
    assert_eq!(answers.len(), 1, "{answers:?}");
    assert_eq!(answers[0].0, "wrong_credentials");
}

#[tokio::test]
async fn a_disabled_user_learns_it_only_with_the_right_password() {
    let (world, replica, tokens) = signed_in().await;
    let disable = AdminPatch { disabled: Some(true), ..AdminPatch::default() };
    let id = &tokens.user.id;
    replica.accounts.update(&Ctx::system("r"), id, disable).await.unwrap();
    assert_eq!(replica.login("wrong-password-1").await.unwrap_err().code(), "wrong_credentials");
    assert_eq!(replica.login(PASSWORD).await.unwrap_err().code(), "account_disabled");
    assert!(!replica.is_alive(&tokens).await);
    drop(world);
}

#[tokio::test]
async fn the_oldest_session_ends_when_there_are_too_many() {
    let (world, replica, first) = signed_in().await;
    assert!(replica.is_alive(&first).await);
    world.clock.advance(Duration::from_secs(10));
    let second = replica.login(PASSWORD).await.unwrap();
    for _ in 2..limits::SESSIONS_PER_USER_MAX {
        world.clock.advance(Duration::from_secs(10));
        replica.login(PASSWORD).await.unwrap();
    }
    assert!(replica.is_alive(&first).await);
    world.clock.advance(Duration::from_secs(10));
    let last = replica.login(PASSWORD).await.unwrap();
    assert!(!replica.is_alive(&first).await);
    assert!(replica.is_alive(&second).await);
    let page = PageRequest { limit: 100, cursor: None };
    let sessions = replica.auth.sessions(&replica.ctx(&last).await, &page).await.unwrap();
    assert_eq!(sessions.items.len(), limits::SESSIONS_PER_USER_MAX);
}

#[tokio::test]
async fn a_hash_with_old_parameters_is_replaced_at_the_next_login() {
    let (world, replica, tokens) = signed_in().await;
    let mut stronger = settings();
    stronger.hashing.memory_kib = 32;
    let other = replica_with(&world, stronger);
    let logins = (0..4).map(|_| other.login(PASSWORD));
    for login in futures_util::future::join_all(logins).await {
        login.unwrap();
    }
    let user = other.accounts.find(&tokens.user.id).await.unwrap().unwrap();
    assert!(user.value.password_hash.as_str().contains("m=32,"));
    assert!(replica.is_alive(&tokens).await, "rehashing ends no session");
    other.login(PASSWORD).await.unwrap();
}

#[tokio::test]
async fn a_login_that_races_a_new_password_does_not_survive_it() {
    for _ in 0..20 {
        let (_world, replica, tokens) = signed_in().await;
        let ctx = replica.ctx(&tokens).await;
        let (changed, raced) = tokio::join!(
            replica.auth.change_password(&ctx, secret(PASSWORD), secret("otter-marble-42-plum")),
            replica.login(PASSWORD),
        );
        changed.unwrap();
        if let Ok(raced) = raced {
            assert!(!replica.is_alive(&raced).await);
        }
        assert!(replica.is_alive(&tokens).await);
    }
}

#[tokio::test]
async fn many_logins_at_once_all_get_their_session() {
    let world = World::new();
    let replica = replica(&world);
    replica.register(EMAIL).await;
    let mut settings = settings();
    settings.throttle.account.limit = 1_000;
    settings.throttle.address.limit = 1_000;
    let replica = replica_with(&world, settings);
    let logins = (0..30).map(|_| replica.login(PASSWORD));
    for login in futures_util::future::join_all(logins).await {
        assert!(replica.is_alive(&login.unwrap()).await);
    }
}

#[tokio::test]
async fn the_audit_log_tells_what_happened_and_no_secret() {
    let (world, replica, tokens) = signed_in().await;
    replica.login("wrong-password-1").await.unwrap_err();
    let ctx = replica.ctx(&tokens).await;
    replica.auth.logout(&ctx).await.unwrap();
    let page = PageRequest { limit: 10, cursor: None };
    let log = Audit::new(&world.ports).list(&Ctx::system("r"), &page).await.unwrap();
    let mut told: Vec<_> = log.items.iter().map(|e| (e.action, e.outcome)).collect();
    told.sort_by_key(|(action, outcome)| format!("{action:?} {outcome:?}"));
    assert_eq!(
        told,
        [
            (Action::Login, Outcome::Refused),
            (Action::Login, Outcome::Succeeded),
            (Action::Logout, Outcome::Succeeded),
            (Action::Register, Outcome::Succeeded),
        ]
    );
    let text = serde_json::to_string(&log).unwrap();
    for secret in [PASSWORD, "wrong-password-1", &tokens.access_token, &tokens.refresh_token] {
        assert!(!text.contains(secret));
    }
    assert!(!format!("{tokens:?}").contains(&tokens.refresh_token));
}
