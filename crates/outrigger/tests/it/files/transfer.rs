//! What goes up comes down: whole, in ranges, or not again.

use serde_json::json;

use super::client::{Client, form};
use super::on_each_backend_and_s3;
use crate::support::Server;

on_each_backend_and_s3!(
    a_file_goes_up_and_comes_down,
    a_form_is_taken_field_by_field,
    ranges_and_conditions_are_those_of_http,
    a_repeated_request_makes_one_file,
    files_are_listed_and_deleted,
);

const PNG: &[u8] = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR and so on";

fn a_file_goes_up_and_comes_down(server: &Server) {
    let user = server.user();
    let client = Client::of(&user, server.port);
    let sent = [("content-type", "text/html")];
    let made = client.post("?name=%2Fhome%2Fme%2FHolid%C3%A4y%20%22me%22.png", &sent, PNG);
    let made = made.expect(201);
    let file = made.json();
    assert_eq!(made.header("location"), format!("/api/v1/files/{}", made.id()));
    assert_eq!(file["name"], "Holidäy \"me\".png");
    assert_eq!((&file["media_type"], &file["size"]), (&json!("image/png"), &json!(PNG.len())));
    assert_eq!(file["read"], "owner");
    assert!(file["id"].as_str().unwrap().starts_with("fil_"), "{file}");
    assert_eq!(client.get(&format!("/{}", made.id()), &[]).expect(200).json(), file);
    let content = client.get(&format!("/{}/content", made.id()), &[]).expect(200);
    assert_eq!(content.body, PNG);
    for (name, value) in [
        ("content-type", "image/png"),
        ("content-length", &PNG.len().to_string()),
        ("accept-ranges", "bytes"),
        ("x-content-type-options", "nosniff"),
        ("content-security-policy", "default-src 'none'; sandbox"),
        ("cache-control", "private, no-cache"),
        (
            "content-disposition",
            "inline; filename=\"Holid_y _me_.png\"; filename*=UTF-8''Holid%C3%A4y%20%22me%22.png",
        ),
    ] {
        assert_eq!(content.header(name), value, "{name}");
    }
    let page = client.post("?name=a.html", &sent, b"<script>alert(1)</script>").expect(201);
    let content = client.get(&format!("/{}/content", page.id()), &[]).expect(200);
    assert!(content.header("content-disposition").starts_with("attachment; "), "it is not shown");
    let empty = client.post("", &[], b"").expect(201);
    assert_eq!(client.get(&format!("/{}/content", empty.id()), &[]).expect(200).body, b"");
}

fn a_form_is_taken_field_by_field(server: &Server) {
    let user = server.user();
    let client = Client::of(&user, server.port);
    let bytes = [b"\r\n--frontie".as_slice(), &[0, 255, 13, 10], b"--frontie-not"].concat();
    let (kind, body) = form(&[("read", "user")], ("a.bin", "application/x-thing", &bytes));
    let made = client.post("", &[("content-type", &kind)], &body).expect(201);
    assert_eq!(made.json()["name"], "a.bin");
    assert_eq!((&made.json()["read"], &made.json()["size"]), (&json!("user"), &json!(bytes.len())));
    let content = client.get(&format!("/{}/content", made.id()), &[]).expect(200);
    assert_eq!(content.body, bytes);
    let (_, late) = form(&[], ("a", "text/plain", b"x"));
    let late = [
        &late[..late.len() - 4],
        b"\r\nContent-Disposition: form-data; name=\"read\"\r\n\r\nuser\r\n--frontier--\r\n",
    ]
    .concat();
    for (fields, body, status, place) in [
        (
            "an unknown field",
            form(&[("colour", "red")], ("a", "text/plain", b"x")).1,
            422,
            "colour",
        ),
        ("no rule", form(&[("read", "everybody")], ("a", "text/plain", b"x")).1, 422, "read"),
        (
            "a long field",
            form(&[("read", &"x".repeat(500))], ("a", "text/plain", b"x")).1,
            422,
            "read",
        ),
        ("a field behind the file", late, 422, "read"),
        ("no file", b"--frontier--\r\n".to_vec(), 422, "file"),
        ("no form", b"hello".to_vec(), 400, ""),
        ("a form that ends early", body[..body.len() - 20].to_vec(), 400, ""),
    ] {
        let answer = client.post("", &[("content-type", &kind)], &body);
        assert_eq!(answer.status, status, "{fields}: {}", answer.json());
        if status == 422 {
            assert_eq!(answer.json()["errors"][0]["loc"], json!(["body", place]), "{fields}");
        }
    }
    client.post("", &[("content-type", "multipart/form-data")], b"x").expect(400);
    assert_eq!(client.get("", &[]).expect(200).json()["items"].as_array().unwrap().len(), 1);
}

