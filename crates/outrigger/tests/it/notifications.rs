//! Telling users, through the worker and the mailer's folder.

use serde_json::{Value, json};

use crate::account_mails::{mails, plain};
use crate::support::{Api, Server, on_each_backend};

on_each_backend!(
    a_user_is_told_by_mail_and_in_the_inbox_in_their_language,
    one_click_ends_the_mails_of_a_category,
    who_may_tell_and_whom_is_checked,
);

/// A user who has set their language and time zone: their address, id and client.
fn reader(server: &Server) -> (String, String, Api) {
    let (email, login) = server.new_login();
    mails(server, &email, 1);
    let api = server.api().with_token(login["access_token"].as_str().unwrap());
    let patch = json!({"locale": "id-ID", "time_zone": "Asia/Jakarta", "name": "Ann"});
    api.patch("/api/v1/users/me", &patch).expect(200);
    (email, login["user"]["id"].as_str().unwrap().to_owned(), api)
}

fn tell(server: &Server, user: &str, category: &str) -> Value {
    let new = json!({
        "user_id": user, "category": category, "message": "password-changed",
        "variables": {"time": {"time": "2026-01-31T12:00:00Z"}},
    });
    server.admin().post("/api/v1/notifications", &new).expect(202).json()
}

fn a_user_is_told_by_mail_and_in_the_inbox_in_their_language(server: &Server) {
    let (email, id, api) = reader(server);
    let receipt = tell(server, &id, "news");
    assert_eq!(receipt["channels"], json!(["email", "inbox"]));
    let mail = plain(&mails(server, &email, 2)[1]);
    assert!(mail.contains("Halo Ann") && mail.contains("19"), "{mail}");
    assert!(mail.contains("List-Unsubscribe-Post: List-Unsubscribe=One-Click"), "{mail}");
    let inbox = api.get("/api/v1/notifications?unread=true").expect(200).json();
    let item = &inbox["items"][0];
    assert!(item["title"].as_str().unwrap().starts_with("Kata sandi"), "{inbox}");
    let path = format!("/api/v1/notifications/{}", item["id"].as_str().unwrap());
    server.user().patch(&path, &json!({"read": true})).expect(404);
    api.patch(&path, &json!({"read": true})).expect(200);
    let inbox = api.get("/api/v1/notifications?unread=true").expect(200).json();
    assert_eq!(inbox["items"], json!([]));
}

fn one_click_ends_the_mails_of_a_category(server: &Server) {
    let (email, id, api) = reader(server);
    tell(server, &id, "news");
    let mail = plain(&mails(server, &email, 2)[1]);
    let (_, rest) = mail.split_once("/unsubscribe?token=").expect("a link");
    let token = rest.split('>').next().unwrap();
    let click = |token: &str| {
        let body = ("application/x-www-form-urlencoded", "List-Unsubscribe=One-Click".to_owned());
        server.api().send("POST", &format!("/unsubscribe?token={token}"), Some(body))
    };
    server.api().get(&format!("/unsubscribe?token={token}")).expect(200);
    assert_eq!(tell(server, &id, "orders")["channels"], json!(["email", "inbox"]));
    mails(server, &email, 3);
    click(&token.replace("news", "orders")).expect(403);
    click(token).expect(200);
    assert_eq!(tell(server, &id, "news")["channels"], json!(["inbox"]));
    let preferences = api.get("/api/v1/notifications/preferences").expect(200).json();
    assert_eq!(preferences["categories"]["news"]["email"], false);
    let account = json!({"categories": {"account": {"email": false}}});
    let refused = api.put("/api/v1/notifications/preferences", &account).expect(422);
    assert_eq!(refused.places(), ["body.categories.account"]);
    api.put("/api/v1/notifications/preferences", &json!({})).expect(200);
    assert_eq!(tell(server, &id, "news")["channels"], json!(["email", "inbox"]));
}

fn who_may_tell_and_whom_is_checked(server: &Server) {
    let new = json!({"user_id": "usr_nobody", "category": "news", "variables": {}});
    server.admin().post("/api/v1/notifications", &new).expect(404);
    let (_, id, api) = reader(server);
    let new = json!({"user_id": id, "category": "news", "message": "notice"});
    api.post("/api/v1/notifications", &new).expect(403);
    let refused = server.admin().post("/api/v1/notifications", &new).expect(422);
    assert_eq!(refused.places(), ["body.variables"]);
}
