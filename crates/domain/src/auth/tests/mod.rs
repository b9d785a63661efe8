//! What the tests of this module stand on: replicas that share a store, a cache and a limiter.

mod access;
mod account_mails;
mod administrators;
mod keys;
mod login;
mod refresh;
mod throttle;

use std::sync::{Arc, LazyLock};
use std::time::Duration;

use aws_lc_rs::encoding::{AsDer, Pkcs8V1Der};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use outrigger_kernel::{Actor, Ctx, Result, Secret};

use super::jobs::SendAccountMail;
use super::settings::HashSettings;
use super::{Auth, AuthSettings, Credentials, Shared, Signing, TokenAnswer};
use crate::accounts::{Accounts, NewUser, UserView};
use crate::audit::Audit;
use crate::audit::testing::{World, anonymous_ctx};
use crate::notifications::jobs::SendNotification;
use crate::tasks::{Kinds, Sealer, Tasks, any};

const EMAIL: &str = "ann@example.com";
const PASSWORD: &str = "plum-gravel-77-otter";

fn secret(text: &str) -> Secret {
    Secret::from(text.to_owned())
}

/// Settings with cheap hashes, and one signing key for all tests that are not about keys: making
/// one takes longer than all else.
fn settings() -> AuthSettings {
    static KEY: LazyLock<String> = LazyLock::new(|| pem("PRIVATE KEY", &rsa_pkcs8()));
    AuthSettings { signing: Signing::Provided(vec![secret(&KEY)]), ..stored_keys() }
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

/// Settings with cheap hashes, and keys as they are made at the first start.
fn stored_keys() -> AuthSettings {
    let mut settings =
        AuthSettings::new("https://api.example.com/", secret("0123456789abcdef0123456789abcdef"));
    settings.hashing = HashSettings {
        memory_kib: 16,
        iterations: 1,
        threads: 2,
        waiting_max: 1_000,
        ..HashSettings::default()
    };
    settings
}

/// One process over the world.
#[derive(Debug)]
struct Replica {
    auth: Auth,
    accounts: Accounts,
}

fn replica_with(world: &World, settings: AuthSettings) -> Replica {
    let ports = &world.ports;
    let shared = Shared::new(settings, ports.clock.clone(), &ports.random).unwrap();
    replica_of(world, shared)
}

fn replica_of(world: &World, shared: Arc<Shared>) -> Replica {
    let audit = Audit::new(&world.ports);
    let accounts = Accounts::new(&world.ports, audit.clone());
    let jobs = [any::<SendAccountMail>(), any::<SendNotification>()];
    let kinds = Kinds::new(jobs.map(|job| job.kind().unwrap())).unwrap();
    let sealer = Arc::new(Sealer::new(&shared.settings.master_secret, false).unwrap());
    let tasks = Tasks::new(&world.ports, audit.clone(), Arc::new(kinds), sealer);
    Replica { auth: Auth::new(&world.ports, audit, tasks, accounts.clone(), shared), accounts }
}

fn replica(world: &World) -> Replica {
    replica_with(world, settings())
}

impl Replica {
    /// Registers from an address of its own.
    async fn register(&self, email: &str) -> UserView {
        let new = NewUser { email: email.to_owned(), ..NewUser::default() };
        let address = format!("2001:db8:{:x}::1", email.len());
        self.auth.register(&anonymous_ctx(&address), new, secret(PASSWORD), None).await.unwrap()
    }

    async fn login(&self, password: &str) -> Result<TokenAnswer> {
        self.login_from(&anonymous_ctx("192.0.2.1"), EMAIL, password).await
    }

    async fn login_from(&self, ctx: &Ctx, email: &str, password: &str) -> Result<TokenAnswer> {
        let credentials = Credentials {
            email: email.to_owned(),
            password: secret(password),
            user_agent: Some("test/1".to_owned()),
        };
        self.auth.login(ctx, credentials).await
    }

    /// The context of a request with this token.
    async fn ctx(&self, tokens: &TokenAnswer) -> Ctx {
        let actor = self.auth.authenticate(&tokens.access_token).await.unwrap();
        Ctx { actor, ..anonymous_ctx("192.0.2.1") }
    }

    async fn is_alive(&self, tokens: &TokenAnswer) -> bool {
        match self.auth.authenticate(&tokens.access_token).await {
            Ok(actor) => {
                assert!(matches!(actor, Actor::User { .. }));
                true
            }
            Err(error) => {
                assert_eq!(error.code(), "unauthenticated");
                false
            }
        }
    }
}

/// An hour passes: what was throttled is forgotten.
fn an_hour_passes(world: &World) {
    world.clock.advance(Duration::from_secs(3_601));
}

/// A world with one replica and one user who has signed in.
async fn signed_in() -> (World, Replica, TokenAnswer) {
    let world = World::new();
    let replica = replica(&world);
    replica.register(EMAIL).await;
    let tokens = replica.login(PASSWORD).await.unwrap();
    (world, replica, tokens)
}
