//! What somebody tries who is not, or not yet, an administrator.

use outrigger_testkit::Browser;
use serde_json::json;

use super::Window;
use crate::support::{
    ADMIN_EMAIL, ADMIN_PASSWORD, Answer, Api, Backend, Server, ServerOptions,
    on_sqlite_and_postgres,
};

on_sqlite_and_postgres!(
    a_cookie_alone_is_worth_nothing,
    nobody_but_administrators_gets_in,
    a_session_that_was_ended_is_over,
    tokens_are_renewed_once,
    a_page_is_only_its_own_files,
);

fn sign_in(api: &Api) -> Answer {
    let body = json!({"email": ADMIN_EMAIL, "password": ADMIN_PASSWORD});
    api.post("/console/session", &body).expect(200)
}

/// The cookies as a browser would send them.
fn cookies(answer: &Answer) -> String {
    let set = answer.headers.iter().filter(|(name, _)| name == "set-cookie");
    let pairs = set.filter_map(|(_, value)| value.split(';').next());
    pairs.collect::<Vec<_>>().join("; ")
}

fn csrf(answer: &Answer) -> String {
    answer.json()["csrf_token"].as_str().expect("a token").to_owned()
}

fn a_cookie_alone_is_worth_nothing(server: &Server) {
    let signed_in = sign_in(&server.api());
    let set: Vec<&str> = signed_in
        .headers
        .iter()
        .filter(|(n, _)| n == "set-cookie")
        .map(|(_, v)| v.as_str())
        .collect();
    assert_eq!(set.len(), 2, "{set:?}");
    for cookie in set {
        assert!(cookie.ends_with("; Path=/; HttpOnly; SameSite=Strict"), "{cookie}");
    }
    assert!(!signed_in.text.contains("access_token") && !signed_in.text.contains("refresh"));
    let browser = server.api().with("cookie", &cookies(&signed_in));
    let token = csrf(&signed_in);
    browser.get("/api/v1/users").expect(401);
    browser.post("/api/v1/tasks", &json!({"kind": "noop", "payload": {}})).expect(401);
    let wrong = browser.with("x-csrf-token", "x").get("/api/v1/users").expect(403);
    assert_eq!(wrong.code(), "wrong_csrf_token");
    let ours = browser.with("x-csrf-token", &token);
    ours.get("/api/v1/users").expect(200);
    ours.with("sec-fetch-site", "same-origin").get("/api/v1/users").expect(200);
    for site in ["cross-site", "same-site"] {
        let theirs = ours.with("sec-fetch-site", site);
        assert_eq!(theirs.get("/api/v1/users").expect(403).code(), "cross_origin");
        let theirs = browser.with("sec-fetch-site", site);
        theirs.get("/console/session").expect(403);
        let body = json!({"email": ADMIN_EMAIL, "password": ADMIN_PASSWORD});
        theirs.post("/console/session", &body).expect(403);
    }
    // A form of another page can send no JSON, and gets no session.
    let form = Some(("text/plain", json!({"email": ADMIN_EMAIL}).to_string()));
    server.api().send("POST", "/console/session", form).expect(415);
    for path in ["/console/session/renew", "/console/session/end"] {
        browser.post(path, &json!({})).expect(403);
    }
    // The header without a cookie is nothing either, and a token in a header still goes first.
    server.api().with("x-csrf-token", &token).get("/api/v1/users").expect(401);
    ours.with_token("a.b.c").get("/api/v1/users").expect(401);
}

fn nobody_but_administrators_gets_in(server: &Server) {
    let (email, login) = server.new_login();
    let refused = server
        .api()
        .post("/console/session", &json!({"email": email, "password": Server::password()}));
    let refused = refused.expect(403);
    assert_eq!((refused.code().as_str(), cookies(&refused).as_str()), ("not_an_administrator", ""));
    // The session that the right password began has ended.
    let me = server.api().with_token(login["access_token"].as_str().unwrap());
    let sessions = me.get("/api/v1/auth/sessions").expect(200).json();
    assert_eq!(sessions["items"].as_array().unwrap().len(), 1, "{sessions}");
    let wrong = json!({"email": ADMIN_EMAIL, "password": "x"});
    server.api().post("/console/session", &wrong).expect(401);
    server.api().get("/console/session").expect(401);
}

fn a_session_that_was_ended_is_over(server: &Server) {
    let signed_in = sign_in(&server.api());
    let browser = server.api().with("cookie", &cookies(&signed_in));
    let ours = browser.with("x-csrf-token", &csrf(&signed_in));
    // A page that is loaded anew is told its token again.
    assert_eq!(csrf(&browser.get("/console/session").expect(200)), csrf(&signed_in));
    let ended = ours.post("/console/session/end", &json!({})).expect(204);
    let gone = ended.headers.iter().filter(|(n, v)| n == "set-cookie" && v.contains("Max-Age=0"));
    assert_eq!(gone.count(), 2);
    ours.get("/api/v1/users").expect(401);
    ours.post("/console/session/renew", &json!({})).expect(401);
    assert!(browser.get("/console/session").expect(200).json()["user"].is_null());
}

