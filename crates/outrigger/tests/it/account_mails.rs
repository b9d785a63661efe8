//! Mails with one-time links, from the request through the worker to the mailer's folder, and back.

use std::time::Duration;

use outrigger_testkit::eventually;
use serde_json::{Value, json};

use crate::support::{Answer, Server, on_each_backend, unique};

on_each_backend!(
    who_registers_is_mailed_a_link_that_verifies_the_address_once,
    a_forgotten_password_is_replaced_and_all_sessions_end,
    who_changes_the_password_is_told_by_mail_in_their_language,
    an_unknown_address_is_answered_the_same_and_mailed_nothing,
    the_pages_do_nothing_when_opened_and_work_when_submitted,
    nobody_who_lists_tasks_or_reads_the_log_sees_a_link,
);

const NEW: &str = "a-new-course-for-home";
/// Emulators take long for the tasks of all tests that share a server.
const PATIENCE: Duration = Duration::from_secs(120);

/// The mails to this address, once there are so many.
pub(crate) fn mails(server: &Server, to: &str, count: usize) -> Vec<String> {
    let read = || {
        let folder = std::fs::read_dir(server.path().join("data/mail"))?;
        let mut found = Vec::new();
        for entry in folder {
            let entry = entry?;
            if entry.path().extension().is_some_and(|extension| extension == "eml") {
                found.push((entry.file_name(), std::fs::read_to_string(entry.path())?));
            }
        }
        found.sort();
        let mails = found.into_iter().map(|(_, text)| text);
        let mails: Vec<String> = mails.filter(|text| text.contains(&format!("To: {to}"))).collect();
        anyhow::ensure!(mails.len() >= count, "{} mails to {to}", mails.len());
        Ok(mails)
    };
    let found = eventually("the mail is there", PATIENCE, read).unwrap();
    assert_eq!(found.len(), count, "{found:#?}");
    found
}

/// A mail without the line breaks and signs of quoted-printable, and with whole headers.
pub(crate) fn plain(mail: &str) -> String {
    mail.replace("=\r\n", "").replace("=3D", "=").replace("\r\n ", "")
}

/// The token of the link in a mail that leads to this page.
pub(crate) fn token(mail: &str, page: &str) -> String {
    let text = plain(mail);
    let (_, rest) = text.split_once(&format!("/{page}?token=")).expect("a link");
    rest.chars().take_while(|c| c.is_ascii_alphanumeric() || "._-".contains(*c)).collect()
}

fn post(server: &Server, path: &str, body: &Value) -> Answer {
    server.api().post(&format!("/api/v1/auth/{path}"), body)
}

fn me(server: &Server, login: &Value) -> Answer {
    server.api().with_token(login["access_token"].as_str().unwrap()).get("/api/v1/users/me")
}

fn who_registers_is_mailed_a_link_that_verifies_the_address_once(server: &Server) {
    let (email, login) = server.new_login();
    assert_eq!(me(server, &login).expect(200).json()["email_verified"], false);
    let first = mails(server, &email, 1).remove(0);
    assert!(first.contains("Content-Type: text/html"), "{first}");
    post(server, "verify-email/resend", &json!({"email": email.to_uppercase()})).expect(202);
    let second = mails(server, &email, 2).remove(1);
    let tokens = [token(&first, "verify-email"), token(&second, "verify-email")];
    assert_ne!(tokens[0], tokens[1]);
    let wrong = post(server, "verify-email", &json!({"token": format!("{}0", tokens[0])}));
    assert_eq!(wrong.expect(422).places(), ["body.token"]);
    post(server, "verify-email", &json!({"token": tokens[0]})).expect(204);
    assert_eq!(me(server, &login).expect(200).json()["email_verified"], true);
    post(server, "verify-email", &json!({"token": tokens[0]})).expect(422);
}

