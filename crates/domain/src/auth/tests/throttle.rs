//! How often it may be tried.

use outrigger_kernel::ErrorKind;

use super::*;

#[tokio::test]
async fn the_eleventh_try_of_an_account_waits_longer_each_time_from_wherever() {
    let world = World::new();
    let replica = replica(&world);
    replica.register(EMAIL).await;
    let attempt = async |number: usize, password: &str| {
        let ctx = anonymous_ctx(&format!("2001:db8:0:{number:x}::1"));
        replica.login_from(&ctx, EMAIL, password).await
    };
    for number in 0..10 {
        let error = attempt(number, "wrong-password-1").await.unwrap_err();
        assert_eq!(error.code(), "wrong_credentials");
    }
    let mut waits = Vec::new();
    for number in 10..15 {
        let error = attempt(number, PASSWORD).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::RateLimited);
        let wait = error.retry_after().unwrap();
        waits.push(wait);
        world.clock.advance(wait);
        // The quota gives one try back; use it up.
        let error = attempt(number, "wrong-password-1").await.unwrap_err();
        assert_eq!(error.code(), "wrong_credentials");
    }
    assert!(waits[4] >= 2 * waits[1], "{waits:?}");
    an_hour_passes(&world);
    attempt(99, PASSWORD).await.unwrap();
}

#[tokio::test]
async fn the_right_password_is_forgiven_what_was_tried_before() {
    let world = World::new();
    let replica = replica(&world);
    replica.register(EMAIL).await;
    for round in 0..4 {
        for number in 0..9 {
            let ctx = anonymous_ctx(&format!("2001:db8:{round}:{number:x}::1"));
            replica.login_from(&ctx, EMAIL, "wrong-password-1").await.unwrap_err();
        }
        let ctx = anonymous_ctx(&format!("2001:db8:{round}:ff::1"));
        replica.login_from(&ctx, EMAIL, PASSWORD).await.unwrap();
    }
}

#[tokio::test]
async fn an_address_is_limited_whichever_accounts_it_tries() {
    let world = World::new();
    let replica = replica(&world);
    replica.register(EMAIL).await;
    let ctx = anonymous_ctx("192.0.2.66");
    for number in 0..10 {
        let email = format!("u{number}@example.com");
        replica.login_from(&ctx, &email, PASSWORD).await.unwrap_err();
    }
    for _ in 0..20 {
        let error = replica.login_from(&ctx, EMAIL, "wrong-password-1").await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::RateLimited);
    }
    // What the address was refused does not count against the account.
    replica.login(PASSWORD).await.unwrap();
    let new = NewUser { email: "new@example.com".to_owned(), ..NewUser::default() };
    let error = replica.auth.register(&ctx, new, secret(PASSWORD), None).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::RateLimited);
}

#[tokio::test]
async fn signing_in_costs_an_address_nothing_and_forgives_no_failure() {
    let world = World::new();
    let replica = replica(&world);
    replica.register(EMAIL).await;
    let ctx = anonymous_ctx("192.0.2.77");
    let wrong = async |number: usize| {
        let email = format!("u{number}@example.com");
        replica.login_from(&ctx, &email, PASSWORD).await.unwrap_err().code()
    };
    for _ in 0..30 {
        replica.login_from(&ctx, EMAIL, PASSWORD).await.unwrap();
    }
    for number in 0..10 {
        assert_eq!(wrong(number).await, "wrong_credentials");
        if number < 9 {
            replica.login_from(&ctx, EMAIL, PASSWORD).await.unwrap();
        }
    }
    assert_eq!(wrong(10).await, "rate_limited");
}

#[tokio::test]
async fn more_tries_at_once_than_the_limit_are_refused_also_with_the_right_password() {
    let world = World::new();
    let replica = replica(&world);
    let tries = (0..20).map(|number| {
        let email = format!("u{number}@example.com");
        let replica = &replica;
        async move { replica.login_from(&anonymous_ctx("192.0.2.78"), &email, PASSWORD).await }
    });
    let results = futures_util::future::join_all(tries).await;
    let refused = results.iter().filter_map(|result| result.as_ref().err());
    assert_eq!(refused.filter(|error| error.kind() == ErrorKind::RateLimited).count(), 10);
}

#[tokio::test]
async fn changing_the_password_is_no_way_to_guess_it() {
    let (_world, replica, tokens) = signed_in().await;
    let ctx = replica.ctx(&tokens).await;
    let mut codes = Vec::new();
    for _ in 0..11 {
        let wrong = secret("wrong-password-1");
        let error = replica.auth.change_password(&ctx, wrong, secret(PASSWORD)).await.unwrap_err();
        codes.push(error.code());
    }
    assert_eq!(codes.last(), Some(&"rate_limited"), "{codes:?}");
}
