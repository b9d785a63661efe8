//! What an administrator does in the console.

use outrigger_testkit::Browser;
use serde_json::{Value, json};

use super::Window;
use crate::audit::entry;
use crate::support::{ADMIN_EMAIL, Server, dead, on_sqlite_and_postgres, unique};

on_sqlite_and_postgres!(
    signs_in_and_out,
    creates_a_collection_and_edits_a_record,
    keeps_what_was_typed_and_what_it_does_not_show,
    looks_after_tasks,
    revokes_a_session,
);

fn signs_in_and_out(server: &Server) {
    let browser = Browser::start().unwrap();
    let window = Window::open(&browser, server);
    let page = &window.page;
    page.open_url(&window.base).unwrap();
    page.fill("input[name=email]", ADMIN_EMAIL).unwrap();
    page.fill("input[name=password]", "not-the-password").unwrap();
    page.press("Sign in").unwrap();
    page.wait_for_text("wrong").unwrap();
    window.keep("sign-in");
    window.sign_in();
    page.wait_for_text(ADMIN_EMAIL).unwrap();
    window.keep("signed-in");
    assert_eq!(page.evaluate("document.cookie").unwrap(), "", "no script reads the cookies");
    // The session outlives the page, and is the same in another tab of the same browser.
    window.go("users");
    page.wait_for_text(ADMIN_EMAIL).unwrap();
    // By keyboard alone.
    page.key("g").unwrap();
    page.key("t").unwrap();
    page.until("location.pathname === '/console/tasks'").unwrap();
    page.press("Sign out").unwrap();
    page.wait_for("input[name=password]").unwrap();
    page.open_url(&format!("{}/users", window.base)).unwrap();
    page.wait_for("input[name=password]").unwrap();
    window.assert_faultless();
}

fn creates_a_collection_and_edits_a_record(server: &Server) {
    let browser = Browser::start().unwrap();
    let window = Window::open(&browser, server);
    let (page, name) = (&window.page, unique("orders-"));
    window.sign_in();
    window.go("new-collection");
    let schema = json!({
        "type": "object", "required": ["customer"], "additionalProperties": false,
        "properties": {
            "customer": {"type": "string", "minLength": 3},
            "status": {"enum": ["open", "paid"]},
            "total": {"type": "number", "minimum": 0},
        },
    });
    page.fill("[data-name=name] input", &name).unwrap();
    page.fill("[data-name=schema] textarea", "{\"type\": ").unwrap();
    page.press("Create").unwrap();
    page.wait_for_text("not JSON").unwrap();
    page.fill("[data-name=schema] textarea", &schema.to_string()).unwrap();
    page.fill("[data-name=indexes] textarea", "customer\nno such field!").unwrap();
    page.press("Create").unwrap();
    page.wait_for("[data-name=indexes] [aria-invalid]").unwrap();
    page.fill("[data-name=indexes] textarea", "customer").unwrap();
    page.press("Create").unwrap();
    page.wait_for_text("No records yet").unwrap();
    window.keep("collection-created");

    window.go(&format!("collections/{name}/new"));
    page.fill("[data-name=customer] input", "Ad").unwrap();
    page.fill("[data-name=total] input", "12.5").unwrap();
    page.press("Create").unwrap();
    page.wait_for("[data-name=customer] [aria-invalid]").unwrap();
    window.keep("record-refused");
    page.fill("[data-name=customer] input", "Ada <b>Lovelace</b>").unwrap();
    page.press("Create").unwrap();
    page.until("/records\\/rec_/.test(location.pathname)").unwrap();
    window.settle();
    page.fill("[data-name=customer] input", "Ada Lovelace").unwrap();
    page.press("Save").unwrap();
    page.wait_for_text("Saved.").unwrap();
    window.keep("record-edited");
    let list = format!("/api/v1/records/{name}");
    let stored = server.admin().get(&list).expect(200).json()["items"][0].clone();
    assert_eq!(stored["data"], json!({"customer": "Ada Lovelace", "total": 12.5}));
    assert_eq!(stored["version"], 2);

    // Somebody else is quicker.
    let path = format!("{list}/{}", stored["id"].as_str().unwrap());
    window.go(&path
        .replace("/api/v1/records/", "collections/")
        .replace(&name, &format!("{name}/records")));
    server.admin().put(&path, &json!({"customer": "Grace"})).expect(200);
    page.fill("[data-name=customer] input", "Joan").unwrap();
    page.press("Save").unwrap();
    page.wait_for_text("Somebody else has changed this record").unwrap();
    assert_eq!(server.admin().get(&path).expect(200).json()["data"]["customer"], "Grace");

    window.go(&format!("collections/{name}?customer%5Bprefix%5D=Gr"));
    page.wait_for_text("Grace").unwrap();
    window.go(&format!("collections/{name}?customer=Nobody"));
    page.wait_for_text("No records found").unwrap();
    window.assert_faultless();
}

