//! The audit log, as administrators read it.

use serde_json::{Value, json};

use crate::account_mails::{mails, token};
use crate::support::{Answer, Api, Server, on_each_backend};

on_each_backend!(who_did_what_can_be_read, every_authentication_event_is_in_the_log);

/// The latest entry of which this is true. Others write into the log of a shared server too, so it may stand
/// on any page by now.
pub(crate) fn entry(admin: &Api, is_it: impl Fn(&Value) -> bool) -> Option<Value> {
    let mut path = "/api/v1/audit?limit=100".to_owned();
    loop {
        let page = admin.get(&path).expect(200).json();
        let found = page["items"].as_array().expect("entries").iter().find(|entry| is_it(entry));
        if found.is_some() {
            return found.cloned();
        }
        path = format!("/api/v1/audit?limit=100&cursor={}", page["next_cursor"].as_str()?);
    }
}

fn who_did_what_can_be_read(server: &Server) {
    let admin = server.admin();
    let (_, login) = server.new_login();
    let id = login["user"]["id"].as_str().unwrap();
    admin.patch(&format!("/api/v1/users/{id}"), &json!({"role": "editor"})).expect(200);
    let is_it = |it: &Value| it["action"] == "accounts.user_changed" && it["target"] == id;
    let changed = entry(&admin, is_it).expect("the change is in the log");
    assert_eq!(changed["details"]["role"], "editor");
    assert!(changed["actor"].as_str().unwrap().starts_with("usr_"), "{changed}");
    assert_eq!(changed["address"], "127.0.0.1");
    let log = admin.get("/api/v1/audit?limit=100").expect(200).json();
    let entries = log["items"].as_array().unwrap();
    let times: Vec<&str> = entries.iter().filter_map(|it| it["time"].as_str()).collect();
    assert!(times.is_sorted_by(|a, b| a[..19] >= b[..19]), "the latest first: {times:?}");

    let first = admin.get("/api/v1/audit?limit=1").expect(200).json();
    let cursor = first["next_cursor"].as_str().expect("there is more");
    admin.get(&format!("/api/v1/audit?limit=1&cursor={cursor}")).expect(200);
    server.user().get("/api/v1/audit").expect(403);
    server.api().get("/api/v1/audit").expect(401);
}

const NEW: &str = "a-new-course-for-home";

fn every_authentication_event_is_in_the_log(server: &Server) {
    let (email, login) = server.new_login();
    let api = server.api();
    let user = |login: &Value| api.with_token(login["access_token"].as_str().expect("a token"));
    let ask = |path: &str, body: &Value, status: u16| {
        api.post(&format!("/api/v1/auth/{path}"), body).expect(status)
    };
    let mut events = Vec::new();
    let mut did = |action: &'static str, outcome: &'static str, answer: Answer| {
        events.push((answer.header("x-request-id").to_owned(), action, outcome));
        answer
    };
    let link = token(&mails(server, &email, 1)[0], "verify-email");
    did(
        "auth.email_verified",
        "refused",
        ask("verify-email", &json!({"token": format!("{link}0")}), 422),
    );
    did("auth.email_verified", "succeeded", ask("verify-email", &json!({"token": link}), 204));
    did(
        "auth.verification_requested",
        "succeeded",
        ask("verify-email/resend", &json!({"email": email}), 202),
    );
    did("auth.login", "refused", api.login(&email, "wrong-horse-battery-19").expect(401));
    let old = json!({"refresh_token": login["refresh_token"]});
    ask("refresh", &old, 200);
    did("auth.refresh_reused", "refused", ask("refresh", &old, 401));
    let login =
        did("auth.login", "succeeded", api.login(&email, Server::password()).expect(200)).json();
    let change = |current: &str| json!({"current_password": current, "new_password": NEW});
    let change =
        |current: &str| user(&login).post("/api/v1/auth/change-password", &change(current));
    did("auth.password_changed", "refused", change("wrong-horse-battery-19").expect(422));
    did("auth.password_changed", "succeeded", change(Server::password()).expect(204));
    did(
        "auth.logout",
        "succeeded",
        user(&login).post("/api/v1/auth/logout", &json!({})).expect(204),
    );
    let login = did("auth.login", "succeeded", api.login(&email, NEW).expect(200)).json();
    did(
        "auth.session_revoked",
        "succeeded",
        user(&login).delete("/api/v1/auth/sessions").expect(204),
    );
    did(
        "auth.password_reset_requested",
        "succeeded",
        ask("forgot-password", &json!({"email": email}), 202),
    );
    let link = token(&mails(server, &email, 3)[2], "reset-password");
    let reset = |token: &str| json!({"token": token, "new_password": Server::password()});
    did("auth.password_reset", "refused", ask("reset-password", &reset("not-a-link"), 422));
    did("auth.password_reset", "succeeded", ask("reset-password", &reset(&link), 204));
    let admin = server.admin();
    for (request, action, outcome) in events {
        let entry = entry(&admin, |entry| entry["request_id"] == *request);
        let entry = entry.unwrap_or_else(|| panic!("{action} {outcome} is not in the log"));
        assert_eq!((&entry["action"], &entry["outcome"]), (&json!(action), &json!(outcome)));
        assert_eq!(entry["address"], "127.0.0.1", "{entry}");
    }
}
