//! Keys change while everything goes on, and nobody is logged out.

use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use serde_json::{Value, json};

use super::Fleet;
use crate::support::{Api, Server, ServerOptions, SigningKey};

const ME: &str = "/api/v1/users/me";

fn published(api: &Api) -> Vec<String> {
    let keys = api.get("/.well-known/jwks.json").expect(200).json()["keys"].clone();
    let name = |key: &Value| key["kid"].as_str().expect("a key has a name").to_owned();
    keys.as_array().expect("keys").iter().map(name).collect()
}

fn token(login: &Value) -> &str {
    login["access_token"].as_str().expect("a token")
}

/// Signs in and reads, over and over, and keeps one old session; none of it may fail.
fn live_on(fleet: &Fleet, place: usize, done: &AtomicBool, logins: &AtomicUsize) {
    let (email, old) = fleet.server(place).new_login();
    let apis = [fleet.api(place), fleet.api(1 - place)];
    while !done.load(Ordering::SeqCst) {
        let login = apis[0].login(&email, Server::password()).expect(200).json();
        for api in &apis {
            api.with_token(token(&login)).get(ME).expect(200);
            api.with_token(token(&old)).get(ME).expect(200);
        }
        let body = json!({"refresh_token": login["refresh_token"]});
        let renewed = apis[1].post("/api/v1/auth/refresh", &body).expect(200).json();
        apis[0].with_token(token(&renewed)).get(ME).expect(200);
        apis[1].with_token(token(&renewed)).send("POST", "/api/v1/auth/logout", None).expect(204);
        logins.fetch_add(1, Ordering::SeqCst);
    }
}

#[test]
fn keys_rotate_under_load_and_nobody_is_logged_out() {
    let fleet = Fleet::shared();
    let before = published(&fleet.api(0));
    let (done, logins) = (AtomicBool::new(false), AtomicUsize::new(0));
    let mut newest = String::new();
    std::thread::scope(|scope| {
        for place in [0, 1] {
            let (done, logins) = (&done, &logins);
            scope.spawn(move || live_on(fleet, place, done, logins));
        }
        for _ in 0..5 {
            let so_far = logins.load(Ordering::SeqCst);
            let (worked, said) = fleet.server(0).run(&["keys", "rotate"]);
            assert!(worked && said.contains("tokens of the keys before are accepted"), "{said}");
            newest = said.split(' ').nth(1).expect("key NAME signs").to_owned();
            outrigger_testkit::wait_until("logins", super::UP_TIMEOUT, || {
                logins.load(Ordering::SeqCst) >= so_far + 4
            })
            .expect("logins go on");
        }
        done.store(true, Ordering::SeqCst);
    });
    // A process that starts now publishes old and new.
    let late = fleet.one_more();
    let names = published(&late.api());
    assert!(before.iter().all(|old| names.contains(old)), "{before:?} {names:?}");
    assert!(names.contains(&newest), "{newest} {names:?}");
}

/// Options with these keys, the first of which signs.
fn with_keys(options: &ServerOptions, files: &[&Path]) -> ServerOptions {
    let references: Vec<String> = files.iter().map(|f| format!("file://{}", f.display())).collect();
    options.clone().set("OUTRIGGER__AUTH__SIGNING_KEYS", &references.join(","))
}

#[test]
fn processes_that_sign_with_different_keys_accept_each_other_s_tokens() {
    let folder = outrigger_testkit::TempDir::new("keys").unwrap();
    let (one, two) = (folder.join("one.pem"), folder.join("two.pem"));
    SigningKey::generate().write(&one);
    SigningKey::generate().write(&two);
    let options = Fleet::options();
    // As in the middle of a rolling restart that puts a new key in front.
    let before = Server::start(&with_keys(&options, &[&one, &two]));
    let after = Server::start(&with_keys(&options, &[&two, &one]));
    let fleet = Fleet { servers: vec![before, after] };
    assert_eq!(published(&fleet.api(0)).len(), 2);
    for place in [0, 1] {
        let (email, login) = fleet.server(place).new_login();
        for api in [fleet.api(0), fleet.api(1)] {
            api.with_token(token(&login)).get(ME).expect(200);
            let other = api.login(&email, Server::password()).expect(200).json();
            fleet.api(place).with_token(token(&other)).get(ME).expect(200);
        }
    }
}

#[test]
fn when_the_old_keys_are_refused_their_tokens_are_and_sessions_live_on() {
    let fleet = Fleet::start(2, &Fleet::options());
    let (_, login) = fleet.server(0).new_login();
    let (worked, said) = fleet.server(0).run(&["keys", "rotate", "--refuse-old"]);
    assert!(worked && said.contains("are refused from now on"), "{said}");
    // A process that knows of the new key signs with it, and by its token the others learn.
    let late = fleet.one_more();
    let api = late.api();
    let refused = |api: &Api| assert_eq!(api.with_token(token(&login)).get(ME).status, 401);
    refused(&api);
    let body = json!({"refresh_token": login["refresh_token"]});
    let renewed = api.post("/api/v1/auth/refresh", &body).expect(200).json();
    for place in [0, 1] {
        let api = fleet.api(place);
        api.with_token(token(&renewed)).get(ME).expect(200);
        refused(&api);
    }
}
