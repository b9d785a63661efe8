//! What ends a session on one process is seen by the other at its next request.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use serde_json::{Value, json};

use super::Fleet;
use crate::support::{Api, Server};

const ME: &str = "/api/v1/users/me";
/// Each way to end a session, so many times from each process.
const ROUNDS: usize = 16;

/// A user with two sessions.
struct User {
    email: String,
    id: String,
    /// The session that is going to end.
    first: Value,
    /// The token of the session that may end it.
    second: String,
}

fn text(value: &Value) -> &str {
    value.as_str().expect("a text")
}

impl User {
    /// Signs in twice, on different processes.
    fn new(fleet: &Fleet) -> Self {
        let (email, first) = fleet.server(0).new_login();
        let second = fleet.api(1).login(&email, Server::password()).expect(200).json();
        Self {
            email,
            id: text(&first["user"]["id"]).to_owned(),
            second: text(&second["access_token"]).to_owned(),
            first,
        }
    }

    fn token(&self) -> &str {
        text(&self.first["access_token"])
    }
}

/// A way to end the user's first session; gets the user, a client of the process that shall do it,
/// and an administrator there.
type Ending = fn(&User, &Api, &Api);

const ENDINGS: [(&str, Ending); 8] = [
    ("logout", |user, api, _| {
        api.with_token(user.token()).send("POST", "/api/v1/auth/logout", None).expect(204);
    }),
    ("revoke", |user, api, _| {
        let path = format!("/api/v1/auth/sessions/{}", text(&user.first["session_id"]));
        api.with_token(&user.second).delete(&path).expect(204);
    }),
    ("revoke all", |user, api, _| {
        api.with_token(&user.second).delete("/api/v1/auth/sessions").expect(204);
    }),
    ("change the password", |user, api, _| {
        let body = json!({"current_password": Server::password(), "new_password": "a-new-course-for-home"});
        let api = api.with_token(&user.second);
        api.post("/api/v1/auth/change-password", &body).expect(204);
        api.get(ME).expect(200);
    }),
    ("use a refresh token twice", |user, api, _| {
        let body = json!({"refresh_token": user.first["refresh_token"]});
        api.post("/api/v1/auth/refresh", &body).expect(200);
        let again = api.post("/api/v1/auth/refresh", &body).expect(401);
        assert_eq!(again.code(), "refresh_token_reused");
    }),
    ("delete oneself", |user, api, _| {
        api.with_token(&user.second).delete(ME).expect(204);
    }),
    ("be disabled", |user, _, admin| {
        let path = format!("/api/v1/users/{}", user.id);
        admin.patch(&path, &json!({"disabled": true})).expect(200);
    }),
    ("be deleted", |user, _, admin| {
        admin.delete(&format!("/api/v1/users/{}", user.id)).expect(204);
    }),
];

#[test]
fn what_ends_a_session_on_one_process_ends_it_on_the_other() {
    let fleet = Fleet::shared();
    let admins = [fleet.server(0).admin(), fleet.server(1).admin()];
    let apis = [fleet.api(0), fleet.api(1)];
    for round in 0..ROUNDS {
        for here in [0, 1] {
            for (name, end) in ENDINGS {
                let user = User::new(fleet);
                let eyes: Vec<Api> =
                    [1 - here, here].iter().flat_map(|p| fleet.apis(*p, user.token())).collect();
                // Warm caches: the session's answer, and the verified token, on every thread.
                for api in &eyes {
                    api.get(ME).expect(200);
                }
                end(&user, &apis[here], &admins[here]);
                for (number, api) in eyes.iter().enumerate() {
                    let status = api.get(ME).status;
                    assert_eq!(
                        status, 401,
                        "{name} on {here}, round {round}, client {number}, {}",
                        user.email
                    );
                }
            }
        }
    }
}

#[test]
fn no_request_that_begins_after_the_answer_to_a_logout_is_served() {
    let fleet = Fleet::shared();
    for round in 0..60 {
        let (_, login) = fleet.server(round % 2).new_login();
        let token = text(&login["access_token"]);
        let (ended, served) = (AtomicBool::new(false), AtomicUsize::new(0));
        std::thread::scope(|scope| {
            for place in [0, 1, 0, 1] {
                let api = fleet.api(place).with_token(token);
                let (ended, served) = (&ended, &served);
                scope.spawn(move || {
                    loop {
                        let is_late = ended.load(Ordering::SeqCst);
                        let status = api.get(ME).status;
                        if is_late {
                            assert_eq!(status, 401, "round {round}, process {place}");
                            return;
                        }
                        assert!(status == 200 || status == 401, "{status}");
                        served.fetch_add(1, Ordering::SeqCst);
                    }
                });
            }
            // Only once the session is in use everywhere.
            outrigger_testkit::wait_until("some requests", super::UP_TIMEOUT, || {
                served.load(Ordering::SeqCst) >= 8
            })
            .expect("the session works");
            let api = fleet.api(1 - round % 2).with_token(token);
            api.send("POST", "/api/v1/auth/logout", None).expect(204);
            ended.store(true, Ordering::SeqCst);
        });
    }
}

#[test]
fn a_changed_role_holds_on_the_other_process_from_the_next_request_on() {
    let fleet = Fleet::shared();
    let admin = fleet.server(0).admin();
    let (_, login) = fleet.server(0).new_login();
    let path = format!("/api/v1/users/{}", text(&login["user"]["id"]));
    let eyes = fleet.apis(1, text(&login["access_token"]));
    for _ in 0..40 {
        for (role, status) in [("admin", 200), ("user", 403)] {
            admin.patch(&path, &json!({"role": role})).expect(200);
            for api in &eyes {
                api.get("/api/v1/users?limit=1").expect(status);
            }
        }
    }
}

#[test]
fn a_session_of_one_process_is_good_on_all_through_the_balancer() {
    let fleet = Fleet::shared();
    let balancer = fleet.balancer();
    let api = Api::new(&balancer.url());
    let (email, login) = fleet.server(0).new_login();
    let user = api.with_token(text(&login["access_token"]));
    let mut tokens = login.clone();
    for _ in 0..40 {
        assert_eq!(user.get(ME).expect(200).json()["email"], email.as_str());
        let body = json!({"refresh_token": tokens["refresh_token"]});
        if tokens["round"].as_u64().unwrap_or(0) < 8 {
            let round = tokens["round"].as_u64().unwrap_or(0) + 1;
            tokens = api.post("/api/v1/auth/refresh", &body).expect(200).json();
            tokens["round"] = round.into();
        }
    }
    user.send("POST", "/api/v1/auth/logout", None).expect(204);
    for _ in 0..8 {
        user.get(ME).expect(401);
    }
}
