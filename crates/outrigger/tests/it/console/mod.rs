//! The console: in a real browser, as somebody uses it, and from outside, as somebody attacks it. What
//! the browser shows is kept as pictures in `target/tmp/console`.

mod attacks;
mod journeys;
mod outages;
mod pages;
mod turns;

use std::path::Path;

use outrigger_testkit::{Browser, Page};

use crate::support::{ADMIN_EMAIL, ADMIN_PASSWORD, Server};

/// A window of a browser that looks at a server.
struct Window<'a> {
    page: Page<'a>,
    base: String,
}

impl<'a> Window<'a> {
    fn open(browser: &'a Browser, server: &Server) -> Self {
        let page = browser.page().expect("a page");
        page.resize(1_280, 860, false).unwrap();
        Self { page, base: format!("http://127.0.0.1:{}/console", server.port) }
    }

    fn sign_in(&self) {
        self.page.open_url(&self.base).unwrap();
        self.page.fill("input[name=email]", ADMIN_EMAIL).unwrap();
        self.page.fill("input[name=password]", ADMIN_PASSWORD).unwrap();
        self.page.press("Sign in").unwrap();
        self.page.wait_for(".charts").unwrap();
    }

    /// Goes to a place of the console, and waits until it is there.
    fn go(&self, place: &str) {
        self.page.open_url(&format!("{}/{place}", self.base)).unwrap();
        self.settle();
    }

    fn settle(&self) {
        let is_there = "document.querySelector('main h1') && !document.querySelector('.loading')";
        self.page.until(is_there).unwrap();
    }

    fn keep(&self, name: &str) {
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("console");
        self.page.screenshot(&folder.join(format!("{name}.png"))).unwrap();
    }

    /// Fails when a script of the page has failed, or the content policy has stopped something.
    #[track_caller]
    fn assert_faultless(&self) {
        let faults = self.page.faults();
        assert!(faults.is_empty(), "{}", faults.join("\n"));
    }
}