/// What a server refuses stays as it was typed, and what nobody has touched as it was kept.
fn keeps_what_was_typed_and_what_it_does_not_show(server: &Server) {
    let (admin, name) = (server.admin(), unique("kept-"));
    let (definition, list) =
        (format!("/api/v1/collections/{name}"), format!("/api/v1/records/{name}"));
    admin.put(&definition, &json!({})).expect(201);
    let kept = json!({"note": "", "count": "seven", "title": "A", "extra": {"a": [1, null]}});
    let id = admin.post(&list, &kept).expect(201).json()["id"].as_str().unwrap().to_owned();
    let schema = json!({"type": "object", "properties": {
        "note": {"type": "string"},
        "title": {"type": "string", "minLength": 3},
        "count": {"type": "integer"},
    }});
    admin.put(&definition, &json!({"schema": schema})).expect(200);
    let record = || admin.get(&format!("{list}/{id}")).expect(200).json();
    let browser = Browser::start().unwrap();
    let window = Window::open(&browser, server);
    let page = &window.page;
    let value = |field: &str| {
        let control = format!("[data-name={field}] :is(input, textarea)");
        page.evaluate(&format!("document.querySelector('{control}').value")).unwrap()
    };
    window.sign_in();
    window.go(&format!("collections/{name}/records/{id}"));
    page.fill("[data-name=title] input", "Ab").unwrap();
    page.press("Save").unwrap();
    page.wait_for("[data-name=title] [aria-invalid]").unwrap();
    page.wait_for("[data-name=count] [aria-invalid]").unwrap();
    assert_eq!(
        (value("title"), value("count"), value("note")),
        ("Ab".into(), "\"seven\"".into(), "".into())
    );
    assert_eq!(record()["data"], kept, "nothing was saved");
    page.fill("[data-name=count] textarea", "7").unwrap();
    page.press("Save").unwrap();
    page.until("!document.querySelector('[data-name=count] [aria-invalid]')").unwrap();
    page.wait_for("[data-name=title] [aria-invalid]").unwrap();
    assert_eq!((value("title"), value("count")), ("Ab".into(), "7".into()));
    page.fill("[data-name=title] input", "Abc").unwrap();
    page.press("Save").unwrap();
    page.wait_for_text("Saved.").unwrap();
    let saved = json!({"note": "", "count": 7, "title": "Abc", "extra": {"a": [1, null]}});
    assert_eq!(record()["data"], saved);
    window.assert_faultless();
}

fn looks_after_tasks(server: &Server) {
    let (admin, queue) = (server.admin(), unique("console-"));
    let path = dead(&admin, &queue, 1).remove(0);
    let browser = Browser::start().unwrap();
    let window = Window::open(&browser, server);
    let page = &window.page;
    window.sign_in();
    window.go(&format!("tasks?status=dead&queue={queue}"));
    let id = path.rsplit('/').next().unwrap();
    page.wait_for_text(id).unwrap();
    window.keep("dead-letters");
    page.press(id).unwrap();
    page.wait_for_text("Retry").unwrap();
    page.wait_for_text("broken").unwrap();
    window.keep("dead-letter");
    page.press("Retry").unwrap();
    page.wait_for_text("The task is queued again.").unwrap();
    window.keep("dead-letter-retried");
    assert_eq!(admin.get(&path).expect(200).json()["status"], "queued");
    page.press("Cancel").unwrap();
    page.press("Cancel the task").unwrap();
    page.wait_for_text("The task is cancelled.").unwrap();
    assert_eq!(admin.get(&path).expect(200).json()["status"], "cancelled");

    let paused = || {
        let queues = admin.get("/api/v1/queues").expect(200).json();
        let mut items = queues["items"].as_array().cloned().unwrap_or_default().into_iter();
        items.find(|it| it["name"] == queue.as_str()).map_or(Value::Null, |it| it["paused"].clone())
    };
    admin.post(&format!("/api/v1/queues/{queue}/pause"), &json!({})).expect(204);
    window.go("tasks");
    page.press(&format!("Resume the queue {queue}")).unwrap();
    page.wait_for_text("is running again").unwrap();
    assert_ne!(paused(), true);

    let name = unique("nightly-");
    let schedule = json!({"cron": "0 0 29 2 *", "task": {"kind": "noop", "payload": {}}});
    admin.put(&format!("/api/v1/schedules/{name}"), &schedule).expect(201);
    window.go("schedules");
    page.press(&format!("Run {name} now")).unwrap();
    page.wait_for_text("Enqueued tsk_").unwrap();
    window.assert_faultless();
}

fn revokes_a_session(server: &Server) {
    let (email, login) = server.new_login();
    let api = server.api().with_token(login["access_token"].as_str().unwrap());
    api.get("/api/v1/users/me").expect(200);
    let session = login["session_id"].as_str().unwrap();
    let browser = Browser::start().unwrap();
    let window = Window::open(&browser, server);
    let page = &window.page;
    window.sign_in();
    window.go(&format!("users/{}", login["user"]["id"].as_str().unwrap()));
    page.wait_for_text(&email).unwrap();
    page.wait_for_text(session).unwrap();
    window.keep("sessions");
    page.press(&format!("End the session {session}")).unwrap();
    window.keep("session-to-be-revoked");
    page.press("End the session").unwrap();
    page.wait_for_text("No live session").unwrap();
    window.keep("session-revoked");
    api.get("/api/v1/users/me").expect(401);
    let revoked = |it: &Value| it["action"] == "auth.session_revoked" && it["target"] == session;
    assert!(entry(&server.admin(), revoked).is_some(), "the end of {session} is not in the log");
    window.assert_faultless();
}
