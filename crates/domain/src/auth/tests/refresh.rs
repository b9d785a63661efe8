//! Refresh tokens: one use each.

use super::*;

const DAY: Duration = Duration::from_secs(86_400);

#[tokio::test]
async fn tokens_are_renewed_and_the_session_slides() {
    let (world, replica, mut tokens) = signed_in().await;
    let first = tokens.clone();
    let ctx = anonymous_ctx("192.0.2.1");
    for _ in 0..3 {
        world.clock.advance(25 * DAY);
        let renewed = replica.auth.refresh(&ctx, &tokens.refresh_token).await.unwrap();
        assert_ne!(renewed.refresh_token, tokens.refresh_token);
        assert_eq!(renewed.session_id, first.session_id);
        assert!(replica.is_alive(&renewed).await);
        tokens = renewed;
    }
    world.clock.advance(31 * DAY);
    let error = replica.auth.refresh(&ctx, &tokens.refresh_token).await.unwrap_err();
    assert_eq!(error.code(), "invalid_refresh_token");
}

#[tokio::test]
async fn no_refresh_outlives_the_absolute_end() {
    let (world, replica, mut tokens) = signed_in().await;
    let ctx = anonymous_ctx("192.0.2.1");
    for _ in 0..18 {
        world.clock.advance(20 * DAY);
        tokens = replica.auth.refresh(&ctx, &tokens.refresh_token).await.unwrap();
    }
    world.clock.advance(Duration::from_secs(5 * 86_400 - 60));
    let last = replica.auth.refresh(&ctx, &tokens.refresh_token).await.unwrap();
    assert_eq!(last.expires_in, 60, "the access token ends with the session");
    world.clock.advance(Duration::from_secs(61));
    let error = replica.auth.refresh(&ctx, &last.refresh_token).await.unwrap_err();
    assert_eq!(error.code(), "invalid_refresh_token");
}

#[tokio::test]
async fn a_token_used_twice_ends_the_session_on_every_replica() {
    // The one just used, and one used long before.
    for between in [0, 3] {
        let (world, replica, stolen) = signed_in().await;
        let there = super::replica(&world);
        let ctx = anonymous_ctx("192.0.2.1");
        let mut tokens = replica.auth.refresh(&ctx, &stolen.refresh_token).await.unwrap();
        for _ in 0..between {
            tokens = replica.auth.refresh(&ctx, &tokens.refresh_token).await.unwrap();
        }
        assert!(there.is_alive(&tokens).await);
        let error = there.auth.refresh(&ctx, &stolen.refresh_token).await.unwrap_err();
        assert_eq!(error.code(), "refresh_token_reused");
        assert!(!replica.is_alive(&tokens).await);
        let error = replica.auth.refresh(&ctx, &tokens.refresh_token).await.unwrap_err();
        assert_eq!(error.code(), "invalid_refresh_token");
    }
}

#[tokio::test]
async fn of_two_uses_at_once_one_wins_and_the_session_ends() {
    let (_world, replica, tokens) = signed_in().await;
    let ctx = anonymous_ctx("192.0.2.1");
    let (a, b) = tokio::join!(
        replica.auth.refresh(&ctx, &tokens.refresh_token),
        replica.auth.refresh(&ctx, &tokens.refresh_token),
    );
    assert!(a.is_ok() ^ b.is_ok(), "{a:?} {b:?}");
    assert!(!replica.is_alive(&tokens).await);
}

#[tokio::test]
async fn who_knows_only_the_id_of_a_session_can_end_nothing() {
    let (_world, replica, tokens) = signed_in().await;
    let ctx = anonymous_ctx("192.0.2.1");
    let guess = format!("{}.{}", tokens.session_id, "A".repeat(64));
    for bad in [guess.as_str(), "", "x", &tokens.access_token, "ses_none.AAAA"] {
        let error = replica.auth.refresh(&ctx, bad).await.unwrap_err();
        assert_eq!(error.code(), "invalid_refresh_token", "{bad}");
    }
    assert!(replica.is_alive(&tokens).await);
    replica.auth.refresh(&ctx, &tokens.refresh_token).await.unwrap();
}