fn a_forgotten_password_is_replaced_and_all_sessions_end(server: &Server) {
    let (email, login) = server.new_login();
    mails(server, &email, 1);
    post(server, "forgot-password", &json!({"email": email})).expect(202);
    let mail = mails(server, &email, 2).remove(1);
    let token = token(&mail, "reset-password");
    let body = |password: &str| json!({"token": token, "new_password": password});
    let weak = post(server, "reset-password", &body("password123")).expect(422);
    assert_eq!(weak.places(), ["body.new_password"]);
    post(server, "reset-password", &body(NEW)).expect(204);
    me(server, &login).expect(401);
    server.api().login(&email, Server::password()).expect(401);
    let login = server.api().login(&email, NEW).expect(200).json();
    assert_eq!(login["user"]["email_verified"], true);
    assert_eq!(post(server, "reset-password", &body(NEW)).expect(422).places(), ["body.token"]);
    me(server, &login).expect(200);
    let told = mails(server, &email, 3).remove(2);
    assert!(plain(&told).contains("Subject: Your password for "), "{told}");
}

fn who_changes_the_password_is_told_by_mail_in_their_language(server: &Server) {
    let (email, login) = server.new_login();
    mails(server, &email, 1);
    let user = server.api().with_token(login["access_token"].as_str().unwrap());
    user.patch("/api/v1/users/me", &json!({"locale": "id", "time_zone": "Asia/Jakarta"}))
        .expect(200);
    let wrong = json!({"current_password": NEW, "new_password": NEW});
    user.post("/api/v1/auth/change-password", &wrong).expect(422);
    let body = json!({"current_password": Server::password(), "new_password": NEW});
    user.post("/api/v1/auth/change-password", &body).expect(204);
    let told = plain(&mails(server, &email, 2)[1]);
    assert!(told.contains("Subject: Kata sandi Anda untuk "), "{told}");
    assert!(told.contains("telah diubah pada "), "{told}");
    assert!(!told.contains("unsubscribe"), "{told}");
}

fn an_unknown_address_is_answered_the_same_and_mailed_nothing(server: &Server) {
    let unknown = format!("{}@example.org", unique("nobody-"));
    let (known, _) = server.new_login();
    mails(server, &known, 1);
    let ask = |email: &str| post(server, "forgot-password", &json!({"email": email}));
    let (first, second) = (ask(&unknown).expect(202), ask(&known).expect(202));
    assert_eq!(first.text, second.text);
    mails(server, &known, 2);
    mails(server, &unknown, 0);
    assert_eq!(ask("no address").expect(422).places(), ["body.email"]);
}

fn the_pages_do_nothing_when_opened_and_work_when_submitted(server: &Server) {
    let (email, login) = server.new_login();
    let token = token(&mails(server, &email, 1)[0], "verify-email");
    let opened = server.api().get(&format!("/verify-email?token={token}")).expect(200);
    assert_eq!(opened.header("referrer-policy"), "no-referrer");
    assert_eq!(me(server, &login).expect(200).json()["email_verified"], false);
    let submit = |path: &str, form: &str| {
        let form = ("application/x-www-form-urlencoded", form.to_owned());
        server.api().send("POST", path, Some(form))
    };
    submit("/verify-email", &format!("token={token}")).expect(200);
    assert_eq!(me(server, &login).expect(200).json()["email_verified"], true);
    let again = submit("/verify-email", &format!("token={token}")).expect(422);
    assert!(again.text.contains("ask for a new one"), "{}", again.text);
    server.api().get("/reset-password?token=%22%3E%3Cscript%3E").expect(200);
    let refused = submit("/reset-password", "token=%22%3E%3Cscript%3E&new_password=x").expect(422);
    assert!(!refused.text.contains("<script>"), "{}", refused.text);
}

fn nobody_who_lists_tasks_or_reads_the_log_sees_a_link(server: &Server) {
    let (email, _) = server.new_login();
    let token = token(&mails(server, &email, 1)[0], "verify-email");
    let secret = token.split_once('.').expect("an id and a mark").1;
    let tasks = server.admin().get("/api/v1/tasks?kind=account.mail&limit=100").expect(200);
    assert!(!tasks.text.contains(secret) && !tasks.text.contains(&email), "{}", tasks.text);
    assert!(!server.process.log().contains(secret));
}
