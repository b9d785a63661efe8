//! Bad bodies, ids and queries for every operation: a named 4xx with its place, and nothing changed.

use serde_json::{Value, json};

use super::{Call, Operation, World, check_problem, raw};
use crate::support::{ADMIN_EMAIL, ADMIN_PASSWORD, Answer, Api, Backend, Server};

const BODY_BYTES_MAX: usize = 1_048_576;

/// Who may do it, so that only the input is wrong.
fn actor(world: &World, operation: &Operation) -> Api {
    // Of a request that is refused before its body was read, the connection ends.
    match operation.access.as_str() {
        "public" => world.server.api().with("connection", "close"),
        _ => world.admin.with("connection", "close"),
    }
}

#[track_caller]
fn named(operation: &Operation, what: &str, answer: &Answer, status: u16, code: &str) {
    operation.check(what, answer);
    assert_eq!(
        (answer.status, answer.code().as_str()),
        (status, code),
        "{} {what}: {}",
        operation.id,
        answer.text
    );
}

/// Each fault stands at `place` or below.
#[track_caller]
fn placed(operation: &Operation, what: &str, answer: &Answer, place: &str) {
    named(operation, what, answer, 422, "validation_failed");
    let is_below = |at: &String| at == place || at.starts_with(&format!("{place}."));
    assert!(
        answer.places().iter().any(is_below),
        "{} {what}, not at {place}: {}",
        operation.id,
        answer.text
    );
}

#[test]
fn bad_bodies_are_refused_and_named_on_sqlite() {
    bad_bodies_are_refused_and_named(Backend::Sqlite);
}

#[test]
fn bad_bodies_are_refused_and_named_on_postgres_and_redis() {
    bad_bodies_are_refused_and_named(Backend::postgres_and_redis());
}

fn bad_bodies_are_refused_and_named(backend: Backend) {
    let world = World::start(backend);
    // A file may be of any size and type; `files` looks at what is refused of it.
    let bounded = |o: &&Operation| o.body.is_some() && o.id != "files.create";
    let with_body: Vec<&Operation> = world.operations.iter().filter(bounded).collect();
    assert!(with_body.len() >= 12, "{}", with_body.len());
    let before = world.snapshot();
    for operation in with_body {
        let call = world.call(operation, "public");
        let api = actor(&world, operation);
        wrong_type_of_content(operation, &call, &api);
        too_large(&world, operation, &call, &api);
        if operation.body.as_ref().is_some_and(|(media_type, _)| media_type.ends_with("json")) {
            no_good_json(&world, operation, &call, &api);
            no_object(operation, &call, &api);
            wrong_fields(operation, &call, &api);
        } else {
            bad_forms(&world, operation, &api);
        }
    }
    world.assert_unchanged(&before, "bad input");
}

fn wrong_type_of_content(operation: &Operation, call: &Call, api: &Api) {
    let (_, text) = call.body.clone().expect("a body");
    let good =
        operation.body.as_ref().map(|(media_type, _)| media_type.as_str()).unwrap_or_default();
    for media_type in [
        "text/plain",
        "application/xml",
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=x",
        "application/jsonx",
        "json",
        "",
        "application/octet-stream",
    ] {
        if media_type == good {
            continue;
        }
        let answer = api.send(&call.method, &call.path, Some((media_type, text.clone())));
        named(operation, &format!("as {media_type:?}"), &answer, 415, "unsupported_media_type");
    }
    let answer = api.send(&call.method, &call.path, None);
    named(operation, "without a body", &answer, 415, "unsupported_media_type");
}

