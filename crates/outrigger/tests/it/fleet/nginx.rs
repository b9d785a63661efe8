//! Behind nginx, which has no health checks: it finds out by failing to connect.

use outrigger_testkit::{Nginx, wait_until};

use super::rolling::{PROCESSES, options, restart_under_load};
use super::{Fleet, UP_TIMEOUT};
use crate::support::{Api, Server};

const ME: &str = "/api/v1/users/me";

fn in_front_of(fleet: &Fleet) -> Nginx {
    Nginx::start(&fleet.addresses()).expect("nginx starts")
}

/// How many requests for one's own user the process has answered.
fn answered(server: &Server) -> f64 {
    let text = server.internal().get("/metrics").expect(200).text;
    let part =
        "outrigger_http_request_duration_seconds_count{method=\"GET\",route=\"/api/v1/users/me\"";
    let lines = text.lines().filter(|line| line.starts_with(part));
    lines.filter_map(|line| line.rsplit(' ').next()?.parse::<f64>().ok()).sum()
}

#[test]
fn what_one_process_ends_is_over_on_all() {
    let fleet = Fleet::start(2, &Fleet::options());
    let nginx = in_front_of(&fleet);
    let (email, login) = fleet.server(0).new_login();
    let token = login["access_token"].as_str().expect("a token");
    let api = Api::new(&nginx.url()).with_token(token);
    for _ in 0..20 {
        api.get(ME).expect(200);
    }
    assert!(fleet.servers.iter().all(|server| answered(server) > 5.0), "it takes turns");
    api.send("POST", "/api/v1/auth/logout", None).expect(204);
    for _ in 0..20 {
        api.get(ME).expect(401);
    }
    let again = api.login(&email, Server::password()).expect(200).json();
    let again = api.with_token(again["access_token"].as_str().expect("a token"));
    for _ in 0..20 {
        again.get(ME).expect(200);
    }
}

#[test]
fn a_rolling_restart_under_load_fails_no_request() {
    let fleet = Fleet::start(PROCESSES, &options());
    let nginx = in_front_of(&fleet);
    let url = nginx.url();
    restart_under_load(fleet, &url, &|| {
        let answers = || Api::new(&url).get("/health").status == 200;
        wait_until("an answer", UP_TIMEOUT, answers).expect("it goes on");
    });
}

#[test]
fn a_killed_process_is_left_out() {
    let fleet = Fleet::start(2, &Fleet::options());
    let nginx = in_front_of(&fleet);
    let login = fleet.server(0).new_login().1;
    let api = Api::new(&nginx.url()).with_token(login["access_token"].as_str().expect("a token"));
    fleet.server(0).process.kill();
    for _ in 0..50 {
        api.get(ME).expect(200);
    }
}
