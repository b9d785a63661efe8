//! Links in account mails: they work once, for a while, for what they are for, and whether an
//! address is known is told to nobody but its owner.

use std::time::Duration;

use outrigger_kernel::{ErrorKind, Result};
use outrigger_ports::index_value;
use outrigger_ports::queue::{TaskFilter, TaskRecord};
use outrigger_ports::store::Order;

use super::{EMAIL, PASSWORD, Replica, an_hour_passes, replica, replica_with, secret, settings};
use crate::audit::testing::{World, anonymous_ctx};
use crate::auth::{AuthSettings, MailSettings, Purpose, VerifyEmail};

const NEW: &str = "tide-lantern-42-heron";

fn with(verify: VerifyEmail) -> AuthSettings {
    let mails = MailSettings { verify, ..settings().mails };
    AuthSettings { mails, ..settings() }
}

/// The tasks that are there, the newest first.
async fn tasks(world: &World) -> Vec<TaskRecord> {
    let all = TaskFilter { limit: 50, ..TaskFilter::default() };
    world.ports.board.list(&all).await.unwrap().tasks
}

/// The token of the link that the mail of this id would bring.
async fn token(replica: &Replica, purpose: Purpose, id: &str) -> String {
    let letter = replica.auth.letter(purpose, EMAIL, id).await.unwrap().expect("a letter");
    let link = letter.link.expect("a link");
    assert!(link.starts_with("https://api.example.com/"), "{link}");
    link.split_once("?token=").expect("a token").1.to_owned()
}

async fn reset(replica: &Replica, token: &str, password: &str) -> Result<()> {
    replica.auth.reset_password(&anonymous_ctx("192.0.2.77"), token, secret(password)).await
}

async fn verify(replica: &Replica, token: &str) -> Result<()> {
    replica.auth.verify_email(&anonymous_ctx("192.0.2.78"), token).await
}

fn code(result: Result<()>) -> String {
    let error = result.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Invalid);
    assert_eq!(error.fields()[0].loc, ["body", "token"]);
    error.fields()[0].code.clone().into_owned()
}

async fn known() -> (World, Replica) {
    let world = World::new();
    let replica = replica_with(&world, with(VerifyEmail::Off));
    replica.register(EMAIL).await;
    (world, replica)
}

#[tokio::test]
async fn a_reset_link_puts_a_password_once_and_ends_all_sessions() {
    let (_world, replica) = known().await;
    let tokens = replica.login(PASSWORD).await.unwrap();
    let token = token(&replica, Purpose::ResetPassword, "tsk_1").await;
    let weak = reset(&replica, &token, "password123").await.unwrap_err();
    assert_eq!(weak.fields()[0].loc, ["body", "new_password"]);
    reset(&replica, &token, NEW).await.unwrap();
    assert!(!replica.is_alive(&tokens).await);
    assert!(replica.login(PASSWORD).await.is_err());
    let tokens = replica.login(NEW).await.unwrap();
    assert!(tokens.user.email_verified, "who has read the mail has the address");
    assert_eq!(code(reset(&replica, &token, PASSWORD).await), "link_invalid");
    assert!(replica.is_alive(&tokens).await);
}

#[tokio::test]
async fn a_new_password_is_told_to_its_user_and_a_refused_one_is_not() {
    let (world, replica) = known().await;
    let before = tasks(&world).await.len();
    let mailed = token(&replica, Purpose::ResetPassword, "tsk_1").await;
    reset(&replica, "no token", NEW).await.unwrap_err();
    assert_eq!(tasks(&world).await.len(), before);
    reset(&replica, &mailed, NEW).await.unwrap();
    let all = tasks(&world).await;
    assert_eq!(all.len(), before + 1);
    let payload: serde_json::Value = serde_json::from_str(all[0].task.payload.get()).unwrap();
    assert_eq!(
        (&payload["message"], &payload["category"]),
        (&"password-changed".into(), &"account".into())
    );
    assert!(!payload.to_string().contains(EMAIL));
}