fn too_large(world: &World, operation: &Operation, call: &Call, api: &Api) {
    let media_type =
        operation.body.as_ref().map(|(media_type, _)| media_type.as_str()).unwrap_or_default();
    let large = format!("{{\"x\":\"{}\"}}", "x".repeat(BODY_BYTES_MAX));
    let answer = api.send(&call.method, &call.path, Some((media_type, large)));
    named(operation, "too large", &answer, 413, "body_too_large");
    // The same in pieces, without a length in front.
    let mut head = format!(
        "{} {} HTTP/1.1\r\nhost: localhost\r\ncontent-type: {media_type}\r\n",
        call.method, call.path
    );
    if !api.token().is_empty() {
        head = format!("{head}authorization: Bearer {}\r\n", api.token());
    }
    head.push_str("transfer-encoding: chunked\r\nconnection: close\r\n\r\n");
    let chunk = [b"10000\r\n".as_slice(), &vec![b'x'; 65_536], b"\r\n"].concat();
    let bytes = [head.into_bytes(), chunk.repeat(17), b"0\r\n\r\n".to_vec()].concat();
    let answer = raw::exchange(world.server.port, &bytes).expect("an answer");
    named(operation, "too large, in pieces", &answer, 413, "body_too_large");
}

fn no_good_json(world: &World, operation: &Operation, call: &Call, api: &Api) {
    let deep = |levels: usize| format!("{{\"x\":{}{}}}", "[".repeat(levels), "]".repeat(levels));
    for (text, code) in [
        (String::new(), "malformed_json"),
        ("{".to_owned(), "malformed_json"),
        ("{\"email\": }".to_owned(), "malformed_json"),
        ("{\"a\":1} x".to_owned(), "malformed_json"),
        ("{'a':1}".to_owned(), "malformed_json"),
        ("{\"a\":01}".to_owned(), "malformed_json"),
        ("{\"a\":NaN}".to_owned(), "malformed_json"),
        ("{\"a\":1e999}".to_owned(), "malformed_json"),
        ("{\"a\":\"\\ud800\"}".to_owned(), "malformed_json"),
        ("{\"a\":\"\u{1}\"}".to_owned(), "malformed_json"),
        ("\u{feff}{}".to_owned(), "malformed_json"),
        (deep(40), "json_too_deep"),
        (deep(100_000), "json_too_deep"),
        ("[".repeat(200_000), "json_too_deep"),
    ] {
        let answer = call.with_body(&text).send(api);
        let what: String = text.chars().take(30).collect();
        named(operation, &what, &answer, 400, code);
        if code == "malformed_json" {
            let detail = answer.json()["detail"].as_str().unwrap_or_default().to_owned();
            assert!(detail.contains("line 1 column"), "the place is missing: {detail}");
        }
    }
    let media_type =
        operation.body.as_ref().map(|(media_type, _)| media_type.clone()).unwrap_or_default();
    let token = format!("Bearer {}", api.token());
    let mut headers = vec![("content-type", media_type.as_str())];
    if !api.token().is_empty() {
        headers.push(("authorization", &token));
    }
    for bytes in [b"{\"a\":\"\xff\"}".as_slice(), b"\xff\xfe{\0}\0", b"\0"] {
        let request = raw::request(&call.method, &call.path, &headers, bytes);
        let answer = raw::exchange(world.server.port, &request).expect("an answer");
        named(operation, "no UTF-8", &answer, 400, "malformed_json");
    }
}

fn no_object(operation: &Operation, call: &Call, api: &Api) {
    for text in ["null", "true", "3", "\"text\"", "[]", "[{}]"] {
        let answer = call.with_body(text).send(api);
        placed(operation, text, &answer, "body");
    }
}

