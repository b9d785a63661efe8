//! Tests of records on embedded adapters, with a clock that moves when told to.

mod batches;
mod lists;
mod single;
mod transfer;
mod triggers;
mod upkeep;

use std::sync::Arc;
use std::time::Duration;

use outrigger_kernel::{Actor, Ctx, ManualClock, Role};
use serde_json::{Value, json};

use super::{CollectionInput, Records, Settings};
use crate::audit::Audit;
use crate::audit::testing::World;
use crate::notifications::jobs::{SendEmail, SendRequest};
use crate::tasks::{any, testing};

/// A service on its own store, and the clock that it follows.
pub(super) struct Bench {
    pub(super) records: Records,
    pub(super) clock: Arc<ManualClock>,
}

impl Bench {
    pub(super) fn new() -> Self {
        let World { ports, clock } = World::new();
        let audit = Audit::new(&ports);
        let tasks = testing::tasks_of(
            &ports,
            audit.clone(),
            vec![any::<SendEmail>(), any::<SendRequest>()],
        );
        let settings = Settings { settle: Duration::from_secs(3) };
        let records = Records::new(&ports, audit, tasks, Arc::default(), settings);
        Self { records, clock }
    }

    pub(super) async fn define(&self, name: &str, definition: Value) {
        let input: CollectionInput = serde_json::from_value(definition).unwrap();
        self.records.put_collection(&admin(), name, input).await.unwrap();
        self.clock.advance(Duration::from_secs(1));
    }

    pub(super) async fn put(&self, collection: &str, id: &str, data: Value) {
        let body = data.to_string();
        let expected = super::Preconditions::default();
        self.records.replace(&admin(), collection, id, body.as_bytes(), &expected).await.unwrap();
    }

    pub(super) async fn data(&self, collection: &str, id: &str) -> Value {
        let found = self.records.read(&admin(), collection, id).await.unwrap();
        serde_json::from_slice::<Value>(&found.json).unwrap()["data"].clone()
    }
}

pub(super) fn admin() -> Ctx {
    Ctx::system("test")
}

pub(super) fn user(id: &str) -> Ctx {
    with_role(id, "user")
}

pub(super) fn with_role(id: &str, role: &str) -> Ctx {
    let actor = Actor::User { id: id.into(), role: Role::new(role), session: "ses_1".into() };
    Ctx { actor, ..Ctx::system("test") }
}

pub(super) fn nobody() -> Ctx {
    Ctx { actor: Actor::Anonymous, ..Ctx::system("test") }
}

pub(super) fn open_rules() -> Value {
    json!({"list": "public", "read": "public", "create": "public", "update": "public", "delete": "public"})
}
