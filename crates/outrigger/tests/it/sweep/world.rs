//! A server with somebody of each kind, a collection of each rule, and a right call of each
//! operation.

use outrigger_testkit::TempDir;
use serde_json::{Value, json};

use super::{Call, Operation};
use crate::support::{Answer, Api, Backend, Server, ServerOptions, SigningKey, open_token, unique};

/// The rules of the collections; each has the name of its rule behind `r-`.
pub(super) const RULES: [&str; 5] = ["public", "user", "owner", "role:editor", "admin"];

/// The collection with this rule for everything.
pub(super) fn collection_of(rule: &str) -> String {
    format!("r-{}", rule.replace(':', "-"))
}

/// Somebody who has signed in.
#[derive(Clone, Debug)]
pub(super) struct Person {
    pub(super) email: String,
    pub(super) id: String,
    pub(super) session: String,
    pub(super) token: String,
}

/// See the module.
pub(super) struct World {
    pub(super) server: Server,
    /// Signs the server's tokens.
    pub(super) key: SigningKey,
    /// The header of the server's own tokens.
    pub(super) header: Value,
    pub(super) admin: Api,
    pub(super) owner: Person,
    pub(super) other: Person,
    pub(super) editor: Person,
    pub(super) operations: Vec<Operation>,
    _keys: TempDir,
}

impl World {
    pub(super) fn start(backend: Backend) -> Self {
        let (keys, key) = (TempDir::new("keys").unwrap(), SigningKey::generate());
        key.write(&keys.join("key.pem"));
        let reference = format!("file://{}", keys.join("key.pem").display());
        // A slow machine takes long for all operations; each asks with the tokens of the beginning.
        let options = ServerOptions::on(backend)
            .set("OUTRIGGER__AUTH__SIGNING_KEYS", &reference)
            .set("OUTRIGGER__AUTH__ACCESS_TOKEN_S", "86400");
        let server = Server::start(&options);
        let admin = server.admin();
        let [owner, other, editor] = [(); 3].map(|()| Person::new(&server));
        let path = format!("/api/v1/users/{}", editor.id);
        admin.patch(&path, &json!({"role": "editor"})).expect(200);
        let document = server.api().get("/openapi.json").expect(200).json();
        let world = Self {
            header: open_token(&owner.token).0,
            operations: Operation::all(&document),
            server,
            key,
            admin,
            owner,
            other,
            editor,
            _keys: keys,
        };
        for rule in RULES {
            let rules =
                json!({"list": rule, "read": rule, "create": rule, "update": rule, "delete": rule});
            let path = format!("/api/v1/collections/{}", collection_of(rule));
            world.admin.put(&path, &json!({"rules": rules, "indexes": ["n"]})).expect(201);
            world.restore(rule);
        }
        world
    }

    pub(super) fn api_of(&self, person: &Person) -> Api {
        self.server.api().with_token(&person.token)
    }

    /// Puts the record `one` of the collection with this rule as it was first.
    pub(super) fn restore(&self, rule: &str) {
        let path = format!("/api/v1/records/{}/one", collection_of(rule));
        self.admin.delete(&path);
        let maker = if rule == "owner" { self.api_of(&self.owner) } else { self.admin.clone() };
        maker.put(&path, &json!({"n": 1})).expect(201);
    }

    /// Everything that a request without rights must not change: the people of this world, its
    /// collections, their records, and a session.
    pub(super) fn snapshot(&self) -> Vec<Answer> {
        let people = [&self.owner, &self.other, &self.editor];
        let mut paths: Vec<String> = people.map(|p| format!("/api/v1/users/{}", p.id)).to_vec();
        for rule in RULES {
            let name = collection_of(rule);
            paths.push(format!("/api/v1/collections/{name}"));
            paths.push(format!("/api/v1/records/{name}?limit=100"));
        }
        let mut state: Vec<Answer> =
            paths.iter().map(|path| self.admin.get(path).expect(200)).collect();
        state.push(self.api_of(&self.owner).get("/api/v1/auth/sessions").expect(200));
        state
    }

    /// Fails when something is not as it was.
    #[track_caller]
    pub(super) fn assert_unchanged(&self, before: &[Answer], by: &str) {
        for (before, after) in before.iter().zip(self.snapshot()) {
            assert_eq!(before.text, after.text, "{by} has changed something");
        }
    }

