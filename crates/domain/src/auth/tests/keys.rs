//! Signing keys: made once, kept encrypted, rotated without anybody's noticing.

use aws_lc_rs::encoding::{AsDer, Pkcs8V1Der};
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use outrigger_kernel::{Ctx, ErrorKind};
use outrigger_ports::store::Key;
use serde_json::Value;

use super::super::{RsaBits, Signing};
use super::*;

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
    let replicas: Vec<_> = (0..4).map(|_| replica(&world)).collect();
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
    let (world, replica, _) = signed_in().await;
    let document = world.ports.store.get(&Key::new("sys.keys", "ring")).await.unwrap().unwrap();
    let ring: Value = serde_json::from_slice(&document.body).unwrap();
    let key = &ring["keys"][0];
    let sealed = key["sealed"].as_str().unwrap();
    let opened = replica.auth.shared.vault.open(key["kid"].as_str().unwrap(), sealed).unwrap();
    assert_eq!(opened[0], 0x30, "a DER sequence");
    let body = String::from_utf8_lossy(&document.body);
    assert!(!body.contains("PRIVATE") && !body.contains("\"d\""));

    let other = AuthSettings { master_secret: secret(&"x".repeat(32)), ..settings() };
    let error = replica_with(&world, other).auth.prepare_keys().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Internal);
    assert!(format!("{error:?}").contains("another secret"));
}

#[tokio::test]
async fn a_rotation_logs_nobody_out_and_other_replicas_follow_at_once() {
    let (world, here, old) = signed_in().await;
    let there = replica(&world);
    assert!(there.is_alive(&old).await);
    world.clock.advance(Duration::from_secs(10));
    let rotated = here.auth.rotate_keys(&Ctx::system("r"), false).await.unwrap();
    assert!(rotated.accepted_until.is_some());
    let new = here.login(PASSWORD).await.unwrap();
    assert_eq!(kid(&new), rotated.kid);
    assert_ne!(kid(&old), rotated.kid);
    // The other replica has not looked at the store since, and does so now.
    assert!(there.is_alive(&new).await);
    assert!(there.is_alive(&old).await);
    assert_eq!(published(&here).await, [kid(&new), kid(&old)]);
    // It signs with the new key once its picture is too old.
    world.clock.advance(Duration::from_secs(61));
    assert_eq!(kid(&there.login(PASSWORD).await.unwrap()), rotated.kid);
    // When the last token of the old key has expired, the key is no longer published.
    world.clock.advance(Duration::from_secs(15 * 60 + 120));
    let fresh = replica(&world);
    assert_eq!(published(&fresh).await, std::slice::from_ref(&rotated.kid));
    here.auth.refresh(&anonymous_ctx("192.0.2.1"), &old.refresh_token).await.unwrap();
}

#[tokio::test]
async fn a_key_in_wrong_hands_is_refused() {
    let (world, here, old) = signed_in().await;
    let there = replica(&world);
    assert!(there.is_alive(&old).await);
    let rotated = here.auth.rotate_keys(&Ctx::system("r"), true).await.unwrap();
    assert_eq!(rotated.accepted_until, None);
    assert!(!here.is_alive(&old).await, "though it was verified before");
    let new = here.auth.refresh(&anonymous_ctx("192.0.2.1"), &old.refresh_token).await.unwrap();
    assert!(there.is_alive(&new).await);
    assert!(!there.is_alive(&old).await);
}

#[tokio::test]
async fn only_administrators_rotate_and_not_without_end() {
    let (_world, replica, tokens) = signed_in().await;
    let ctx = replica.ctx(&tokens).await;
    assert_eq!(replica.auth.rotate_keys(&ctx, false).await.unwrap_err().code(), "forbidden");
    let system = Ctx::system("r");
    for _ in 1..16 {
        replica.auth.rotate_keys(&system, false).await.unwrap();
    }
    let error = replica.auth.rotate_keys(&system, false).await.unwrap_err();
    assert_eq!(error.code(), "too_many_keys");
    assert!(replica.is_alive(&tokens).await);
}

fn pem(label: &str, der: &[u8]) -> String {
    let text = STANDARD.encode(der);
    format!("-----BEGIN {label}-----\n{text}\n-----END {label}-----\n")
}

/// A new RSA key in PKCS#8.
fn rsa_pkcs8() -> Vec<u8> {
    let pair = aws_lc_rs::rsa::KeyPair::generate(aws_lc_rs::rsa::KeySize::Rsa2048).unwrap();
    let der: Pkcs8V1Der<'_> = pair.as_der().unwrap();
    der.as_ref().to_vec()
}

fn provided(pems: &[&String]) -> AuthSettings {
    let pems = pems.iter().map(|pem| secret(pem)).collect();
    AuthSettings { signing: Signing::Provided(pems), ..settings() }
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
    let short = AuthSettings { master_secret: secret("short"), ..settings() };
    assert!(fault(short).contains("32 bytes"));
    assert!(fault(provided(&[])).contains("at least one"));
    let cut = "-----BEGIN PRIVATE KEY-----".to_owned();
    assert!(fault(provided(&[&cut])).contains("PEM"));
    let curve = &ECDSA_P256_SHA256_FIXED_SIGNING;
    let curve = EcdsaKeyPair::generate_pkcs8(curve, &aws_lc_rs::rand::SystemRandom::new());
    let curve = pem("PRIVATE KEY", curve.unwrap().as_ref());
    assert!(fault(provided(&[&curve])).contains("must be RSA"));
    let mut lanes = settings();
    lanes.hashing.lanes = 16;
    assert!(fault(lanes).contains("lane"));
}

#[tokio::test]
async fn larger_keys_work() {
    let world = World::new();
    let replica = replica_with(&world, AuthSettings { rsa_bits: RsaBits::R3072, ..settings() });
    replica.register(EMAIL).await;
    let tokens = replica.login(PASSWORD).await.unwrap();
    assert!(super::replica(&world).is_alive(&tokens).await);
}

#[tokio::test]
async fn the_issuer_is_described() {
    let world = World::new();
    let document = replica(&world).auth.openid_configuration();
    assert_eq!(document["issuer"], "https://api.example.com");
    assert_eq!(document["jwks_uri"], "https://api.example.com/.well-known/jwks.json");
}