fn tokens_are_renewed_once(server: &Server) {
    // What was planted before is not taken over: signing in makes tokens of its own.
    let planted =
        server.api().with("cookie", "outrigger-access=planted; outrigger-refresh=planted");
    let first = sign_in(&planted);
    assert!(!cookies(&first).contains("planted"));
    let before = server.api().with("cookie", &cookies(&first)).with("x-csrf-token", &csrf(&first));
    let second = before.post("/console/session/renew", &json!({})).expect(200);
    assert_ne!(csrf(&first), csrf(&second));
    let after = server.api().with("cookie", &cookies(&second)).with("x-csrf-token", &csrf(&second));
    after.get("/api/v1/users").expect(200);
    // Somebody who has copied the cookies uses them too: the session is ended for both.
    before.post("/console/session/renew", &json!({})).expect(401);
    after.get("/api/v1/users").expect(401);
}

fn a_page_is_only_its_own_files(server: &Server) {
    let page = server.api().get("/console/tasks").expect(200);
    let policy = page.header("content-security-policy");
    for rule in [
        "default-src 'none'",
        "script-src 'self';",
        "style-src 'self';",
        "frame-ancestors 'none'",
        "base-uri 'none'",
        "form-action 'self'",
        "require-trusted-types-for 'script'",
    ] {
        assert!(policy.contains(rule), "{policy}");
    }
    assert!(!policy.contains("unsafe") && !policy.contains("http"), "{policy}");
    assert_eq!(page.header("x-frame-options"), "DENY");
    let script = page.text.split('"').find(|text| text.ends_with("main.js")).expect("a script");
    let served = server.api().with("accept-encoding", "gzip").get(script).expect(200);
    assert!(served.header("content-type").starts_with("text/javascript"));
    server.api().get(&script.replace("main.js", "no.js")).expect(404);
    server.api().get("/console/assets/js/main.js").expect(404);
    server.api().get("/console/assets/live/../../Cargo.toml").expect(404);
}

#[test]
fn what_a_record_holds_stays_text() {
    let server = Server::start(&ServerOptions::on(Backend::Sqlite));
    let admin = server.admin();
    let evil = "<img src=x onerror=\"window.hacked=1\"><script>window.hacked=1</script>";
    admin.put("/api/v1/collections/evil", &json!({})).expect(201);
    let data = json!({"name": evil, "<b>field</b>": evil, "__proto__x": {"a": evil}});
    admin.put("/api/v1/records/evil/one", &data).expect(201);
    let user = json!({"email": "evil@example.com", "password": Server::password(), "name": evil});
    server.api().post("/api/v1/auth/register", &user).expect(201);
    let browser = Browser::start().unwrap();
    let window = Window::open(&browser, &server);
    window.sign_in();
    for place in [
        "collections/evil",
        "collections/evil/records/one",
        "users",
        "audit",
        "tasks?kind=%3Cscript%3E",
    ] {
        window.go(place);
        assert_eq!(window.page.evaluate("typeof window.hacked").unwrap(), "undefined", "{place}");
        let scripts = "document.querySelectorAll('script:not([src]), img').length";
        assert_eq!(window.page.evaluate(scripts).unwrap(), 0, "{place}");
    }
    window.assert_faultless();
}

#[test]
fn what_a_process_does_not_expose_is_said_and_the_rest_works() {
    let options = ServerOptions::on(Backend::Sqlite);
    let server = Server::start(&options.set("OUTRIGGER__HTTP__SERVICES", "auth,users,replicas"));
    let browser = Browser::start().unwrap();
    let window = Window::open(&browser, &server);
    window.sign_in();
    window.go("collections");
    window.page.wait_for_text("does not expose this part").unwrap();
    window.go("users");
    window.page.wait_for_text(ADMIN_EMAIL).unwrap();
    window.assert_faultless();
}

#[test]
fn switched_off_it_is_not_there() {
    let on = Server::start(&ServerOptions::on(Backend::Sqlite));
    let options = ServerOptions::on(Backend::Sqlite).set("OUTRIGGER__HTTP__CONSOLE", "false");
    let off = Server::start(&options);
    for path in
        ["/console", "/console/tasks", "/console/session", "/console/assets/live/js/main.js"]
    {
        off.api().get(path).expect(404);
    }
    let signed_in = sign_in(&on.api());
    let browser =
        off.api().with("cookie", &cookies(&signed_in)).with("x-csrf-token", &csrf(&signed_in));
    browser.get("/api/v1/users").expect(401);
}