    /// A right call of the operation, on the collection with this rule where there is one. What is
    /// not to be used up is made for this call.
    pub(super) fn call(&self, operation: &Operation, rule: &str) -> Call {
        let id = &operation.id;
        let (parameters, body) = self
            .accounts(id)
            .or_else(|| self.records(id, rule))
            .or_else(|| self.files(id))
            .or_else(|| self.work(id))
            .or_else(|| self.notifications(id))
            .or_else(|| analytics(id))
            .unwrap_or_else(|| panic!("the sweep does not know {id}: add a right call of it"));
        let mut path = operation.path.clone();
        for (name, value) in parameters {
            path = path.replace(&format!("{{{name}}}"), &value);
        }
        assert!(!path.contains('{'), "{path}: a parameter is missing");
        if id == "analytics.query" {
            path += "?event=swept";
        }
        let body = operation.body.as_ref().map(|(media_type, _)| {
            let form = format!("username={}&password={}", self.other.email, Server::password());
            match media_type.as_str() {
                "application/x-www-form-urlencoded" => (media_type.clone(), form),
                "multipart/form-data" => (format!("{media_type}; boundary=swept"), FILE.to_owned()),
                _ => (media_type.clone(), body.to_string()),
            }
        });
        Call { method: operation.method.clone(), path, body }
    }
}

fn analytics(operation: &str) -> Option<Input> {
    match operation {
        "analytics.ingest" => {
            let event = json!({"id": unique("swept-"), "name": "swept", "properties": {"n": 1}});
            Some((vec![], json!({"events": [event]})))
        }
        "analytics.list" | "analytics.query" => Some((vec![], Value::Null)),
        _ => None,
    }
}

/// A form with a file.
const FILE: &str = "--swept\r\nContent-Disposition: form-data; name=\"file\"; \
     filename=\"a.txt\"\r\n\r\nwords\r\n--swept--\r\n";