/// Each field in turn: of another type, missing, and one that nobody knows.
fn wrong_fields(operation: &Operation, call: &Call, api: &Api) {
    let Some((_, schema)) = &operation.body else { return };
    if schema.get("additionalProperties") == Some(&Value::Bool(false)) {
        let mut body: Value = serde_json::from_str(&call.body.as_ref().unwrap().1).unwrap();
        body["zzz"] = json!(1);
        let answer = call.with_body(&body.to_string()).send(api);
        placed(operation, "with an unknown field", &answer, "body.zzz");
    }
    let required: Vec<&str> =
        schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
    for name in
        schema["properties"].as_object().into_iter().flatten().map(|(name, _)| name.as_str())
    {
        let good: Value = serde_json::from_str(&call.body.as_ref().unwrap().1).unwrap();
        if required.contains(&name) {
            let mut body = good.clone();
            body.as_object_mut().unwrap().remove(name);
            let answer = call.with_body(&body.to_string()).send(api);
            placed(operation, &format!("without {name}"), &answer, &format!("body.{name}"));
        }
        // No field takes numbers and texts and lists: at least one of these is wrong.
        let wrong = [json!(42.5), json!("\u{0}"), json!([[1]]), json!({"x": [1]})];
        let types = schema["properties"][name].clone();
        let answers = wrong.iter().filter(|value| !fits(&types, value)).map(|value| {
            let mut body = good.clone();
            body[name] = value.clone();
            let answer = call.with_body(&body.to_string()).send(api);
            placed(operation, &format!("{name} = {value}"), &answer, &format!("body.{name}"));
        });
        let takes_anything = wrong.iter().all(|value| fits(&types, value));
        assert!(
            answers.count() > 0 || takes_anything,
            "{}: nothing is wrong for {name}",
            operation.id
        );
    }
}

/// Whether the property may be of this value's type.
fn fits(property: &Value, value: &Value) -> bool {
    let kind = match value {
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
        _ => "number",
    };
    let text = property.to_string();
    let is_any = property.as_bool() == Some(true)
        || (property.get("type").is_none() && !text.contains("$ref") && !text.contains("anyOf"));
    is_any || text.contains(&format!("\"{kind}\"")) || (kind == "object" && text.contains("$ref"))
}

fn bad_forms(world: &World, operation: &Operation, api: &Api) {
    let call = world.call(operation, "public");
    let form = |text: &str| call.with_body(text).send(api);
    for (text, place) in [
        ("", "body.username"),
        ("password=x", "body.username"),
        ("username=a%40example.com", "body.password"),
        ("username=a&username=b&password=c", "body.username"),
        ("username=a&password=c&grant_type=refresh_token", "body.grant_type"),
        ("=&&&=&%", "body"),
    ] {
        placed(operation, text, &form(text), place);
    }
    for text in ["username=%ff%fe&password=%00", "username=%zz&password=%", "username=+&password=+"]
    {
        let answer = form(text);
        operation.check(text, &answer);
        assert_eq!(answer.status, 401, "{}", answer.text);
    }
}

#[test]
fn data_that_does_not_fit_its_collection_is_refused_at_its_place() {
    let world = World::start(Backend::Sqlite);
    let schema = json!({"type": "object", "required": ["title"], "additionalProperties": false,
        "properties": {"title": {"type": "string", "maxLength": 5}, "tags": {"type": "array", "items": {"type": "integer"}}}});
    let collection = world.server.collection(&json!({"schema": schema, "indexes": ["title"]}));
    let path = format!("/api/v1/records/{collection}");
    let one = format!("{path}/one");
    world.admin.put(&one, &json!({"title": "good"})).expect(201);
    let find = |id: &str| world.operations.iter().find(|o| o.id == id).unwrap();
    for (data, place) in [
        (json!({}), "body.title"),
        (json!({"title": 3}), "body.title"),
        (json!({"title": "too long"}), "body.title"),
        (json!({"title": "ok", "tags": [1, "x"]}), "body.tags.1"),
        (json!({"title": "ok", "zzz": 1}), "body.zzz"),
    ] {
        placed(find("records.create"), "create", &world.admin.post(&path, &data), place);
        placed(find("records.replace"), "replace", &world.admin.put(&one, &data), place);
        let put = json!({"op": "put", "collection": collection, "id": "one", "data": data});
        let answer = world.admin.post("/api/v1/batch", &json!({"operations": [put]}));
        placed(
            find("records.batch"),
            "batch",
            &answer,
            &place.replace("body", "body.operations.0.data"),
        );
    }
    placed(
        find("records.patch"),
        "patch",
        &world.admin.patch(&one, &json!({"title": null})),
        "body.title",
    );
    let large = json!({"title": "x".repeat(300_000)});
    for answer in [world.admin.put(&one, &large), world.admin.post(&path, &large)] {
        check_problem("too large", &answer);
        assert_eq!((answer.status, answer.code().as_str()), (413, "record_too_large"));
    }
    let record = world.admin.get(&one).expect(200).json();
    assert_eq!((record["version"].as_u64(), &record["data"]), (Some(1), &json!({"title": "good"})));
}

