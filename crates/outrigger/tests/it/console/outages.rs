//! A backend that is down is shown as down, and the console goes on with the rest.

use outrigger_testkit::{Browser, Postgres, Redis};

use super::Window;
use crate::support::{Backend, Server, ServerOptions};

#[test]
fn what_is_down_is_shown_and_the_rest_goes_on() {
    let redis = Redis::start().expect("Redis starts");
    let postgres = Postgres::start().expect("PostgreSQL starts");
    let database = postgres.fresh_database().expect("a database");
    let backend = Backend::Urls { database, redis: Some(redis.url()) };
    let server = Server::start(&ServerOptions::on(backend));
    let browser = Browser::start().unwrap();
    let window = Window::open(&browser, &server);
    let page = &window.page;
    window.sign_in();
    page.wait_for_text("All is well").unwrap();

    redis.stop().expect("Redis stops");
    page.wait_for_text("Without cache").unwrap();
    window.keep("without-redis");
    window.go("collections");
    page.wait_for_text("No collections yet").unwrap();
    redis.start_again().expect("Redis starts again");
    page.wait_for_text("All is well").unwrap();

    window.go("");
    postgres.stop().expect("PostgreSQL stops");
    page.wait_for_text("Down: database").unwrap();
    page.wait_for(".tile .badge.bad").unwrap();
    window.keep("without-database");
    page.press("Users").unwrap();
    page.wait_for_text("Not available right now").unwrap();
    window.keep("users-without-database");
    postgres.start_again().expect("PostgreSQL starts again");
    page.wait_for_text("All is well").unwrap();
    page.press("Try again").unwrap();
    page.wait_for_text("admin@example.com").unwrap();
    window.assert_faultless();
}
