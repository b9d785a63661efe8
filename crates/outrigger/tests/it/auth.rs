//! Signing in and out.

use serde_json::{Value, json};

use crate::support::{Api, Backend, Server, ServerOptions, on_each_backend};

on_each_backend!(
    a_user_registers_signs_in_refreshes_and_signs_out,
    the_password_form_of_oauth2_signs_in,
    a_reused_refresh_token_ends_the_session,
    sessions_are_listed_and_ended_one_by_one,
    a_changed_password_ends_the_other_sessions,
    unknown_address_and_wrong_password_look_alike,
    bad_input_is_named,
    tokens_verify_against_the_published_keys,
    a_registration_is_repeated_safely_with_a_key,
);

fn refresh(server: &Server, login: &Value) -> crate::support::Answer {
    let body = json!({"refresh_token": login["refresh_token"]});
    server.api().post("/api/v1/auth/refresh", &body)
}

fn as_user(server: &Server, login: &Value) -> Api {
    server.api().with_token(login["access_token"].as_str().unwrap())
}

fn a_user_registers_signs_in_refreshes_and_signs_out(server: &Server) {
    let (email, login) = server.new_login();
    assert_eq!(login["token_type"], "Bearer");
    assert_eq!(login["expires_in"], 900);
    assert_eq!(login["user"]["email"], email.as_str());
    assert!(login["session_id"].as_str().unwrap().starts_with("ses_"));
    let me = as_user(server, &login).get("/api/v1/users/me").expect(200).json();
    assert_eq!(me["id"], login["user"]["id"]);
    let again = refresh(server, &login).expect(200).json();
    assert_ne!(again["refresh_token"], login["refresh_token"]);
    let user = as_user(server, &again);
    user.get("/api/v1/users/me").expect(200);
    user.send("POST", "/api/v1/auth/logout", None).expect(204);
    user.get("/api/v1/users/me").expect(401);
    refresh(server, &again).expect(401);
}

fn the_password_form_of_oauth2_signs_in(server: &Server) {
    let (email, _) = server.new_login();
    let form = format!("grant_type=password&username={email}&password={}", Server::password());
    let media_type = "application/x-www-form-urlencoded";
    let answer = server.api().send("POST", "/api/v1/auth/token", Some((media_type, form)));
    let login = answer.expect(200).json();
    as_user(server, &login).get("/api/v1/users/me").expect(200);
}

fn a_reused_refresh_token_ends_the_session(server: &Server) {
    let (_, login) = server.new_login();
    let next = refresh(server, &login).expect(200).json();
    let trace = "4bf92f3577b34da6a3ce929d0e0e4736";
    let api = server.api().with("traceparent", &format!("00-{trace}-00f067aa0ba902b7-01"));
    let body = json!({"refresh_token": login["refresh_token"]});
    let reused = api.post("/api/v1/auth/refresh", &body).expect(401);
    refresh(server, &next).expect(401);
    // A line from deep inside says which request it is about.
    let (log, id) = (server.process.log(), reused.header("x-request-id"));
    let line = log.lines().find(|line| line.contains(&format!("\"request.id\":\"{id}\"")));
    let line: Value = serde_json::from_str(line.unwrap_or_default()).expect("a line of JSON");
    assert_eq!((line["level"].as_str(), line["trace.id"].as_str()), (Some("WARN"), Some(trace)));
    let message = line["message"].as_str().unwrap();
    assert!(message.contains("refresh token"), "{line}");
    as_user(server, &next).get("/api/v1/users/me").expect(401);
}

fn sessions_are_listed_and_ended_one_by_one(server: &Server) {
    let (email, first) = server.new_login();
    let second = server.api().login(&email, Server::password()).expect(200).json();
    let user = as_user(server, &first);
    let listed = user.get("/api/v1/auth/sessions").expect(200).json();
    assert_eq!(listed["items"].as_array().unwrap().len(), 2);
    let path = format!("/api/v1/auth/sessions/{}", second["session_id"].as_str().unwrap());
    server.user().delete(&path).expect(404);
    user.delete(&path).expect(204);
    as_user(server, &second).get("/api/v1/users/me").expect(401);
    user.get("/api/v1/users/me").expect(200);
    user.delete("/api/v1/auth/sessions").expect(204);
    user.get("/api/v1/users/me").expect(401);
}

fn a_changed_password_ends_the_other_sessions(server: &Server) {
    let (email, here) = server.new_login();
    let elsewhere = server.api().login(&email, Server::password()).expect(200).json();
    let user = as_user(server, &here);
    let change = |current: &str, new: &str| {
        let body = json!({"current_password": current, "new_password": new});
        user.post("/api/v1/auth/change-password", &body)
    };
    let new = "a-new-course-for-home";
    let wrong = change("not-the-password", new);
    assert!((400..500).contains(&wrong.status), "{wrong:?}");
    change(Server::password(), new).expect(204);
    user.get("/api/v1/users/me").expect(200);
    as_user(server, &elsewhere).get("/api/v1/users/me").expect(401);
    server.api().login(&email, Server::password()).expect(401);
    server.api().login(&email, new).expect(200);
}

