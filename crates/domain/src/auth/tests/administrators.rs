//! The first administrator, and more of them.

use outrigger_kernel::{Ctx, ErrorKind, secret::ExposeSecret};

use super::*;

#[tokio::test]
async fn the_first_administrator_is_made_once_however_many_processes_try() {
    let world = World::new();
    let replicas: Vec<_> = (0..4).map(|_| replica(&world)).collect();
    let system = Ctx::system("start");
    assert!(replicas[0].auth.is_empty().await.unwrap());
    let made = futures_util::future::join_all(
        replicas.iter().map(|r| r.auth.create_first_admin(&system, EMAIL, secret(PASSWORD))),
    )
    .await;
    let made: Vec<_> = made.into_iter().filter_map(|result| result.unwrap()).collect();
    assert_eq!(made.len(), 1);
    assert!(made[0].role.is_admin());
    let again = replicas[1].auth.create_first_admin(&system, "b@example.com", secret(PASSWORD));
    assert_eq!(again.await.unwrap(), None);
    let tokens = replicas[2].login(PASSWORD).await.unwrap();
    assert!(replicas[3].ctx(&tokens).await.is_admin());
}

#[tokio::test]
async fn more_are_made_by_outrigger_itself_only() {
    let (_world, replica, tokens) = signed_in().await;
    let ctx = replica.ctx(&tokens).await;
    let error = replica.auth.create_admin(&ctx, "b@example.com", secret(PASSWORD)).await;
    assert_eq!(error.unwrap_err().code(), "forbidden");
    let system = Ctx::system("cli");
    let taken = replica.auth.create_admin(&system, EMAIL, secret(PASSWORD)).await;
    assert_eq!(taken.unwrap_err().code(), "email_taken");
    let weak = replica.auth.create_admin(&system, "b@example.com", secret("password12")).await;
    assert_eq!(weak.unwrap_err().kind(), ErrorKind::Invalid);
    for email in ["b@example.com", "c@example.com"] {
        replica.auth.create_admin(&system, email, secret(PASSWORD)).await.unwrap();
    }
}

#[tokio::test]
async fn the_set_up_link_is_the_same_everywhere_and_works_once() {
    let world = World::new();
    let (here, there) = (replica(&world), replica(&world));
    let link = here.auth.setup_link().await.unwrap().unwrap();
    let same = there.auth.setup_link().await.unwrap().unwrap();
    let token = link.token.expose_secret();
    assert_eq!(token, same.token.expose_secret());
    let ctx = anonymous_ctx("192.0.2.1");
    let set_up = async |token: &str, email: &str| {
        there.auth.set_up(&ctx, token, email, secret(PASSWORD)).await
    };
    assert_eq!(
        set_up("0".repeat(64).as_str(), EMAIL).await.unwrap_err().code(),
        "setup_link_invalid"
    );
    assert_eq!(set_up("", EMAIL).await.unwrap_err().code(), "setup_link_invalid");
    // A fault does not use the link up.
    assert_eq!(set_up(token, "nobody").await.unwrap_err().kind(), ErrorKind::Invalid);
    assert!(set_up(token, EMAIL).await.unwrap().role.is_admin());
    let error = set_up(token, "b@example.com").await.unwrap_err();
    assert_eq!(error.code(), "administrator_exists");
    assert!(here.auth.setup_link().await.unwrap().is_none());
}

#[tokio::test]
async fn the_set_up_link_expires_and_a_new_one_is_another() {
    let world = World::new();
    let replica = replica(&world);
    let link = replica.auth.setup_link().await.unwrap().unwrap();
    world.clock.advance(Duration::from_secs(86_400));
    let ctx = anonymous_ctx("192.0.2.1");
    let token = link.token.expose_secret();
    let error = replica.auth.set_up(&ctx, token, EMAIL, secret(PASSWORD)).await.unwrap_err();
    assert_eq!(error.code(), "setup_link_invalid");
    let next = replica.auth.setup_link().await.unwrap().unwrap();
    assert_ne!(next.token.expose_secret(), token);
}

#[tokio::test]
async fn two_with_the_link_make_one_administrator() {
    let world = World::new();
    let replica = replica(&world);
    let link = replica.auth.setup_link().await.unwrap().unwrap();
    let token = link.token.expose_secret();
    let (a, b) = (anonymous_ctx("192.0.2.1"), anonymous_ctx("192.0.2.2"));
    let (a, b) = tokio::join!(
        replica.auth.set_up(&a, token, "a@example.com", secret(PASSWORD)),
        replica.auth.set_up(&b, token, "b@example.com", secret(PASSWORD)),
    );
    assert!(a.is_ok() ^ b.is_ok(), "{a:?} {b:?}");
}
