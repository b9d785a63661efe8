//! Access tokens and sessions: what is accepted, and that an end takes effect at once everywhere.

use outrigger_kernel::{Ctx, PageRequest};

use super::*;
use crate::accounts::AdminPatch;

const PAGE: PageRequest = PageRequest { limit: 20, cursor: None };

#[tokio::test]
async fn a_logout_is_seen_by_another_replica_at_the_next_request() {
    let (world, here, tokens) = signed_in().await;
    let there = replica(&world);
    for replica in [&here, &there] {
        assert!(replica.is_alive(&tokens).await);
        assert!(replica.is_alive(&tokens).await, "also from the cache");
    }
    here.auth.logout(&here.ctx(&tokens).await).await.unwrap();
    assert!(!here.is_alive(&tokens).await);
    assert!(!there.is_alive(&tokens).await);
    let error = there.auth.refresh(&anonymous_ctx("192.0.2.1"), &tokens.refresh_token).await;
    assert_eq!(error.unwrap_err().code(), "invalid_refresh_token");
}

#[tokio::test]
async fn an_access_token_expires_though_its_session_lives() {
    let (world, replica, tokens) = signed_in().await;
    world.clock.advance(Duration::from_secs(899));
    assert!(replica.is_alive(&tokens).await);
    world.clock.advance(Duration::from_secs(1));
    assert!(!replica.is_alive(&tokens).await);
    assert!(!replica_of(&world, replica.auth.shared.clone()).is_alive(&tokens).await);
    let again = replica_with(&world, settings());
    assert!(!again.is_alive(&tokens).await, "nor for who has not seen it before");
}

#[tokio::test]
async fn tokens_that_are_not_ours_are_refused() {
    let (world, replica, tokens) = signed_in().await;
    let good = &tokens.access_token;
    let [header, claims, signature] = good.split('.').collect::<Vec<_>>().try_into().unwrap();
    let other_claims = claims.chars().rev().collect::<String>();
    // {"alg":"none"} and {"alg":"HS256","kid":…}, as in well-known attacks.
    let none = "eyJhbGciOiJub25lIn0";
    let hs256 = "eyJhbGciOiJIUzI1NiJ9";
    for bad in [
        "",
        ".",
        "..",
        "a.b.c",
        "é",
        header,
        &format!("{header}.{claims}."),
        &format!("{header}.{claims}"),
        &format!("{header}.{other_claims}.{signature}"),
        &format!("{none}.{claims}."),
        &format!("{none}.{claims}.{signature}"),
        &format!("{hs256}.{claims}.{signature}"),
        &format!("{good}x"),
        &format!("{good}."),
        &format!(" {good}"),
        &"x".repeat(100_000),
    ] {
        let error = replica.auth.authenticate(bad).await.unwrap_err();
        assert_eq!(error.code(), "unauthenticated", "{bad:.80}");
    }
    // Another deployment, though it shares the database and the secret.
    let mut elsewhere = settings();
    elsewhere.public_url = "https://elsewhere.example.com".to_owned();
    assert!(!replica_with(&world, elsewhere).is_alive(&tokens).await);
    // The same name, another secret: its tokens are signed by keys that are not ours.
    let strangers = World::new();
    let foreign = replica_with(
        &strangers,
        AuthSettings { master_secret: secret(&"z".repeat(32)), ..stored_keys() },
    );
    foreign.register(EMAIL).await;
    let foreign_tokens = foreign.login(PASSWORD).await.unwrap();
    assert!(!replica.is_alive(&foreign_tokens).await);
    assert!(replica.is_alive(&tokens).await);
}

