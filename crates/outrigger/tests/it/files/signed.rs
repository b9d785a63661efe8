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
            // The length is that of what is sent, as in a browser.
            if name != "content-length" {
                request = request.header(name, value.as_str().unwrap());
            }
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
    fn a_repeated_request_begins_one_upload() {
        let server = on_s3();
        let user = server.user().with("idempotency-key", "film");
        let sign = |size: u64| user.post("/api/v1/files/uploads", &json!({"size": size}));
        let first = sign(5).expect(201).json();
        let again = sign(5).expect(201).json();
        assert_eq!((&first["id"], &first["expires_at"]), (&again["id"], &again["expires_at"]));
        assert_eq!(sign(6).expect(422).json()["errors"][0]["code"], "key_reused");
        assert_eq!(put(&again, b"words"), 200);
        assert_eq!(put(&first, b"words"), 412, "both write the same");
        let complete = format!("/api/v1/files/uploads/{}/complete", first["id"].as_str().unwrap());
        server.user().post(&complete, &json!({})).expect(404);
        user.post(&complete, &json!({})).expect(200);
    }

    #[test]
    fn more_than_one_request_carries_is_refused() {
        let server = Server::start(&in_s3().set("OUTRIGGER__FILES__SIZE_BYTES_MAX", "9000000000"));
        let user = server.user();
        let sign = |size: u64| user.post("/api/v1/files/uploads", &json!({"size": size}));
        sign(5 << 30).expect(201);
        assert_eq!(sign((5 << 30) + 1).expect(413).code(), "upload_too_large");
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
        let sign = |size: usize| {
            user.post("/api/v1/files/uploads", &json!({"size": size})).expect(201).json()
        };
        let image = b"\x89PNG\r\n\x1a\n".as_slice();
        for size in [image.len() - 1, image.len() + 1] {
            assert_eq!(put(&sign(size), image), 403, "the length is signed");
        }
        assert_eq!(kept(&server), [""; 0]);
        let upload = sign(8);
        assert_eq!(put(&upload, b"no image"), 200);
        let id = upload["id"].as_str().unwrap();
        let complete = format!("/api/v1/files/uploads/{id}/complete");
        user.post(&complete, &json!({})).expect(415);
        assert!(!kept(&server).iter().any(|key| key.contains(id)), "it is removed");
        // Nothing can be made of it any more, also when it is uploaded again.
        assert_eq!(put(&upload, image), 200);
        user.post(&complete, &json!({})).expect(404);
        user.get(&format!("/api/v1/files/{id}")).expect(404);
    }
}
