//! Every page: no serious fault of accessibility, in light and dark and on a phone, and no failing script.

use outrigger_testkit::{Axe, Browser};
use serde_json::json;

use super::Window;
use crate::support::{Backend, Server, ServerOptions, dead};

/// Widths of windows, in pixels: on a desk, and of a phone.
const WIDE: u32 = 1_280;
const NARROW: u32 = 390;

/// Something to look at on each page.
fn seed(server: &Server) -> Vec<(String, String)> {
    let admin = server.admin();
    let schema = json!({"type": "object", "properties": {
        "customer": {"type": "string", "description": "Who has ordered."},
        "status": {"enum": ["open", "paid", "sent"]},
        "express": {"type": "boolean"}, "total": {"type": "number"}, "lines": {"type": "array"},
    }});
    let definition = json!({"schema": schema, "indexes": ["status", "customer"]});
    admin.put("/api/v1/collections/orders", &definition).expect(201);
    for (number, customer) in ["Ada Lovelace", "Grace Hopper", "Joan Clarke"].iter().enumerate() {
        let data = json!({"customer": customer, "status": "open", "total": number, "lines": [{}]});
        admin.put(&format!("/api/v1/records/orders/o-{number}"), &data).expect(201);
    }
    let (_, login) = server.new_login();
    let task = dead(&admin, "mailing", 2).remove(0).rsplit('/').next().unwrap().to_owned();
    let schedule = json!({"cron": "0 2 * * *", "time_zone": "Asia/Jakarta", "task": {"kind": "noop", "payload": {}}});
    admin.put("/api/v1/schedules/nightly-report", &schedule).expect(201);
    let user = login["user"]["id"].as_str().unwrap();
    let pages = [
        ("overview", String::new()),
        ("replicas", "replicas".to_owned()),
        ("collections", "collections".to_owned()),
        ("new-collection", "new-collection".to_owned()),
        ("definition", "collections/orders/definition".to_owned()),
        ("records", "collections/orders".to_owned()),
        ("record", "collections/orders/records/o-1".to_owned()),
        ("new-record", "collections/orders/new".to_owned()),
        ("users", "users".to_owned()),
        ("user", format!("users/{user}")),
        ("tasks", "tasks".to_owned()),
        ("no-tasks", "tasks?status=running".to_owned()),
        ("task", format!("tasks/{task}")),
        ("schedules", "schedules".to_owned()),
        ("messages", "templates".to_owned()),
        ("audit", "audit".to_owned()),
        ("settings", "settings".to_owned()),
        ("doctor", "doctor".to_owned()),
        ("no-such-user", "users/usr_nobody".to_owned()),
        ("no-such-page", "no/such/page".to_owned()),
    ];
    pages.map(|(name, place)| (name.to_owned(), place)).to_vec()
}

#[test]
fn every_page_can_be_used_by_everybody() {
    let server = Server::start(&ServerOptions::on(Backend::Sqlite));
    let (axe, browser) = (Axe::find().unwrap(), Browser::start().unwrap());
    let window = Window::open(&browser, &server);
    let page = &window.page;
    let mut found = Vec::new();
    let mut look = |name: &str, way: &str, width: u32| {
        let all = axe.serious(page).unwrap();
        found.extend(all.into_iter().map(|line| format!("{name}, {way}: {line}")));
        let beyond = format!("document.documentElement.scrollWidth - {width}");
        let beyond = page.evaluate(&beyond).unwrap().as_i64().unwrap_or(0);
        if beyond > 0 {
            found.push(format!("{name}, {way}: {beyond} pixels stand beyond the edge"));
        }
        window.keep(&format!("{name}-{way}"));
    };
    page.open_url(&window.base).unwrap();
    page.wait_for("input[name=password]").unwrap();
    // The check finds what is wrong where something is.
    let image =
        "document.body.append(Object.assign(new Image(), {src: '/console/assets/live/mark.svg'}))";
    page.evaluate(&format!("{image}; 0")).unwrap();
    assert_eq!(axe.serious(page).unwrap().len(), 1);
    page.evaluate("document.images[0].remove()").unwrap();
    for (dark, way) in [(false, "light"), (true, "dark")] {
        page.prefer_dark(dark).unwrap();
        look("door", way, WIDE);
    }
    window.sign_in();
    for (name, place) in seed(&server) {
        page.resize(WIDE, 860, false).unwrap();
        window.go(&place);
        for (dark, way) in [(false, "light"), (true, "dark")] {
            page.prefer_dark(dark).unwrap();
            look(&name, way, WIDE);
        }
        page.resize(NARROW, 844, true).unwrap();
        look(&name, "phone", NARROW);
        window.assert_faultless();
    }
    assert!(found.is_empty(), "{}", found.join("\n"));
}

#[test]
fn the_keyboard_reaches_what_the_mouse_does() {
    let server = Server::start(&ServerOptions::on(Backend::Sqlite));
    let browser = Browser::start().unwrap();
    let window = Window::open(&browser, &server);
    let page = &window.page;
    window.sign_in();
    page.open_url(&window.base).unwrap();
    window.settle();
    page.key("Tab").unwrap();
    let focused = || page.evaluate("document.activeElement.innerText.trim()").unwrap();
    assert_eq!(focused(), "Skip to the content");
    let mut seen = Vec::new();
    while seen.len() < 40 {
        page.key("Tab").unwrap();
        seen.push(focused().as_str().unwrap_or_default().to_owned());
    }
    for words in ["Overview", "Tasks", "Doctor", "Sign out"] {
        assert!(seen.iter().any(|it| it == words), "{words} is not reached: {seen:?}");
    }
    page.key("?").unwrap();
    page.wait_for_text("g and then").unwrap();
    for (key, place) in [("c", "collections"), ("d", "doctor"), ("a", "audit")] {
        page.key("g").unwrap();
        page.key(key).unwrap();
        page.until(&format!("location.pathname === '/console/{place}'")).unwrap();
    }
    page.key("/").unwrap();
    assert_eq!(page.evaluate("document.activeElement.type").unwrap(), "search");
    window.assert_faultless();
}
