//! Signing keys: made once, kept encrypted, rotated without anybody's noticing.

use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair};
use outrigger_kernel::{Ctx, ErrorKind};
use outrigger_ports::store::Key;
use serde_json::Value;

use super::super::RsaBits;
use super::*;

/// A replica whose keys are in the store.
fn keeper(world: &World) -> Replica {
    replica_with(world, stored_keys())
}

/// A world with one such replica and one user who has signed in.
async fn keeper_signed_in() -> (World, Replica, TokenAnswer) {
    let world = World::new();
    let replica = keeper(&world);
    replica.register(EMAIL).await;
    let tokens = replica.login(PASSWORD).await.unwrap();
    (world, replica, tokens)
}

fn kid(tokens: &TokenAnswer) -> String {
    super::super::access_token::key_name(&tokens.access_token).unwrap()
}

async fn published(replica: &Replica) -> Vec<String> {
    let jwks: Value = serde_json::from_slice(&replica.auth.jwks().await.unwrap()).unwrap();
    let keys = jwks["keys"].as_array().unwrap();
    keys.iter().map(|key| key["kid"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn replicas_that_start_at_once_agree_on_one_key() {
    let world = World::new();
    let replicas: Vec<_> = (0..4).map(|_| keeper(&world)).collect();
    let prepared = replicas.iter().map(|replica| replica.auth.prepare_keys());
    for result in futures_util::future::join_all(prepared).await {
        result.unwrap();
    }
    let first = published(&replicas[0]).await;
    assert_eq!(first.len(), 1);
    for replica in &replicas {
        assert_eq!(published(replica).await, first);
    }
}

#[tokio::test]
async fn the_store_holds_no_private_key_in_clear() {
    let (world, replica, _) = keeper_signed_in().await;
    let document = world.ports.store.get(&Key::new("sys.keys", "ring")).await.unwrap().unwrap();
    let ring: Value = serde_json::from_slice(&document.body).unwrap();
    let key = &ring["keys"][0];
    let sealed = key["sealed"].as_str().unwrap();
    let opened = replica.auth.shared.vault.open(key["kid"].as_str().unwrap(), sealed).unwrap();
    assert_eq!(opened[0], 0x30, "a DER sequence");
    let body = String::from_utf8_lossy(&document.body);
    assert!(!body.contains("PRIVATE") && !body.contains("\"d\""));

    let other = AuthSettings { master_secret: secret(&"x".repeat(32)), ..stored_keys() };
    replica_with(&World::new(), other.clone()).auth.load_keys().await.unwrap();
    let error = replica_with(&world, other).auth.load_keys().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Internal);
    assert!(format!("{error:?}").contains("another secret"));
}

#[tokio::test]
async fn a_rotation_logs_nobody_out_and_the_new_key_is_published_before_it_signs() {
    let (world, here, old) = keeper_signed_in().await;
    let there = keeper(&world);
    assert!(there.is_alive(&old).await);
    let rotated = here.auth.rotate_keys(&Ctx::system("r"), false).await.unwrap();
    assert_ne!(kid(&old), rotated.kid);
    assert_eq!(published(&here).await, [rotated.kid.clone(), kid(&old)]);
    let between = here.login(PASSWORD).await.unwrap();
    assert_eq!(kid(&between), kid(&old), "nobody else knows the new key yet");

    world.clock.advance(Duration::from_secs(180));
    // The other replica has not looked at the store since, and does so for the unknown key.
    let new = here.login(PASSWORD).await.unwrap();
    assert_eq!(kid(&new), rotated.kid);
    for tokens in [&old, &between, &new] {
        assert!(there.is_alive(tokens).await);
    }
    assert_eq!(kid(&there.login(PASSWORD).await.unwrap()), rotated.kid);
    // When the last token of the old key has expired, the key is retired, also in processes that
    // have run all the time, and before they next look at the store.
    assert_eq!(published(&there).await.len(), 2);
    let knows = async |replica: &Replica| {
        let ring = &replica.auth.shared.ring;
        ring.verifying(&kid(&old), replica.auth.tools()).await.unwrap().is_some()
    };
    world.clock.advance(Duration::from_secs(15 * 60));
    assert!(knows(&there).await && knows(&here).await);
    world.clock.advance(Duration::from_secs(60));
    for replica in [&here, &there, &keeper(&world)] {
        assert!(!knows(replica).await);
        assert_eq!(published(replica).await, std::slice::from_ref(&rotated.kid));
        assert!(!knows(replica).await);
    }
    here.auth.refresh(&anonymous_ctx("192.0.2.1"), &old.refresh_token).await.unwrap();
}

#[tokio::test]
async fn a_key_that_never_signed_gives_way_and_retired_ones_lose_their_private_half() {
    let (world, here, first) = keeper_signed_in().await;
    let system = Ctx::system("r");
    let second = here.auth.rotate_keys(&system, false).await.unwrap();
    let third = here.auth.rotate_keys(&system, false).await.unwrap();
    assert_eq!(published(&here).await, [third.kid.clone(), kid(&first)]);
    assert_ne!(second.kid, third.kid);
    world.clock.advance(Duration::from_secs(180));
    here.auth.rotate_keys(&system, false).await.unwrap();
    let document = world.ports.store.get(&Key::new("sys.keys", "ring")).await.unwrap().unwrap();
    let ring: Value = serde_json::from_slice(&document.body).unwrap();
    let sealed: Vec<_> =
        ring["keys"].as_array().unwrap().iter().map(|k| k["sealed"].is_string()).collect();
    assert_eq!(sealed, [false, true, true]);
    assert!(here.is_alive(&first).await);
}

#[tokio::test]
async fn a_key_in_wrong_hands_is_refused() {
    let (world, here, old) = keeper_signed_in().await;
    let there = keeper(&world);
    assert!(there.is_alive(&old).await);
    let rotated = here.auth.rotate_keys(&Ctx::system("r"), true).await.unwrap();
    assert_eq!(rotated.old_accepted_until, None);
    assert!(!here.is_alive(&old).await, "though it was verified before");
    let new = here.auth.refresh(&anonymous_ctx("192.0.2.1"), &old.refresh_token).await.unwrap();
    assert!(there.is_alive(&new).await);
    assert!(!there.is_alive(&old).await);
}

/// A world whose access tokens live for a day.
async fn patient() -> (World, Replica) {
    let world = World::new();
    let life = Duration::from_secs(86_400);
    let replica = replica_with(&world, AuthSettings { access_token_life: life, ..stored_keys() });
    replica.register(EMAIL).await;
    (world, replica)
}

#[tokio::test]
async fn only_administrators_rotate_and_not_without_end() {
    let (world, replica) = patient().await;
    let tokens = replica.login(PASSWORD).await.unwrap();
    let ctx = replica.ctx(&tokens).await;
    assert_eq!(replica.auth.rotate_keys(&ctx, false).await.unwrap_err().code(), "forbidden");
    let system = Ctx::system("r");
    let mut rotations = 0;
    let error = loop {
        match replica.auth.rotate_keys(&system, false).await {
            Ok(_) => rotations += 1,
            Err(error) => break error,
        }
        assert!(rotations < 100);
        world.clock.advance(Duration::from_secs(180));
    };
    assert_eq!(error.code(), "too_many_keys");
    assert!(replica.login(PASSWORD).await.is_ok());
}

fn provided(pems: &[&String]) -> AuthSettings {
    let pems = pems.iter().map(|pem| secret(pem)).collect();
    AuthSettings { signing: Signing::Provided(pems), ..stored_keys() }
}

#[tokio::test]
async fn keys_can_be_given_and_replaced_by_configuration() {
    let world = World::new();
    let first = pem("PRIVATE KEY", &rsa_pkcs8());
    // The key of PKCS#1 stands at the end of that of PKCS#8, after 26 bytes of envelope.
    let second = pem("RSA PRIVATE KEY", &rsa_pkcs8()[26..]);
    let before = replica_with(&world, provided(&[&first]));
    before.register(EMAIL).await;
    let old = before.login(PASSWORD).await.unwrap();
    let after = replica_with(&world, provided(&[&second, &first]));
    assert!(after.is_alive(&old).await);
    let new = after.login(PASSWORD).await.unwrap();
    assert_ne!(kid(&new), kid(&old));
    assert_eq!(published(&after).await, [kid(&new), kid(&old)]);
    assert!(!before.is_alive(&new).await);
    let stored = world.ports.store.get(&Key::new("sys.keys", "ring")).await.unwrap();
    assert!(stored.is_none(), "nothing is stored");
    let error = after.auth.rotate_keys(&Ctx::system("r"), false).await.unwrap_err();
    assert_eq!(error.code(), "keys_provided");
}

#[test]
fn bad_settings_are_refused_and_named() {
    let world = World::new();
    let fault = |settings: AuthSettings| {
        let ports = &world.ports;
        let error = Shared::new(settings, ports.clock.clone(), &ports.random).unwrap_err();
        assert!(!format!("{error:?} {error}").contains("PRIVATE"));
        error.fields()[0].message.clone()
    };
    let short = AuthSettings { master_secret: secret("short"), ..stored_keys() };
    assert!(fault(short).contains("32 bytes"));
    assert!(fault(provided(&[])).contains("at least one"));
    let cut = "-----BEGIN PRIVATE KEY-----".to_owned();
    assert!(fault(provided(&[&cut])).contains("PEM"));
    let curve = &ECDSA_P256_SHA256_FIXED_SIGNING;
    let curve = EcdsaKeyPair::generate_pkcs8(curve, &aws_lc_rs::rand::SystemRandom::new());
    let curve = pem("PRIVATE KEY", curve.unwrap().as_ref());
    assert!(fault(provided(&[&curve])).contains("must be RSA"));
    let mut lanes = stored_keys();
    lanes.hashing.lanes = 16;
    assert!(fault(lanes).contains("lane"));
}

#[tokio::test]
async fn larger_keys_work() {
    let world = World::new();
    let replica = replica_with(&world, AuthSettings { rsa_bits: RsaBits::R3072, ..stored_keys() });
    replica.register(EMAIL).await;
    let tokens = replica.login(PASSWORD).await.unwrap();
    assert!(keeper(&world).is_alive(&tokens).await);
}

#[tokio::test]
async fn the_issuer_is_described() {
    let world = World::new();
    let document = keeper(&world).auth.openid_configuration();
    assert_eq!(document["issuer"], "https://api.example.com");
    assert_eq!(document["jwks_uri"], "https://api.example.com/.well-known/jwks.json");
}