#[test]
fn wrong_ids_are_refused() {
    /// What makes what it names; a queue is there once it is named.
    const TAKES_NEW: [&str; 6] = [
        "records.replace",
        "collections.put",
        "schedules.put",
        "queues.lease",
        "queues.pause",
        "queues.resume",
    ];

    let world = World::start(Backend::Sqlite);
    let before = world.snapshot();
    let long = "x".repeat(65);
    let ids = [
        "nothing", "%00", "a%2Fb", "..%2f..", "%2e%2e", "%ff", "%c3%a9", "a%20b", "a.b", "'%3B--",
        "%25", "me%00", &long,
    ];
    let (mut asked, api) = (0, world.admin.with("connection", "close"));
    for operation in world.operations.iter().filter(|o| o.has_path_parameters()) {
        for id in ids {
            let good = world.call(operation, "public");
            // The last parameter, then all of them.
            let (front, _) = good.path.rsplit_once('/').unwrap();
            let everywhere =
                operation.path.split('/').map(|part| if part.starts_with('{') { id } else { part });
            for path in [format!("{front}/{id}"), everywhere.collect::<Vec<_>>().join("/")] {
                let is_name = id == "nothing" || id == "a.b" && !operation.id.starts_with("rec");
                if TAKES_NEW.contains(&operation.id.as_str()) && is_name {
                    continue;
                }
                let answer = Call { path, ..good.clone() }.send(&api);
                operation.check(id, &answer);
                assert!(
                    (400..500).contains(&answer.status),
                    "{} {id}: {}",
                    operation.id,
                    answer.status
                );
                asked += 1;
            }
        }
    }
    assert!(asked > 200, "{asked}");
    world.assert_unchanged(&before, "a wrong id");
}

#[test]
fn wrong_queries_are_refused_at_their_place() {
    let world = World::start(Backend::Sqlite);
    let lists: Vec<&Operation> = world.operations.iter().filter(|o| o.is_list).collect();
    assert!(lists.len() >= 7, "{}", lists.len());
    for operation in lists {
        let path = world.call(operation, "public").path;
        let ask = |query: &str| world.admin.get(&format!("{path}?{query}"));
        for (query, place) in [
            ("limit=0", "query.limit"),
            ("limit=101", "query.limit"),
            ("limit=-1", "query.limit"),
            ("limit=1.5", "query.limit"),
            ("limit=abc", "query.limit"),
            ("limit=", "query.limit"),
            ("limit=99999999999999999999", "query.limit"),
            ("cursor=%ff", "query.cursor"),
            ("cursor=no/cursor", "query.cursor"),
            ("cursor=", "query.cursor"),
            ("cursor=nonsense", "query.cursor"),
            ("cursor=bm9uc2Vuc2U", "query.cursor"),
            ("zzz=1", "query.zzz"),
            ("limit=5&limit=6", "query.limit"),
            ("cursor=a&cursor=a", "query.cursor"),
        ] {
            placed(operation, query, &ask(query), place);
        }
        let answer = ask(&format!("cursor={}", "x".repeat(9_000)));
        named(operation, "a long query", &answer, 413, "query_too_long");
        ask("").expect(200);
    }
    let operation = world.operations.iter().find(|o| o.id == "records.list").unwrap();
    let path = world.call(operation, "public").path;
    for (query, place) in [
        ("sort=nothing", "query.sort"),
        ("sort=", "query.sort"),
        ("nothing[gt]=1", "query.nothing"),
        ("n[foo]=1", "query.n"),
        ("n[gt=1", "query.n"),
        ("[gt]=1", "query"),
    ] {
        let answer = world.admin.get(&format!("{path}?{query}"));
        operation.check(query, &answer);
        assert_eq!(answer.status, 422, "{query}: {}", answer.text);
        assert!(answer.places().iter().any(|at| at.starts_with(place)), "{query}: {}", answer.text);
    }
}

