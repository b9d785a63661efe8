//! Pages of one browser that came neither over TLS nor from localhost, where browsers have no locks: they
//! renew the session one after the other all the same.

use std::time::Duration;

use outrigger_testkit::{Browser, Page, wait_until};
use serde_json::{Value, json};

use super::Window;
use crate::support::{Backend, Server, ServerOptions, on_sqlite};

/// Evaluates to what the pages take turns by.
const ALONE: &str =
    "(await import([...document.scripts].find((one) => one.src.endsWith('main.js')).src
    .replace('main.js', 'lock.js'))).alone";

/// What both pages do again and again for four seconds, and until both have done it twice, each does alone. The
/// one that is not in front is given time once a second.
fn take_turns(pages: [&Page<'_>; 2]) {
    let at = pages[0].evaluate("Date.now() + 2000").unwrap();
    let turns = "(async () => {
        const alone = ALONE
        const rest = (ms) => new Promise((resolve) => { setTimeout(resolve, ms) })
        await rest(AT - Date.now())
        const turns = []
        const done = (page) => Number(localStorage.getItem('turns of ' + page))
        do {
            await alone('turn', async () => {
                const began = Date.now()
                await rest(20)
                turns.push([began, Date.now()])
            })
            localStorage.setItem('turns of WHO', turns.length)
        } while (Date.now() < AT + 4000 || done(0) < 2 || done(1) < 2)
        window.turns = turns
    })(); true";
    let turns = turns.replace("ALONE", ALONE).replace("AT", &at.to_string());
    for (who, page) in pages.into_iter().enumerate() {
        page.evaluate(&turns.replace("WHO", &who.to_string())).unwrap();
    }
    let taken = |page: &Page<'_>| {
        page.until("window.turns").unwrap();
        let turns = page.evaluate("window.turns.flat()").unwrap();
        let times: Vec<f64> = turns.as_array().unwrap().iter().filter_map(Value::as_f64).collect();
        times.chunks(2).map(|turn| (turn[0], turn[1])).collect::<Vec<_>>()
    };
    let [mine, theirs] = pages.map(taken);
    assert!(mine.len() > 1 && theirs.len() > 1, "{mine:?} {theirs:?}");
    for (began, ended) in &mine {
        let at_once = |other: &&(f64, f64)| other.0 < *ended && *began < other.1;
        assert!(!theirs.iter().any(|other| at_once(&other)), "{mine:?} {theirs:?}");
    }
}

#[test]
fn two_tabs_without_locks_renew_one_after_the_other() {
    let options = ServerOptions::on(Backend::Sqlite).set("OUTRIGGER__AUTH__ACCESS_TOKEN_S", "5");
    let server = Server::start(&options);
    let browser = Browser::start().unwrap();
    let window = elsewhere(&browser, &server);
    window.sign_in();
    assert_eq!(window.page.evaluate("navigator.locks === undefined").unwrap(), true);
    let other = window.page.beside().unwrap();
    other.open_url(&window.base).unwrap();
    other.wait_for(".charts").unwrap();
    take_turns([&window.page, &other]);
    let renewed = || {
        let text = server.internal().get("/metrics").expect(200).text;
        let of = "outrigger_authentication_total{action=\"refresh\",";
        let lines = text.lines().filter(|line| line.starts_with(of));
        lines.filter_map(|line| line.rsplit(' ').next()?.parse::<f64>().ok()).sum::<f64>()
    };
    // Both ask for the charts, so both find at the same time that the token has expired.
    wait_until("it was renewed", Duration::from_secs(120), || renewed() > 3.0).unwrap();
    // Not over HTTP, where the test's own token would be good for five seconds only.
    let (is_whole, text) = server.run(&["audit", "verify"]);
    assert!(is_whole, "{text}");
    let (done, log) = server.run(&["audit", "export"]);
    assert!(done && log.contains("\"action\"") && !log.contains("auth.refresh_reused"), "{log}");
    for page in [&window.page, &other] {
        page.evaluate("location.reload()").unwrap();
        page.wait_for(".charts").unwrap();
    }
    // Without TLS browsers leave out one of the headers, and say so.
    let of_headers = |fault: &String| fault.contains("Cross-Origin-Opener-Policy");
    assert!(window.page.faults().iter().all(of_headers), "{:?}", window.page.faults());
}

/// A window whose pages have no locks.
fn elsewhere<'a>(browser: &'a Browser, server: &Server) -> Window<'a> {
    let mut window = Window::open(browser, server);
    window.base = format!("http://console.test:{}/console", server.port);
    window
}

/// Runs this in the page, where `alone` is what takes turns, and does not wait for it.
fn begin(page: &Page<'_>, script: &str) {
    page.evaluate(&format!("(async () => {{ const alone = {ALONE}\n {script} }})(); true"))
        .unwrap();
}

#[test]
fn a_turn_lasts_as_long_as_its_tab() {
    let browser = Browser::start().unwrap();
    let window = elsewhere(&browser, on_sqlite());
    let (page, other) = (&window.page, window.page.beside().unwrap());
    for page in [page, &other] {
        page.open_url(&window.base).unwrap();
        page.wait_for("input[name=email]").unwrap();
    }
    let hold = "await alone('held', () => { window.has = true; return new Promise(() => {}) })";
    begin(&other, hold);
    other.until("window.has").unwrap();
    begin(
        page,
        "window.began = performance.now(); window.answers = 0
         const heard = new BroadcastChannel('turns')
         heard.onmessage = ({ data }) => { if (data.here) window.answers += 1 }
         await alone('held', () => { window.has = true })",
    );
    // Longer than a page may be silent.
    page.until("window.answers > 3 && performance.now() - window.began > 4000").unwrap();
    assert_eq!(page.evaluate("window.has === undefined").unwrap(), true);
    other.call("Page.close", &json!({})).unwrap();
    page.until("window.has").unwrap();
}

#[test]
fn without_indexeddb_pages_go_on_without_turns() {
    let browser = Browser::start().unwrap();
    let window = elsewhere(&browser, on_sqlite());
    let page = &window.page;
    for refuse in [
        "() => { throw new DOMException('not here', 'SecurityError') }",
        "() => { const request = {}; queueMicrotask(() => request.onerror()); return request }",
    ] {
        page.open_url(&window.base).unwrap();
        page.wait_for("input[name=email]").unwrap();
        page.evaluate(&format!("IDBFactory.prototype.open = {refuse}; true")).unwrap();
        begin(
            page,
            "window.done = await alone('done', async () => 'done')
             window.thrown = await alone('thrown', async () => { throw new Error('its own') }).catch(String)",
        );
        assert_eq!(page.until("window.thrown").unwrap(), "Error: its own");
        assert_eq!(page.evaluate("window.done").unwrap(), "done");
    }
    // The whole console does.
    window.sign_in();
}
