//! Accounts: one's own, and those that administrators manage.

use std::sync::{Mutex, MutexGuard, PoisonError};

use serde_json::json;

use crate::support::{Server, on_each_backend};

on_each_backend!(
    one_reads_changes_and_deletes_oneself,
    administrators_manage_users,
    a_role_takes_effect_at_the_next_request,
    the_last_administrator_stays,
);

/// Held by a test while there is, or must not be, another administrator on a server that tests share:
/// who is the last one depends on all of them.
pub(crate) fn administrators() -> MutexGuard<'static, ()> {
    static ADMINISTRATORS: Mutex<()> = Mutex::new(());
    ADMINISTRATORS.lock().unwrap_or_else(PoisonError::into_inner)
}

fn one_reads_changes_and_deletes_oneself(server: &Server) {
    let user = server.user();
    let patch =
        json!({"name": "Ana", "time_zone": "Asia/Singapore", "locale": "id", "currency": "IDR"});
    let changed = user.patch("/api/v1/users/me", &patch).expect(200).json();
    assert_eq!(changed["name"], "Ana");
    let cleared = user.patch("/api/v1/users/me", &json!({"name": null})).expect(200).json();
    assert_eq!((&cleared["name"], &cleared["currency"]), (&json!(null), &json!("IDR")));
    let wrong = user.patch("/api/v1/users/me", &json!({"currency": "money"})).expect(422);
    assert_eq!(wrong.places(), ["body.currency"]);
    user.patch("/api/v1/users/me", &json!({"role": "admin"})).expect(422);
    user.delete("/api/v1/users/me").expect(204);
    user.get("/api/v1/users/me").expect(401);
}

fn administrators_manage_users(server: &Server) {
    let admin = server.admin();
    let (email, login) = server.new_login();
    let id = login["user"]["id"].as_str().unwrap();
    let path = format!("/api/v1/users/{id}");
    assert_eq!(admin.get(&path).expect(200).json()["email"], email.as_str());
    let user = server.api().with_token(login["access_token"].as_str().unwrap());
    user.get(&path).expect(403);
    admin.patch(&path, &json!({"disabled": true})).expect(200);
    user.get("/api/v1/users/me").expect(401);
    server.api().login(&email, Server::password()).expect(403);
    admin.patch(&path, &json!({"disabled": false})).expect(200);
    server.api().login(&email, Server::password()).expect(200);
    let mut cursor = String::new();
    let mut found = false;
    loop {
        let page = admin.get(&format!("/api/v1/users?limit=2{cursor}")).expect(200).json();
        found |= page["items"].as_array().unwrap().iter().any(|user| user["id"] == id);
        match page["next_cursor"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => break,
        }
    }
    assert!(found, "the list does not have {id}");
    admin.delete(&path).expect(204);
    admin.get(&path).expect(404);
    server.api().login(&email, Server::password()).expect(401);
}

fn a_role_takes_effect_at_the_next_request(server: &Server) {
    let _alone = administrators();
    let admin = server.admin();
    let (email, login) = server.new_login();
    let path = format!("/api/v1/users/{}", login["user"]["id"].as_str().unwrap());
    let user = server.api().with_token(login["access_token"].as_str().unwrap());
    user.get("/api/v1/users").expect(403);
    admin.patch(&path, &json!({"role": "admin"})).expect(200);
    // Either the session has the new role at once, or it has ended; never the old role.
    let status = user.get("/api/v1/users").status;
    assert!(status == 200 || status == 401, "{status}");
    let promoted = server.api().login(&email, Server::password()).expect(200).json();
    let promoted = server.api().with_token(promoted["access_token"].as_str().unwrap());
    promoted.get("/api/v1/users").expect(200);
    admin.patch(&path, &json!({"role": "user"})).expect(200);
    let status = promoted.get("/api/v1/users").status;
    assert!(status == 403 || status == 401, "{status}");
}

fn the_last_administrator_stays(server: &Server) {
    let _alone = administrators();
    let admin = server.admin();
    let id = admin.get("/api/v1/users/me").expect(200).json()["id"].as_str().unwrap().to_owned();
    let path = format!("/api/v1/users/{id}");
    for body in [json!({"role": "user"}), json!({"disabled": true})] {
        let refused = admin.patch(&path, &body);
        assert_eq!(refused.status, 409, "{}", refused.text);
    }
    assert_eq!(admin.delete(&path).status, 409);
    admin.get("/api/v1/users/me").expect(200);
}