/// The parameters of a path, and the body; null where there is none.
type Input = (Vec<(&'static str, String)>, Value);

impl World {
    fn accounts(&self, operation: &str) -> Option<Input> {
        let fresh = || Person::new(&self.server).id;
        let login = json!({"email": self.other.email, "password": Server::password()});
        let input = match operation {
            "auth.register" => {
                let email = format!("{}@example.com", unique("swept-"));
                (vec![], json!({"email": email, "password": Server::password()}))
            }
            "auth.login" | "auth.token" => (vec![], login),
            "auth.forgot_password" | "auth.resend_verification" => {
                (vec![], json!({"email": format!("{}@example.org", unique("swept-"))}))
            }
            "auth.verify_email" => (vec![], json!({"token": "not-a-token"})),
            "auth.reset_password" => {
                (vec![], json!({"token": "not-a-token", "new_password": "a-new-course-for-home"}))
            }
            "auth.refresh" => (vec![], json!({"refresh_token": "not-a-refresh-token"})),
            "auth.change_password" => (
                vec![],
                json!({"current_password": Server::password(), "new_password": "a-new-course-for-home"}),
            ),
            "auth.logout"
            | "auth.list_sessions"
            | "auth.revoke_sessions"
            | "users.get_me"
            | "users.delete_me"
            | "users.list" => (vec![], Value::Null),
            "auth.revoke_session" => (vec![("id", self.owner.session.clone())], Value::Null),
            "users.update_me" => (vec![], json!({"name": "Somebody"})),
            "users.get" | "users.list_sessions" => {
                (vec![("id", self.owner.id.clone())], Value::Null)
            }
            "users.revoke_session" => {
                let Person { id, session, .. } = Person::new(&self.server);
                (vec![("id", id), ("session", session)], Value::Null)
            }
            "users.delete" | "users.revoke_sessions" => (vec![("id", fresh())], Value::Null),
            "users.update" => (vec![("id", fresh())], json!({"name": "Somebody"})),
            _ => return None,
        };
        Some(input)
    }

    fn records(&self, operation: &str, rule: &str) -> Option<Input> {
        let collection = collection_of(rule);
        let in_collection = || vec![("collection", collection.clone())];
        let record = || vec![("collection", collection.clone()), ("id", "one".to_owned())];
        let input = match operation {
            "collections.list" => (vec![], Value::Null),
            "collections.put" => (
                vec![("name", unique("swept-"))],
                json!({"indexes": ["n"], "unique": [], "cache_ttl_s": 1, "rules": {"list": "user"}}),
            ),
            "collections.get" => (vec![("name", collection)], Value::Null),
            "collections.delete" => {
                (vec![("name", self.server.collection(&json!({})))], Value::Null)
            }
            "records.create" => (in_collection(), json!({"n": 2})),
            "records.list" => (in_collection(), Value::Null),
            "records.read" | "records.delete" => (record(), Value::Null),
            "records.replace" | "records.patch" => (record(), json!({"n": 3})),
            "records.batch" => {
                let put =
                    json!({"op": "put", "collection": collection, "id": "one", "data": {"n": 4}});
                (vec![], json!({"operations": [put]}))
            }
            _ => return None,
        };
        Some(input)
    }

    fn files(&self, operation: &str) -> Option<Input> {
        let input = match operation {
            "files.create" | "files.list" => (vec![], Value::Null),
            "files.sign_upload" => (vec![], json!({"size": 5})),
            "files.get" | "files.content" | "files.delete" => {
                let body = Some(("multipart/form-data; boundary=swept", FILE.to_owned()));
                let made = self.admin.send("POST", "/api/v1/files?read=user", body).expect(201);
                let id = made.json()["id"].as_str().expect("an id").to_owned();
                (vec![("id", id)], Value::Null)
            }
            // Kept in a folder: there is none.
            "files.complete_upload" => (vec![("id", "fil_none".to_owned())], Value::Null),
            _ => return None,
        };
        Some(input)
    }

    fn work(&self, operation: &str) -> Option<Input> {
        let queue = || vec![("queue", "swept".to_owned())];
        let input = match operation {
            "tasks.list" | "queues.list" | "schedules.list" | "audit.list" | "replicas.list"
            | "replicas.overview" | "system.settings" | "system.doctor" => (vec![], Value::Null),
            "tasks.create" => (vec![], json!({"kind": "noop", "payload": {}, "delay_s": 3_600})),
            "tasks.get" | "tasks.cancel" | "tasks.events" | "tasks.retry" => {
                (vec![("id", self.task(operation))], Value::Null)
            }
            "tasks.retry_many" => {
                self.task(operation);
                (vec![], json!({"status": "cancelled", "kind": "noop", "limit": 1}))
            }
            "tasks.heartbeat" | "tasks.complete" => self.leased(json!({})),
            "tasks.fail" => self.leased(json!({"message": "no"})),
            "queues.pause" | "queues.resume" => (queue(), Value::Null),
            "queues.lease" => (queue(), json!({"kinds": ["noop"]})),
            "schedules.put" => (vec![("name", unique("swept-"))], schedule()),
            "schedules.get" | "schedules.delete" | "schedules.run" => {
                let name = unique("swept-");
                self.admin.put(&format!("/api/v1/schedules/{name}"), &schedule()).expect(201);
                (vec![("name", name)], Value::Null)
            }
            _ => return None,
        };
        Some(input)
    }

    fn notifications(&self, operation: &str) -> Option<Input> {
        let new = |user: &str| {
            let words = json!({"title": "Hello", "text": "There is news."});
            json!({"user_id": user, "category": "news", "variables": words})
        };
        let input = match operation {
            "notifications.create" => (vec![], new(&self.owner.id)),
            "notifications.list"
            | "notifications.get_preferences"
            | "notifications.list_messages" => (vec![], Value::Null),
            "notifications.preview" => (vec![], json!({"message": "notice", "locale": "id"})),
            "notifications.put_preferences" => {
                (vec![], json!({"categories": {"news": {"email": false}}}))
            }
            "notifications.update" => {
                let told = self.admin.post("/api/v1/notifications", &new(&self.owner.id));
                let id = told.expect(202).json()["id"].as_str().expect("an id").to_owned();
                (vec![("id", id)], json!({"read": true}))
            }
            _ => return None,
        };
        Some(input)
    }

    /// A task that the operation can be done to.
    fn task(&self, operation: &str) -> String {
        let body = json!({"kind": "noop", "payload": {}, "delay_s": 3_600});
        let task = self.admin.post("/api/v1/tasks", &body).expect(202).json();
        let id = task["id"].as_str().expect("an id").to_owned();
        if operation != "tasks.get" {
            self.admin.post(&format!("/api/v1/tasks/{id}/cancel"), &json!({})).expect(200);
        }
        id
    }

    /// A task that is leased, and a body with the token of the lease.
    fn leased(&self, mut body: Value) -> Input {
        let queue = unique("swept-");
        let task = json!({"kind": "noop", "payload": {}, "queue": queue});
        self.admin.post("/api/v1/tasks", &task).expect(202);
        let lease = json!({"kinds": ["noop"], "lease_s": 600});
        let leased = self.admin.post(&format!("/api/v1/queues/{queue}/lease"), &lease).expect(200);
        let item = &leased.json()["items"][0];
        body["token"] = item["token"].clone();
        (vec![("id", item["id"].as_str().expect("an id").to_owned())], body)
    }
}

/// A schedule that does not tick while the test runs.
fn schedule() -> Value {
    json!({"cron": "0 0 29 2 *", "task": {"kind": "noop", "payload": {}}})
}

impl Person {
    pub(super) fn new(server: &Server) -> Self {
        let (email, login) = server.new_login();
        let text = |value: &Value| value.as_str().expect("a text").to_owned();
        Self {
            email,
            id: text(&login["user"]["id"]),
            session: text(&login["session_id"]),
            token: text(&login["access_token"]),
        }
    }
}
