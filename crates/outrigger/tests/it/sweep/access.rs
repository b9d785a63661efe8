//! Each operation with every kind of credential; what is expected follows from the access rule in
//! the API document.

use serde_json::json;

use super::credentials::{Credential, bad};
use super::world::Person;
use super::{Call, Operation, World, methods_by_path};
use crate::support::{Answer, Api, Backend, Server, ServerOptions, open_token};

#[test]
fn every_route_refuses_bad_credentials_on_sqlite() {
    every_route_refuses_bad_credentials(Backend::Sqlite);
}

#[test]
fn every_route_refuses_bad_credentials_on_postgres_and_redis() {
    every_route_refuses_bad_credentials(Backend::postgres_and_redis());
}

fn every_route_refuses_bad_credentials(backend: Backend) {
    let world = World::start(backend);
    let credentials = bad(&world);
    assert!(world.operations.len() >= 27, "operations are missing in the document");
    let before = world.snapshot();
    for operation in &world.operations {
        match operation.access.as_str() {
            "public" => same_for_everybody(&world, operation, &credentials),
            "user" | "admin" | "worker" | "rules" => refused(&world, operation, &credentials),
            other => panic!("{}: the sweep does not know the access rule {other}", operation.id),
        }
        only_for_its_role(&world, operation);
    }
    let ignored: Vec<_> = world.operations.iter().filter(|o| o.access == "public").collect();
    let names: Vec<&str> = ignored.iter().map(|operation| operation.id.as_str()).collect();
    // Reviewed: each of these proves by its body who calls, so that no token is looked at. A new
    // public operation must be added here on purpose.
    let reviewed = [
        "auth.forgot_password",
        "auth.login",
        "auth.refresh",
        "auth.register",
        "auth.reset_password",
        "auth.token",
        "auth.verify_email",
        "auth.resend_verification",
    ];
    assert_eq!(names, reviewed);
    let me = world.api_of(&world.owner).get("/api/v1/users/me").expect(200).json();
    assert_eq!(me["email"], world.owner.email.as_str());
    world.assert_unchanged(&before, "a refused request");
}

fn with(world: &World, credential: &Credential) -> Api {
    world.server.api().with("authorization", &credential.1)
}

/// A public operation looks at no token: not at a good one, and not at a bad one.
fn same_for_everybody(world: &World, operation: &Operation, credentials: &[Credential]) {
    let ask = |what: &str, api: &Api| {
        let answer = world.call(operation, "public").send(api);
        operation.check(what, &answer);
        (answer.status, answer.code())
    };
    let anonymous = ask("without credentials", &world.server.api());
    assert_ne!(anonymous.1, "unauthenticated", "{}", operation.id);
    for credential in credentials {
        let answer = ask(credential.0, &with(world, credential));
        assert_eq!(answer, anonymous, "{} with a token {}", operation.id, credential.0);
    }
    assert_eq!(ask("as a user", &world.api_of(&world.other)), anonymous, "{}", operation.id);
}

/// Every other operation refuses what is no good, also where nobody need sign in.
fn refused(world: &World, operation: &Operation, credentials: &[Credential]) {
    let call = world.call(operation, "public");
    let ask = |what: &str, api: &Api| {
        let answer = call.send(api);
        operation.check(what, &answer);
        let got = (answer.status, answer.code());
        assert_eq!(
            got,
            (401, "unauthenticated".to_owned()),
            "{} with a token {what}",
            operation.id
        );
    };
    if operation.access != "rules" {
        ask("without credentials", &world.server.api());
    }
    for credential in credentials {
        ask(credential.0, &with(world, credential));
    }
}

/// What a user hears of a file that is not theirs, or cannot be had here.
fn refused_file(operation: &str) -> Option<u16> {
    match operation {
        "files.delete" | "files.complete_upload" => Some(404),
        "files.sign_upload" => Some(409),
        _ => None,
    }
}

