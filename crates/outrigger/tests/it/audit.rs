//! The audit log, as administrators read it.

use serde_json::json;

use crate::support::{Server, on_each_backend};

on_each_backend!(who_did_what_can_be_read);

fn who_did_what_can_be_read(server: &Server) {
    let admin = server.admin();
    let (_, login) = server.new_login();
    let id = login["user"]["id"].as_str().unwrap();
    admin.patch(&format!("/api/v1/users/{id}"), &json!({"role": "editor"})).expect(200);
    let log = admin.get("/api/v1/audit?limit=100").expect(200).json();
    let entries = log["items"].as_array().unwrap();
    let changed =
        entries.iter().find(|it| it["action"] == "accounts.user_changed" && it["target"] == id);
    let changed = changed.unwrap_or_else(|| panic!("{log}"));
    assert_eq!(changed["details"]["role"], "editor");
    assert!(changed["actor"].as_str().unwrap().starts_with("usr_"), "{changed}");
    assert_eq!(changed["address"], "127.0.0.1");
    let times: Vec<&str> = entries.iter().filter_map(|it| it["time"].as_str()).collect();
    assert!(times.is_sorted_by(|a, b| a[..19] >= b[..19]), "the latest first: {times:?}");

    let first = admin.get("/api/v1/audit?limit=1").expect(200).json();
    let cursor = first["next_cursor"].as_str().expect("there is more");
    admin.get(&format!("/api/v1/audit?limit=1&cursor={cursor}")).expect(200);
    server.user().get("/api/v1/audit").expect(403);
    server.api().get("/api/v1/audit").expect(401);
}