fn ranges_and_conditions_are_those_of_http(server: &Server) {
    let user = server.user();
    let client = Client::of(&user, server.port);
    let bytes: Vec<u8> = (0..700_000_u32).map(|at| u8::try_from(at % 253).unwrap()).collect();
    let made = client.post("", &[], &bytes).expect(201);
    let path = format!("/{}/content", made.id());
    for (range, start, end) in [
        ("bytes=0-0", 0, 1),
        ("bytes=300000-600000", 300_000, 600_001),
        ("bytes=699990-", 699_990, 700_000),
        ("bytes=-5", 699_995, 700_000),
        ("bytes=699999-999999", 699_999, 700_000),
    ] {
        let part = client.get(&path, &[("range", range)]).expect(206);
        assert!(part.body == bytes[start..end], "{range}");
        let expected = format!("bytes {start}-{}/700000", end - 1);
        assert_eq!(part.header("content-range"), expected, "{range}");
    }
    for range in ["bytes=0-1,5-6", "lines=0-1", "bytes=5-1"] {
        assert_eq!(
            client.get(&path, &[("range", range)]).expect(200).body.len(),
            700_000,
            "{range}"
        );
    }
    let none = client.get(&path, &[("range", "bytes=700000-")]).expect(416);
    assert_eq!(none.header("content-range"), "bytes */700000");
    assert_eq!(none.json()["code"], "range_not_satisfiable");
    let whole = client.get(&path, &[]).expect(200);
    let etag = whole.header("etag").to_owned();
    assert!(etag.starts_with('"'), "{etag}");
    assert_eq!(client.get(&path, &[("if-none-match", &etag)]).expect(304).body, b"");
    client.get(&path, &[("if-none-match", "\"other\"")]).expect(200);
    client.get(&path, &[("if-match", "\"other\"")]).expect(412);
    let weak = format!("W/{etag}");
    client.get(&path, &[("if-none-match", &weak)]).expect(304);
    client.get(&path, &[("if-match", &weak)]).expect(412);
    client.get(&path, &[("if-match", &format!("{weak}, {etag}"))]).expect(200);
    client.get(&path, &[("if-match", "*")]).expect(200);
    let range = ("range", "bytes=1-2");
    client.get(&path, &[range, ("if-range", &etag)]).expect(206);
    client.get(&path, &[range, ("if-range", "\"other\"")]).expect(200);
    client.get(&path, &[range, ("if-range", &weak)]).expect(200);
    // A range is of a GET only.
    for user in [&user, &user.with("range", "bytes=1-2"), &user.with("range", "bytes=700000-")] {
        let head = user.send("HEAD", &format!("/api/v1/files{path}"), None).expect(200);
        assert_eq!((head.header("content-length"), head.text.as_str()), ("700000", ""));
        assert_eq!(head.header("content-range"), "");
    }
}

fn a_repeated_request_makes_one_file(server: &Server) {
    let user = server.user();
    let client = Client::of(&user, server.port);
    let key = [("idempotency-key", "upload-1"), ("content-type", "text/plain")];
    let first = client.post("?name=a.txt", &key, b"words").expect(201);
    let again = client.post("?name=a.txt", &key, b"words").expect(201);
    assert_eq!((first.id(), first.json()), (again.id(), again.json()));
    let other = client.post("?name=a.txt", &key, b"other words").expect(422);
    assert_eq!(other.json()["errors"][0]["code"], "key_reused");
    assert_eq!(client.get("", &[]).expect(200).json()["items"].as_array().unwrap().len(), 1);
}

fn files_are_listed_and_deleted(server: &Server) {
    let user = server.user();
    let client = Client::of(&user, server.port);
    let ids: Vec<String> = (0..5).map(|_| client.post("", &[], b"x").expect(201).id()).collect();
    let (mut listed, mut cursor) = (Vec::new(), String::new());
    loop {
        let page = client.get(&format!("?limit=2{cursor}"), &[]).expect(200).json();
        let items = page["items"].as_array().unwrap();
        listed.extend(items.iter().map(|file| file["id"].as_str().unwrap().to_owned()));
        let Some(next) = page["next_cursor"].as_str() else { break };
        cursor = format!("&cursor={next}");
    }
    assert_eq!(listed, ids.iter().rev().cloned().collect::<Vec<_>>(), "the newest first");
    user.delete(&format!("/api/v1/files/{}", ids[2])).expect(204);
    user.delete(&format!("/api/v1/files/{}", ids[2])).expect(404);
    client.get(&format!("/{}", ids[2]), &[]).expect(404);
    client.get(&format!("/{}/content", ids[2]), &[]).expect(404);
    assert!(!super::kept(server).iter().any(|name| name.contains(&ids[2])), "the blob is gone");
    assert_eq!(client.get("", &[]).expect(200).json()["items"].as_array().unwrap().len(), 4);
}
