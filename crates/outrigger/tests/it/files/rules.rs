//! Who may read, list and delete which files.

use std::time::Duration;

use outrigger_testkit::wait_until;
use serde_json::json;

use super::client::Client;
use super::{in_folder, kept, on_each_backend_and_s3};
use crate::audit::entry;
use crate::support::Server;

on_each_backend_and_s3!(a_file_is_for_whom_its_rule_names);

fn a_file_is_for_whom_its_rule_names(server: &Server) {
    let (owner, other, admin) = (server.user(), server.user(), server.admin());
    let nobody = server.api();
    let client = |api| Client::of(api, server.port);
    assert_eq!(client(&nobody).post("", &[], b"x").status, 401);
    for (read, for_other, for_nobody) in [
        ("owner", 404, 401),
        ("user", 200, 401),
        ("public", 200, 200),
        ("admin", 403, 401),
        ("role:editor", 403, 401),
    ] {
        let made = client(&owner).post(&format!("?read={read}"), &[], b"words").expect(201);
        for path in [format!("/{}", made.id()), format!("/{}/content", made.id())] {
            for (api, status) in
                [(&owner, 200), (&admin, 200), (&other, for_other), (&nobody, for_nobody)]
            {
                let answer = client(api).get(&path, &[]);
                assert_eq!(answer.status, status, "{read} {path}");
                assert!(status == 200 || !answer.body.windows(5).any(|part| part == b"words"));
            }
        }
        let path = format!("/api/v1/files/{}", made.id());
        nobody.delete(&path).expect(401);
        other.delete(&path).expect(404);
        let id = client(&owner).get("", &[]).expect(200).json()["items"][0]["owner"].clone();
        let listing = format!("?owner={}", id.as_str().unwrap());
        assert_eq!(client(&other).get(&listing, &[]).status, 403);
        assert_eq!(
            client(&admin).get(&listing, &[]).expect(200).json()["items"][0]["id"],
            made.id()
        );
        admin.delete(&path).expect(204);
    }
    client(&other).get("?colour=red", &[]).expect(422);
    client(&other).get("/no%20id", &[]).expect(404);
    client(&owner).post("?read=everybody", &[], b"x").expect(422);
}

#[test]
fn a_deployment_says_who_may_upload() {
    let server = Server::start(&in_folder().set("OUTRIGGER__FILES__CREATE", "admin"));
    let (user, admin) = (server.user(), server.admin());
    Client::of(&user, server.port).post("", &[], b"x").expect(403);
    Client::of(&admin, server.port).post("", &[], b"x").expect(201);
}

#[test]
fn files_go_with_the_account_of_their_owner() {
    // It is swept ten times as often.
    let server = Server::start(&in_folder().set("OUTRIGGER__FILES__UNFINISHED_S", "60"));
    let (admin, owner, other) = (server.admin(), server.user(), server.user());
    let client = |api| Client::of(api, server.port);
    let gone = client(&owner).post("?read=public", &[], b"mine").expect(201).id();
    let stays = client(&other).post("", &[], b"theirs").expect(201).id();
    owner.delete("/api/v1/users/me").expect(204);
    wait_until("its file is gone", Duration::from_secs(120), || {
        kept(&server).len() == 1 && client(&admin).get(&format!("/{gone}"), &[]).status == 404
    })
    .unwrap();
    client(&other).get(&format!("/{stays}/content"), &[]).expect(200);
    let told = entry(&admin, |it| it["action"] == "files.deleted_with_owner").expect("an entry");
    assert_eq!(told["details"]["files"], json!([gone]));
}