#[test]
fn a_cursor_of_one_list_is_none_of_another() {
    let world = World::start(Backend::Sqlite);
    let other = world.server.api().login(&world.other.email, Server::password()).expect(200);
    let other = world.server.api().with_token(other.json()["access_token"].as_str().unwrap());
    for collection in ["one", "two"] {
        world.server.collection(&json!({"schema": {"title": collection}}));
    }
    world.admin.login(ADMIN_EMAIL, ADMIN_PASSWORD).expect(200);
    let operation = world.operations.iter().find(|o| o.id == "records.list").unwrap();
    let records = world.call(operation, "public").path;
    world.admin.post(&records, &json!({"n": 5})).expect(201);
    let lists = ["/api/v1/auth/sessions", "/api/v1/users", "/api/v1/collections", &records];
    let page = |list: &str| world.admin.get(&format!("{list}?limit=1")).expect(200).json();
    let cursors = lists.map(|list| page(list)["next_cursor"].as_str().expect("a page").to_owned());
    let refused = |answer: &Answer| {
        operation.check("a cursor of another list", answer);
        assert_eq!(answer.status, 422, "{}", answer.text);
        assert_eq!(answer.json()["errors"][0]["code"], "invalid_cursor", "{}", answer.text);
        assert_eq!(answer.places(), ["query.cursor"]);
    };
    for (at, list) in lists.iter().enumerate() {
        for (of, cursor) in cursors.iter().enumerate() {
            let answer = world.admin.get(&format!("{list}?cursor={cursor}"));
            if of == at {
                answer.expect(200);
            } else {
                refused(&answer);
            }
        }
    }
    refused(&other.get(&format!("{}?cursor={}", lists[0], cursors[0])));
    for query in ["sort=n", "n=5"] {
        refused(&world.admin.get(&format!("{records}?{query}&cursor={}", cursors[3])));
    }
}

#[test]
fn wrong_headers_are_refused_at_their_place() {
    let world = World::start(Backend::Sqlite);
    let find = |id: &str| world.operations.iter().find(|o| o.id == id).unwrap();
    let long = "k".repeat(256);
    for id in ["records.create", "records.batch", "auth.register"] {
        let operation = find(id);
        for key in ["", long.as_str()] {
            let api = actor(&world, operation).with("idempotency-key", key);
            let answer = world.call(operation, "public").send(&api);
            placed(operation, key, &answer, "header.Idempotency-Key");
        }
        let api = actor(&world, operation).with("idempotency-key", "the-same-key");
        let call = world.call(operation, "public");
        assert!(call.send(&api).status < 300);
        assert!(call.send(&api).status < 300, "the same again");
        let other = call.with_body(
            &call
                .body
                .as_ref()
                .unwrap()
                .1
                .replace('4', "5")
                .replace("\"n\":2", "\"n\":3")
                .replace("swept", "other"),
        );
        placed(operation, "another body", &other.send(&api), "header.Idempotency-Key");
    }
    for id in ["records.replace", "records.patch", "records.delete"] {
        for tag in ["nonsense", "\"1\"", "W/\"1-1\"", ""] {
            let answer = world.call(find(id), "public").send(&world.admin.with("if-match", tag));
            find(id).check(tag, &answer);
            assert_eq!(
                (answer.status, answer.code().as_str()),
                (412, "if_match_failed"),
                "{id} {tag:?}"
            );
        }
    }
}
