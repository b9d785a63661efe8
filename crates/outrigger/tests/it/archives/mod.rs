//! Everything from one database to another with `export` and `import`, and back from a backup.

#[cfg(feature = "s3")]
mod buckets;
mod terminal;

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use outrigger_archive::line::Header;
use outrigger_archive::{Exporting, Place};
use outrigger_embedded::MemoryStore;
use outrigger_kernel::{SystemClock, Timestamp};
use outrigger_ports::store::{Batch, Document, Key, Precondition, Store, Write};
use outrigger_testkit::{FaultProxy, Postgres, Process, TempDir, free_port, sized, wait_until};
use serde_json::json;

use crate::support::{Backend, Server, ServerOptions, binary, run};

/// What was written on a laptop is found by a fleet: users sign in with their passwords, tokens go on
/// being good, records keep their versions, unique values stay unique, tasks and audit are there.
#[test]
fn a_server_goes_on_with_what_another_one_has_exported_while_it_served() {
    let old = Server::start(&ServerOptions::on(Backend::Sqlite));
    let (email, login) = old.new_login();
    let rules = json!({"list": "public", "read": "public", "create": "user", "update": "user"});
    let notes = old.collection(&json!({"indexes": ["title"], "unique": ["code"], "rules": rules}));
    let user = old.api().with_token(login["access_token"].as_str().unwrap());
    let record = format!("/api/v1/records/{notes}/a");
    for n in 0..3 {
        user.put(&record, &json!({"title": format!("t{n}"), "code": "c"})).expect(if n == 0 {
            201
        } else {
            200
        });
    }
    let task = json!({"kind": "noop", "payload": {}, "delay_s": 86_400});
    let task = old.admin().post("/api/v1/tasks", &task).expect(202).json();
    let etag = user.get(&record).expect(200).header("etag").to_owned();

    let (done, text) = old.run(&["export", "blob:backups/all.ndjson.gz"]);
    assert!(done && text.contains("documents, SHA-256"), "{text}");
    assert!(old.path().join("data/blobs/backups/all.ndjson.gz.00001").exists());
    let (done, text) = old.run(&["import", "blob:backups/all.ndjson.gz", "--replace"]);
    assert!(!done && text.contains("a process serves this database"), "{text}");
    let (done, archive) = old.run(&["export", "-"]);
    assert!(done && archive.starts_with("{\"outrigger_archive\":1,"), "{archive}");
    assert!(!archive.contains(Server::password()) && !archive.contains("\"sys.leases\",\"id"));
    let archive = archive[..=archive.rfind("}\n").unwrap() + 1].to_owned();

    let mut options = ServerOptions::on(Backend::postgres_and_redis());
    let folder = TempDir::new("archives").unwrap();
    options.folder = Some(folder.path().to_owned());
    let (done, text) = run(&options, folder.path(), &["import", "-"], &archive);
    assert!(done && text.contains("as in the archive") && text.contains("compared"), "{text}");
    let (done, text) = run(&options, folder.path(), &["import", "-"], &archive);
    assert!(!done && text.contains("the database is not empty"), "{text}");
    // Under the address that it had: tokens name it.
    old.terminate();
    options.port = Some(old.port);
    let new = Server::start(&options);
    let found = new.api().login(&email, Server::password()).expect(200).json();
    assert_eq!(found["user"]["id"], login["user"]["id"]);
    // The session itself came along: its token is good here too.
    let user = new.api().with_token(login["access_token"].as_str().unwrap());
    assert_eq!(user.get("/api/v1/users/me").expect(200).json()["email"], email.as_str());
    let there = new.api().get(&record).expect(200);
    assert_eq!((there.header("etag"), &there.json()["data"]["title"]), (&*etag, &json!("t2")));
    let list = new.api().get(&format!("/api/v1/records/{notes}?title=t2")).expect(200).json();
    assert_eq!(list["items"].as_array().unwrap().len(), 1);
    user.put(&format!("/api/v1/records/{notes}/b"), &json!({"title": "x", "code": "c"}))
        .expect(409);
    let conflict = user.with("If-Match", "\"1\"").put(&record, &json!({"title": "y", "code": "c"}));
    conflict.expect(412);
    // With the queue in the database its tasks come along; what runs on Redis does not know them.
    let id = task["id"].as_str().unwrap();
    assert!(archive.contains(id));
    // While this one is alive nothing is brought into its database, whoever is at it from wherever.
    let replace = ["import", "-", "--replace"];
    let (done, text) = run(&options, folder.path(), &replace, &archive);
    assert!(!done && text.contains("uses this database: stop it"), "{text}");
    new.terminate();
    let (done, text) = run(&options, folder.path(), &replace, &archive);
    assert!(done && text.contains("compared"), "{text}");
}

