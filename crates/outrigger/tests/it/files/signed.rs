//! Uploads to the object storage itself.

use serde_json::json;

use crate::support::on_sqlite;

#[test]
fn without_object_storage_nothing_is_signed() {
    let server = on_sqlite();
    let answer = server.user().post("/api/v1/files/uploads", &json!({"size": 5})).expect(409);
    assert_eq!(answer.code(), "no_signed_uploads");
}

#[cfg(feature = "s3")]
mod s3 {
    use super::*;
    use crate::files::client::Client;
    use crate::files::{in_s3, kept, on_s3};
    use crate::support::{Server, unique};

    fn put(upload: &serde_json::Value, bytes: &[u8]) -> u16 {
        let agent: ureq::Agent =
            ureq::Agent::config_builder().http_status_as_error(false).build().into();
        let mut request = agent.put(upload["url"].as_str().unwrap());
        for (name, value) in upload["headers"].as_object().unwrap() {
            request = request.header(name, value.as_str().unwrap());
        }
        request.send(bytes).unwrap().status().as_u16()
    }

    #[test]
    fn a_client_uploads_by_itself_and_tells_when_it_has() {
        let server = on_s3();
        let (user, other) = (server.user(), server.user());
        let name = unique("photo-");
        let new = json!({"name": name, "size": 11, "read": "public", "media_type": "text/csv"});
        let upload = user.post("/api/v1/files/uploads", &new).expect(201).json();
        let id = upload["id"].as_str().unwrap();
        let complete = format!("/api/v1/files/uploads/{id}/complete");
        assert_eq!(user.post(&complete, &json!({})).expect(409).code(), "not_uploaded");
        user.get(&format!("/api/v1/files/{id}")).expect(404);
        assert_eq!(put(&upload, b"a,b,c\n1,2,3"), 200);
        assert_eq!(put(&upload, b"x,y,z\n1,2,3"), 412, "only once");
        other.post(&complete, &json!({})).expect(404);
        user.get(&format!("/api/v1/files/{id}")).expect(404);
        let file = user.post(&complete, &json!({})).expect(200).json();
        assert_eq!(file["media_type"], "text/csv");
        assert_eq!((&file["name"], &file["sha256"]), (&json!(name), &json!(null)));
        assert_eq!(user.post(&complete, &json!({})).expect(200).json(), file);
        other.post(&complete, &json!({})).expect(404);
        let nobody = server.api();
        let content = Client::of(&nobody, server.port).get(&format!("/{id}/content"), &[]);
        assert_eq!(content.expect(200).body, b"a,b,c\n1,2,3");
        user.delete(&format!("/api/v1/files/{id}")).expect(204);
        assert!(!kept(server).iter().any(|key| key.contains(id)));
    }

    #[test]
    fn what_is_not_what_was_announced_is_removed() {
        let options = in_s3()
            .set("OUTRIGGER__FILES__SIZE_BYTES_MAX", "100")
            .set("OUTRIGGER__FILES__TYPES", "image/*");
        let server = Server::start(&options);
        let user = server.user();
        user.post("/api/v1/files/uploads", &json!({"size": 101})).expect(413);
        user.post("/api/v1/files/uploads", &json!({"size": -1})).expect(422);
        user.post("/api/v1/files/uploads", &json!({})).expect(422);
        server.api().post("/api/v1/files/uploads", &json!({"size": 1})).expect(401);
        for (size, bytes, status) in
            [(5, b"\x89PNG\r\n\x1a\n".as_slice(), 422), (8, b"no image".as_slice(), 415)]
        {
            let upload = user.post("/api/v1/files/uploads", &json!({"size": size})).expect(201);
            let upload = upload.json();
            assert_eq!(put(&upload, bytes), 200);
            let id = upload["id"].as_str().unwrap();
            let complete = format!("/api/v1/files/uploads/{id}/complete");
            user.post(&complete, &json!({})).expect(status);
            assert!(!kept(&server).iter().any(|key| key.contains(id)), "it is removed");
            // Nothing can be made of it any more, also when it is uploaded again.
            assert_eq!(put(&upload, b"\x89PNG\r\n\x1a\n"), 200);
            user.post(&complete, &json!({})).expect(404);
            user.get(&format!("/api/v1/files/{id}")).expect(404);
        }
    }
}