#[tokio::test]
async fn a_new_password_makes_all_older_links_worthless() {
    let (_world, replica) = known().await;
    let first = token(&replica, Purpose::ResetPassword, "tsk_1").await;
    let second = token(&replica, Purpose::ResetPassword, "tsk_2").await;
    assert_ne!(first, second);
    reset(&replica, &second, NEW).await.unwrap();
    assert_eq!(code(reset(&replica, &first, PASSWORD).await), "link_invalid");
}

#[tokio::test]
async fn links_expire() {
    let (world, replica) = known().await;
    let late = token(&replica, Purpose::ResetPassword, "tsk_1").await;
    world.clock.advance(Duration::from_secs(3_599));
    let in_time = token(&replica, Purpose::ResetPassword, "tsk_2").await;
    world.clock.advance(Duration::from_secs(2));
    assert_eq!(code(reset(&replica, &late, NEW).await), "link_invalid");
    reset(&replica, &in_time, NEW).await.unwrap();
}

#[tokio::test]
async fn a_link_is_good_for_one_purpose_and_cannot_be_made_up() {
    let (_world, replica) = known().await;
    let token = token(&replica, Purpose::VerifyEmail, "tsk_1").await;
    assert_eq!(code(reset(&replica, &token, NEW).await), "link_invalid");
    let (id, mark) = token.split_once('.').unwrap();
    let other = if mark.starts_with('0') { "1" } else { "0" };
    for wrong in [
        String::new(),
        id.to_owned(),
        format!("{id}."),
        format!("tsk_9.{mark}"),
        format!("{id}.{other}{}", &mark[1..]),
        format!("{id}.{mark}0"),
        format!("../{id}.{mark}"),
    ] {
        let result = replica.auth.follow(Purpose::VerifyEmail, &wrong).await.map(|_| ());
        assert_eq!(code(result), "link_invalid", "{wrong}");
    }
    verify(&replica, &token).await.unwrap();
    assert_eq!(code(verify(&replica, &token).await), "link_invalid");
}

#[tokio::test]
async fn the_same_mail_brings_the_same_link_and_the_store_does_not_hold_it() {
    let (world, replica) = known().await;
    let token_of = async || token(&replica, Purpose::ResetPassword, "tsk_1").await;
    let first = token_of().await;
    assert_eq!(token_of().await, first, "a second attempt of the same task");
    let mark = first.split_once('.').unwrap().1;
    let query = outrigger_ports::store::Query {
        collection: "sys.mail_links",
        order: Order::Id,
        range: index_value::all(),
        descending: false,
        after: None,
        limit: 10,
        may_lag: false,
    };
    let found = world.ports.store.query(&query).await.unwrap();
    assert_eq!(found.len(), 1);
    let kept = String::from_utf8_lossy(&found[0].document.body).into_owned();
    assert!(!kept.contains(mark), "{kept}");
    let stranger = replica_with(
        &world,
        AuthSettings { master_secret: secret(&"another-secret-".repeat(3)), ..settings() },
    );
    assert_eq!(code(reset(&stranger, &first, NEW).await), "link_invalid");
}

#[tokio::test]
async fn asking_does_the_same_for_every_address_and_shows_nothing() {
    let (world, replica) = known().await;
    for (address, email) in [("192.0.2.1", EMAIL), ("192.0.2.2", "nobody@example.com")] {
        replica.auth.forgot_password(&anonymous_ctx(address), email).await.unwrap();
    }
    let tasks = tasks(&world).await;
    assert_eq!(tasks.len(), 2);
    for task in &tasks {
        let payload = task.task.payload.get();
        assert!(task.task.sealed && !payload.contains("example"), "{payload}");
    }
    let nobody = replica.auth.letter(Purpose::ResetPassword, "nobody@example.com", "tsk_1").await;
    assert!(nobody.unwrap().is_none());
    let verified = token(&replica, Purpose::VerifyEmail, "tsk_2").await;
    verify(&replica, &verified).await.unwrap();
    let again = replica.auth.letter(Purpose::VerifyEmail, EMAIL, "tsk_3").await.unwrap();
    assert!(again.is_none(), "there is nothing left to verify");
}