/// An archive of many records in a file.
fn archive(path: &Path, records: usize) {
    let store: Arc<dyn Store> = Arc::new(MemoryStore::new(Arc::new(SystemClock)));
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        for start in (0..records).step_by(20) {
            let writes = (start..records.min(start + 20)).map(|n| {
                let document = Document {
                    key: Key::new("rec.boats", format!("id-{n:06}")),
                    version: 1 + (n % 5) as u64,
                    body: Bytes::from(format!("{{\"n\":{n},\"text\":\"{}\"}}", "wave ".repeat(40))),
                    expires_at: None,
                };
                Write::Restore { document, entries: Vec::new(), precondition: Precondition::Any }
            });
            store.commit(Batch::of(writes)).await.unwrap();
        }
        let header = Header {
            outrigger_archive: 1,
            version: "test".to_owned(),
            source: "memory".to_owned(),
            database: String::new(),
            started_at: Timestamp::from_secs(1_800_000_000),
            left_out: Vec::new(),
        };
        let to = Place::File(path.to_owned());
        let exporting = Exporting::new(&to, header);
        outrigger_archive::export(&mut store.clone(), exporting, &mut |_| {}).await.unwrap();
    });
}

/// Killed in the middle, it is begun again, does the rest, and is the same in the end.
#[test]
fn an_import_that_was_killed_goes_on_where_it_was() {
    let folder = TempDir::new("archives").unwrap();
    let file = folder.join("many.ndjson");
    archive(&file, sized(8_000, 60_000));
    let database = Postgres::shared().unwrap().fresh_database().unwrap();
    let options = ServerOptions::on(Backend::Urls { database: database.clone(), redis: None });
    kill_in_the_middle(&options, folder.path(), database.rsplit('/').next().unwrap());
    let (done, text) = run(&options, folder.path(), &["export", "half.ndjson"], "");
    assert!(!done && text.contains("not come to its end"), "{text}");
    let ports = ["http.port", "http.internal_port"];
    let [public, internal] = ports.map(|name| format!("--set={name}={}", free_port().unwrap()));
    for command in [&["serve", &*public, &*internal][..], &["keys", "rotate"]] {
        let (done, text) = run(&options, folder.path(), command, "");
        assert!(!done && text.contains("not come to its end: begin it again"), "{text}");
    }
    let (done, text) = run(&options, folder.path(), &["import", "many.ndjson"], "");
    assert!(done && !text.contains("; 0 of them were there already"), "{text}");
    let (done, text) = run(&options, folder.path(), &["export", "again.ndjson"], "");
    assert!(done, "{text}");
    assert!(content(&folder.join("again.ndjson")) == content(&file));
}

/// Runs the import into the database of this name, which hangs when a part has been written, and kills it there.
fn kill_in_the_middle(options: &ServerOptions, folder: &Path, database: &str) {
    let postgres = Postgres::shared().unwrap();
    let proxy = FaultProxy::start(postgres.port()).unwrap();
    proxy.freeze_after_bytes(1_000_000);
    let mut command = std::process::Command::new(binary());
    command.current_dir(folder).args(["import", "many.ndjson"]);
    let url = postgres.url_at(proxy.port(), database);
    command.envs(options.environment.clone()).env("DATABASE_URL", url);
    let process = Process::spawn("outrigger", &command, &folder.join("log")).unwrap();
    let patience = Duration::from_secs(120);
    wait_until("a part was written", patience, || proxy.is_frozen()).unwrap();
    process.kill();
    proxy.cut();
    // What has arrived there before may still be written until then.
    let sessions = format!(
        "select count(*) from pg_stat_activity where datname = '{database}' and backend_type = 'client backend'"
    );
    let are_gone = || postgres.psql(&sessions).unwrap() == "0";
    wait_until("the end of its sessions", patience, are_gone).unwrap();
}

/// The archive but for its header.
fn content(path: &Path) -> Vec<u8> {
    let bytes = std::fs::read(path).unwrap();
    bytes[bytes.iter().position(|byte| *byte == b'\n').unwrap()..].to_vec()
}