fn unknown_address_and_wrong_password_look_alike(server: &Server) {
    let (email, _) = server.new_login();
    let wrong = server.api().login(&email, "not-the-password").expect(401);
    let unknown = server.api().login("nobody@example.com", "not-the-password").expect(401);
    let words = |answer: &crate::support::Answer| {
        let body = answer.json();
        (body["code"].clone(), body["detail"].clone())
    };
    assert_eq!(words(&wrong), words(&unknown));
}

#[test]
fn an_unknown_address_costs_as_many_hashes_as_a_wrong_password() {
    let server = Server::start(&ServerOptions::on(Backend::Sqlite));
    let (email, _) = server.new_login();
    let hashes = || {
        let text = server.internal().get("/metrics").expect(200).text;
        let count =
            text.lines().find_map(|l| l.strip_prefix("outrigger_password_hash_seconds_count "));
        count.expect("the metric").parse::<u64>().unwrap()
    };
    let cost = |email: &str| {
        let before = hashes();
        server.api().login(email, "not-the-password").expect(401);
        hashes() - before
    };
    assert_eq!((cost(&email), cost("nobody@example.com")), (1, 1));
}

fn bad_input_is_named(server: &Server) {
    let register = |body: Value| server.api().post("/api/v1/auth/register", &body);
    let good = Server::password();
    for (body, place) in [
        (json!({"email": "nobody", "password": good}), "body.email"),
        (json!({"email": "a@example.com", "password": "short"}), "body.password"),
        (json!({"email": "a@example.com", "password": "password123"}), "body.password"),
        (json!({"email": "a@example.com"}), "body.password"),
        (json!({"email": 3, "password": good}), "body.email"),
        (json!({"email": "a@example.com", "password": good, "role": "admin"}), "body.role"),
    ] {
        let answer = register(body).expect(422);
        assert!(answer.places().contains(&place.to_owned()), "{}", answer.text);
        assert!(!answer.text.contains(good) && !answer.text.contains("password123"));
    }
    let (email, _) = server.new_login();
    let taken = register(json!({"email": email.to_uppercase(), "password": good})).expect(409);
    assert_eq!(taken.code(), "email_taken");
}

fn tokens_verify_against_the_published_keys(server: &Server) {
    use base64::Engine;
    let (_, login) = server.new_login();
    let decode = |part: &str| {
        base64::engine::general_purpose::URL_SAFE_NO_PAD.decode(part).expect("base64url")
    };
    let token = login["access_token"].as_str().unwrap();
    let parts: Vec<&str> = token.split('.').collect();
    let head: Value = serde_json::from_slice(&decode(parts[0])).unwrap();
    assert_eq!(head["alg"], "RS256");
    let configuration = server.api().get("/.well-known/openid-configuration").expect(200).json();
    let jwks = server.api().get("/.well-known/jwks.json").expect(200).json();
    assert!(configuration["jwks_uri"].as_str().unwrap().ends_with("/.well-known/jwks.json"));
    let keys = jwks["keys"].as_array().unwrap();
    let key = keys.iter().find(|key| key["kid"] == head["kid"]).expect("the key is published");
    let public = aws_lc_rs::signature::RsaPublicKeyComponents {
        n: decode(key["n"].as_str().unwrap()),
        e: decode(key["e"].as_str().unwrap()),
    };
    let signed = format!("{}.{}", parts[0], parts[1]);
    let algorithm = &aws_lc_rs::signature::RSA_PKCS1_2048_8192_SHA256;
    public.verify(algorithm, signed.as_bytes(), &decode(parts[2])).expect("the signature holds");
    let claims: Value = serde_json::from_slice(&decode(parts[1])).unwrap();
    assert_eq!(claims["iss"], configuration["issuer"]);
    assert_eq!(claims["sid"], login["session_id"]);
}

fn a_registration_is_repeated_safely_with_a_key(server: &Server) {
    let email = format!("{}@example.com", crate::support::unique("keyed-"));
    let body = json!({"email": email, "password": Server::password()});
    let api = server.api().with("idempotency-key", &email);
    let first = api.post("/api/v1/auth/register", &body).expect(201).json();
    let second = api.post("/api/v1/auth/register", &body).expect(201).json();
    assert_eq!(first["id"], second["id"]);
    let other = json!({"email": format!("x{email}"), "password": Server::password()});
    api.post("/api/v1/auth/register", &other).expect(422);
}