#[tokio::test]
async fn mails_are_limited_for_an_account_known_or_not_and_for_a_client() {
    let (world, replica) = known().await;
    for email in [EMAIL, "nobody@example.com"] {
        an_hour_passes(&world);
        for n in 0..5 {
            let ctx = anonymous_ctx(&format!("2001:db8:0:{n:x}::1"));
            replica.auth.forgot_password(&ctx, email).await.unwrap();
        }
        let ctx = anonymous_ctx("2001:db8:0:99::1");
        let error = replica.auth.forgot_password(&ctx, email).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::RateLimited);
    }
    an_hour_passes(&world);
    let ctx = anonymous_ctx("192.0.2.9");
    for n in 0..10 {
        replica.auth.forgot_password(&ctx, &format!("user{n}@example.com")).await.unwrap();
    }
    let error = replica.auth.forgot_password(&ctx, "one-more@example.com").await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::RateLimited);
}

#[tokio::test]
async fn who_registers_is_mailed_in_the_same_batch_and_may_have_to_verify_first() {
    let world = World::new();
    let replica = replica_with(&world, with(VerifyEmail::Require));
    replica.register(EMAIL).await;
    let mails = tasks(&world).await;
    assert_eq!(mails.len(), 1);
    assert_eq!(mails[0].task.kind, "account.mail");
    assert_eq!(replica.login(PASSWORD).await.unwrap_err().code(), "email_not_verified");
    let wrong = replica.login("not-the-password").await.unwrap_err();
    assert_eq!(wrong.code(), "wrong_credentials", "only who has the password learns of it");
    let token = token(&replica, Purpose::VerifyEmail, &mails[0].task.id).await;
    verify(&replica, &token).await.unwrap();
    assert!(replica.login(PASSWORD).await.unwrap().user.email_verified);
}

#[tokio::test]
async fn a_disabled_user_gets_no_link_and_an_older_one_is_worthless() {
    let (_world, replica) = known().await;
    let token = token(&replica, Purpose::ResetPassword, "tsk_1").await;
    let user = replica.accounts.find_by_email(EMAIL).await.unwrap().unwrap();
    let admin = outrigger_kernel::Ctx::system("req-test");
    let patch = crate::accounts::AdminPatch { disabled: Some(true), ..Default::default() };
    replica.accounts.update(&admin, &user.id, patch).await.unwrap();
    let letter = replica.auth.letter(Purpose::ResetPassword, EMAIL, "tsk_2").await.unwrap();
    assert!(letter.is_none());
    assert_eq!(code(reset(&replica, &token, NEW).await), "link_invalid");
}

#[tokio::test]
async fn each_step_is_in_the_audit_log() {
    let world = World::new();
    let replica = replica(&world);
    replica.register(EMAIL).await;
    replica.auth.forgot_password(&anonymous_ctx("192.0.2.1"), EMAIL).await.unwrap();
    replica.auth.resend_verification(&anonymous_ctx("192.0.2.1"), EMAIL).await.unwrap();
    let token_1 = token(&replica, Purpose::VerifyEmail, "tsk_1").await;
    let token_2 = token(&replica, Purpose::ResetPassword, "tsk_2").await;
    verify(&replica, &token_1).await.unwrap();
    reset(&replica, &token_2, NEW).await.unwrap();
    let actions = crate::audit::testing::actions(&world).await;
    assert_eq!(
        actions,
        [
            "auth.email_verified",
            "auth.password_reset",
            "auth.password_reset_requested",
            "auth.register",
            "auth.verification_requested",
        ]
    );
}
