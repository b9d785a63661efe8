//! What an administrator changes stands in the audit log, whatever operation it is done with.

use serde_json::{Value, json};

use super::Operation;
use super::world::{Person, World};
use crate::support::{Answer, Backend};

/// Operations that leave no entry.
const SILENT: [&str; 12] = [
    // They change nothing.
    "notifications.preview",
    "system.doctor",
    // What users themselves want to be told, and have read.
    "notifications.put_preferences",
    "notifications.update",
    // A task says itself who has enqueued it; and what workers do with tasks, and what clients count.
    "tasks.create",
    "queues.lease",
    "tasks.heartbeat",
    "tasks.complete",
    "tasks.fail",
    "analytics.ingest",
    // There is nothing to renew, and nothing that was uploaded elsewhere.
    "auth.refresh",
    "files.complete_upload",
];
/// For a folder nothing is signed.
const REFUSED: &str = "files.sign_upload";
/// Operations on what is no document.
const WITHOUT_HASHES: [&str; 7] = [
    "users.revoke_session",
    "users.revoke_sessions",
    "tasks.cancel",
    "tasks.retry",
    "tasks.retry_many",
    "queues.pause",
    "queues.resume",
];

/// The entries of the request that was answered so.
fn entries(world: &World, answer: &Answer) -> Vec<Value> {
    let log = world.admin.get("/api/v1/audit?limit=100").expect(200).json();
    let of_request = |entry: &&Value| entry["request_id"] == answer.header("x-request-id");
    log["items"].as_array().expect("entries").iter().filter(of_request).cloned().collect()
}

fn administrator(world: &World) -> Person {
    let person = Person::new(&world.server);
    let path = format!("/api/v1/users/{}", person.id);
    world.admin.patch(&path, &json!({"role": "admin"})).expect(200);
    person
}

fn leaves_its_entry(world: &World, operation: &Operation) {
    world.restore("admin");
    // Some end the session, or the account.
    let who = administrator(world);
    let mut call = world.call(operation, "admin");
    call.path = call.path.replace(&world.owner.session, &who.session);
    let answer = call.send(&world.api_of(&who));
    operation.check("as an administrator", &answer);
    let (id, found) = (&operation.id, entries(world, &answer));
    if SILENT.contains(&&**id) || id == REFUSED {
        assert!(found.is_empty(), "{id} leaves {found:?}: take it from the list");
        return;
    }
    assert!(!found.is_empty(), "{id} leaves no entry in the audit log: {}", answer.text);
    for entry in &found {
        let actor = if operation.access == "public" { "anonymous" } else { &who.id };
        assert_eq!((&entry["actor"], &entry["address"]), (&json!(actor), &json!("127.0.0.1")));
        let is_refused = entry["outcome"] == "refused";
        assert_eq!(is_refused, answer.status >= 400, "{id}: {entry}");
        let has_hash = entry["before"].is_string() || entry["after"].is_string();
        let is_authentication = id.starts_with("auth.") && id != "auth.register";
        let is_without = is_authentication || WITHOUT_HASHES.contains(&&**id);
        assert_eq!(has_hash, !is_without, "{id}: {entry}");
    }
}

fn of_every_operation(backend: Backend) {
    let world = World::start(backend);
    let changing = world.operations.iter().filter(|operation| operation.method != "GET");
    let mut count = 0;
    for operation in changing {
        leaves_its_entry(&world, operation);
        count += 1;
    }
    assert!(count > 40, "{count}");
    for unique_key in [None, Some("one-export")] {
        let payload = json!({"collection": "none", "format": "csv"});
        let export =
            json!({"kind": "records.export", "payload": payload, "unique_key": unique_key});
        let answer = world.admin.post("/api/v1/tasks", &export).expect(202);
        let found = entries(&world, &answer);
        let told = found.iter().map(|entry| &entry["target"]).collect::<Vec<_>>();
        assert_eq!(told, [&answer.json()["id"]], "{found:?}");
    }
}

#[test]
fn what_an_administrator_changes_is_in_the_log() {
    of_every_operation(Backend::Sqlite);
}

#[test]
fn what_an_administrator_changes_is_in_the_log_on_postgres_and_redis() {
    of_every_operation(Backend::postgres_and_redis());
}
