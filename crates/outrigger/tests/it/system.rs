//! Settings and doctor over HTTP.

use serde_json::json;

use crate::support::{Backend, Server, ServerOptions, on_each_backend};

on_each_backend!(a_doctor_can_be_asked, settings_are_shown_without_secrets);

fn a_doctor_can_be_asked(server: &Server) {
    let admin = server.admin();
    let found = admin.post("/api/v1/system/doctor", &json!({})).expect(200).json();
    let backends = found["backends"].as_array().unwrap();
    let database = backends.iter().find(|it| it["name"] == "database").expect("the database");
    assert!(database["ok"] == true && database["latency_ms"].is_number(), "{found}");
    let warns =
        |it: &serde_json::Value| it["message"].as_str().is_some_and(|it| it.contains("public_url"));
    assert!(found["findings"].as_array().unwrap().iter().any(warns), "{found}");
    // The command line says the same.
    let (_, text) = server.run(&["doctor"]);
    assert!(text.contains("database") && text.contains("public_url"), "{text}");
    server.user().post("/api/v1/system/doctor", &json!({})).expect(403);
}

fn settings_are_shown_without_secrets(server: &Server) {
    let settings = server.admin().get("/api/v1/system/settings").expect(200).json();
    let in_force = settings["in_force"].as_str().unwrap();
    assert!(in_force.contains("[http]") && in_force.contains("password = \"***\""), "{in_force}");
    let (_, shown) = server.run(&["config", "show"]);
    assert!(shown.contains("[http]"));
    for (name, secret) in &server.options.environment {
        if name.contains("SECRET") || name.contains("PASSWORD") {
            assert!(!settings.to_string().contains(secret), "{name}");
        }
    }
    assert!(settings["defaults"].as_str().unwrap().contains("# Every setting"));
    server.user().get("/api/v1/system/settings").expect(403);
}

#[test]
fn what_is_down_is_in_the_answer() {
    let options = ServerOptions::on(Backend::Sqlite).set("MAIL_URL", "smtp://127.0.0.1:1");
    let server = Server::start(&options);
    let found = server.admin().post("/api/v1/system/doctor", &json!({})).expect(200).json();
    let backends = found["backends"].as_array().unwrap();
    let mail = backends.iter().find(|it| it["name"] == "mail").expect("mail");
    assert!(mail["ok"] == false && mail["latency_ms"].is_null(), "{found}");
    let errors =
        found["findings"].as_array().unwrap().iter().filter(|it| it["severity"] == "error");
    assert_eq!(errors.count(), 1, "{found}");
}