#[tokio::test]
async fn a_user_sees_and_ends_their_own_sessions_only() {
    let (world, replica, first) = signed_in().await;
    world.clock.advance(Duration::from_secs(1));
    let second = replica.login(PASSWORD).await.unwrap();
    replica.register("bob@example.com").await;
    let ctx = anonymous_ctx("192.0.2.2");
    let bob = replica.login_from(&ctx, "bob@example.com", PASSWORD).await.unwrap();

    let ctx = replica.ctx(&second).await;
    let sessions = replica.auth.sessions(&ctx, &PAGE).await.unwrap().items;
    let shown: Vec<_> = sessions.iter().map(|s| (s.id.as_str(), s.current)).collect();
    assert_eq!(shown, [(&*first.session_id, false), (&*second.session_id, true)]);
    assert_eq!(sessions[0].user_agent.as_deref(), Some("test/1"));

    for strange in [bob.session_id.as_str(), "ses_none", "../..", ""] {
        let error = replica.auth.revoke_session(&ctx, strange).await.unwrap_err();
        assert_eq!(error.code(), "not_found", "{strange}");
    }
    replica.auth.revoke_session(&ctx, &first.session_id).await.unwrap();
    assert!(!replica.is_alive(&first).await);
    assert!(replica.is_alive(&second).await);
    replica.auth.revoke_sessions(&ctx).await.unwrap();
    assert!(!replica.is_alive(&second).await);
    assert!(replica.is_alive(&bob).await);
}

#[tokio::test]
async fn administrators_end_the_sessions_of_others() {
    let (_world, replica, tokens) = signed_in().await;
    let id = &tokens.user.id;
    let error = replica.auth.revoke_sessions_of(&replica.ctx(&tokens).await, id).await;
    assert_eq!(error.unwrap_err().code(), "forbidden");
    replica.auth.revoke_sessions_of(&Ctx::system("r"), id).await.unwrap();
    assert!(!replica.is_alive(&tokens).await);
    replica.login(PASSWORD).await.unwrap();
}

#[tokio::test]
async fn a_login_that_races_with_disabling_does_not_survive_it() {
    for _ in 0..20 {
        let (_world, replica, tokens) = signed_in().await;
        let disable = AdminPatch { disabled: Some(true), ..AdminPatch::default() };
        let system = Ctx::system("r");
        let (disabled, raced) = tokio::join!(
            replica.accounts.update(&system, &tokens.user.id, disable),
            replica.login(PASSWORD),
        );
        disabled.unwrap();
        if let Ok(raced) = raced {
            assert!(!replica.is_alive(&raced).await);
        }
        assert!(!replica.is_alive(&tokens).await);
    }
}

#[tokio::test]
async fn a_new_role_is_in_the_next_request() {
    let (world, replica, tokens) = signed_in().await;
    let there = super::replica(&world);
    assert!(!there.ctx(&tokens).await.is_admin());
    let promote = AdminPatch { role: Some("admin".to_owned()), ..AdminPatch::default() };
    replica.accounts.update(&Ctx::system("r"), &tokens.user.id, promote).await.unwrap();
    assert!(there.ctx(&tokens).await.is_admin());
}

#[tokio::test]
async fn a_new_password_ends_the_other_sessions() {
    let (world, replica, mine) = signed_in().await;
    let other = replica.login(PASSWORD).await.unwrap();
    let there = super::replica(&world);
    assert!(there.is_alive(&other).await);
    let ctx = replica.ctx(&mine).await;
    let new = "otter-marble-42-plum";
    let change = async |current: &str, new: &str| {
        replica.auth.change_password(&ctx, secret(current), secret(new)).await
    };
    let wrong = change("wrong-password-1", new).await.unwrap_err();
    assert_eq!(wrong.fields()[0].loc, ["body", "current_password"]);
    let weak = change(PASSWORD, "password12").await.unwrap_err();
    assert_eq!(weak.fields()[0].loc, ["body", "new_password"]);
    assert!(there.is_alive(&other).await);
    change(PASSWORD, new).await.unwrap();
    assert!(there.is_alive(&mine).await);
    assert!(!there.is_alive(&other).await);
    assert_eq!(replica.login(PASSWORD).await.unwrap_err().code(), "wrong_credentials");
    replica.login(new).await.unwrap();
    let renewed = replica.auth.refresh(&ctx, &mine.refresh_token).await.unwrap();
    assert!(there.is_alive(&renewed).await);
}