/// Users are let in where users may, and only administrators where only they may; also somebody
/// whose token says admin, but who is none.
fn only_for_its_role(world: &World, operation: &Operation) {
    let call = |who: &Person| {
        let mut call: Call = world.call(operation, "public");
        call.path = call.path.replace(&world.owner.session, &who.session);
        call
    };
    let allowed =
        |answer: &Answer| assert!(answer.status < 300, "{}: {}", operation.id, answer.text);
    match operation.access.as_str() {
        // What another one was told is not there.
        "user" if operation.id == "notifications.update" => {
            let somebody = Person::new(&world.server);
            let answer = call(&somebody).send(&world.api_of(&somebody));
            operation.check("as another user", &answer);
            assert_eq!(answer.status, 404, "{}: {}", operation.id, answer.text);
            allowed(&call(&world.owner).send(&world.api_of(&world.owner)));
        }
        // Nor is what another one has uploaded; and for a folder nothing is signed.
        "user" if refused_file(&operation.id).is_some() => {
            let somebody = Person::new(&world.server);
            let answer = call(&somebody).send(&world.api_of(&somebody));
            operation.check("as another user", &answer);
            let refused = refused_file(&operation.id);
            assert_eq!(Some(answer.status), refused, "{}: {}", operation.id, answer.text);
        }
        // Another one's task is not there.
        "user" if operation.path.starts_with("/api/v1/tasks/") => {
            let somebody = Person::new(&world.server);
            let answer = call(&somebody).send(&world.api_of(&somebody));
            operation.check("as another user", &answer);
            assert_eq!(answer.status, 404, "{}: {}", operation.id, answer.text);
            allowed(&call(&somebody).send(&world.admin));
        }
        "user" => {
            let somebody = Person::new(&world.server);
            let answer = call(&somebody).send(&world.api_of(&somebody));
            operation.check("as a user", &answer);
            allowed(&answer);
        }
        "admin" | "worker" => {
            let somebody = Person::new(&world.server);
            let mut claims = open_token(&somebody.token).1;
            claims["role"] = json!("admin");
            let pretended = world.server.api().with_token(&world.key.sign(&world.header, &claims));
            for api in [world.api_of(&somebody), world.api_of(&world.editor), pretended] {
                let answer = call(&somebody).send(&api);
                operation.check("as a user", &answer);
                assert_eq!(
                    (answer.status, answer.code().as_str()),
                    (403, "forbidden"),
                    "{}",
                    operation.id
                );
            }
            let answer = call(&somebody).send(&world.admin);
            operation.check("as an administrator", &answer);
            allowed(&answer);
        }
        _ => {}
    }
}

#[test]
fn a_path_has_no_other_methods_than_the_document_says() {
    let world = World::start(Backend::Sqlite);
    for (path, methods) in methods_by_path(&world.operations) {
        let operation = world.operations.iter().find(|o| o.path == path).unwrap();
        let path = world.call(operation, "public").path;
        for method in ["GET", "POST", "PUT", "PATCH", "DELETE", "TRACE"] {
            if methods.contains(&method) {
                continue;
            }
            for api in [world.server.api(), world.admin.clone()] {
                let answer = api.send(method, &path, None);
                assert_eq!(
                    (answer.status, answer.code().as_str()),
                    (405, "method_not_allowed"),
                    "{method} {path}"
                );
                super::check_problem(&path, &answer);
            }
        }
        // What asks like GET is guarded like GET.
        if methods.contains(&"GET") && !path.starts_with("/api/v1/records/") {
            assert_eq!(world.server.api().send("HEAD", &path, None).status, 401, "{path}");
        }
    }
}

#[test]
fn an_object_of_another_user_is_not_there() {
    let world = World::start(Backend::Sqlite);
    let other = world.api_of(&world.other);
    other.delete(&format!("/api/v1/auth/sessions/{}", world.owner.session)).expect(404);
    other.get(&format!("/api/v1/users/{}", world.owner.id)).expect(403);
    let own = other.get("/api/v1/auth/sessions").expect(200).json();
    assert_eq!(own["items"].as_array().unwrap().len(), 1);
    assert_eq!(own["items"][0]["id"], world.other.session.as_str());
    world.api_of(&world.owner).get("/api/v1/users/me").expect(200);
}

#[test]
fn a_token_ends_by_itself_and_the_session_lives_on() {
    let options = ServerOptions::on(Backend::Sqlite).set("OUTRIGGER__AUTH__ACCESS_TOKEN_S", "15");
    let server = Server::start(&options);
    let (_, login) = server.new_login();
    assert_eq!(login["expires_in"], 15);
    let user = server.api().with_token(login["access_token"].as_str().unwrap());
    user.get("/api/v1/users/me").expect(200);
    let ended = || user.get("/api/v1/users/me").status == 401;
    outrigger_testkit::wait_until("the end", std::time::Duration::from_secs(60), ended).unwrap();
    let body = json!({"refresh_token": login["refresh_token"]});
    let renewed = server.api().post("/api/v1/auth/refresh", &body).expect(200).json();
    let user = server.api().with_token(renewed["access_token"].as_str().unwrap());
    user.get("/api/v1/users/me").expect(200);
}
