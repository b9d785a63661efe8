//! Limits hold over all processes together, and exactly.

use std::sync::atomic::{AtomicU32, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use serde_json::json;

use super::Fleet;
use crate::support::{Answer, Api, Server};

const THREADS: usize = 6;

/// What came of a burst over both processes.
struct Burst {
    passed: u32,
    refused: Vec<Answer>,
    took: Duration,
}

/// Sends `count` requests at once, half of them to each process; `call` says how.
fn burst(fleet: &Fleet, count: usize, call: impl Fn(&Api, usize) -> Answer + Sync) -> Burst {
    let (next, passed) = (AtomicUsize::new(0), AtomicU32::new(0));
    let refused = std::sync::Mutex::new(Vec::new());
    let started = Instant::now();
    std::thread::scope(|scope| {
        for thread in 0..THREADS {
            let api = fleet.api(thread % 2);
            let (next, passed, refused, call) = (&next, &passed, &refused, &call);
            scope.spawn(move || {
                loop {
                    let number = next.fetch_add(1, Ordering::SeqCst);
                    if number >= count {
                        return;
                    }
                    let answer = call(&api, number);
                    match answer.status {
                        429 => refused.lock().unwrap().push(answer),
                        status if status < 500 => {
                            passed.fetch_add(1, Ordering::SeqCst);
                        }
                        _ => panic!("{}", answer.text),
                    }
                }
            });
        }
    });
    let took = started.elapsed();
    Burst { passed: passed.into_inner(), refused: refused.into_inner().unwrap(), took }
}

fn header_number(answer: &Answer, name: &str, key: &str) -> u64 {
    let text = answer.header(name);
    let part = text.split(';').find_map(|part| part.strip_prefix(key)?.strip_prefix('='));
    part.and_then(|part| part.parse().ok()).unwrap_or_else(|| panic!("{name}: {text}"))
}

#[test]
fn a_small_limit_is_exact_over_both_processes() {
    const LIMIT: u32 = 20;
    // One more is free every three seconds.
    const INTERVAL: Duration = Duration::from_secs(3);
    let options = Fleet::options()
        .set("OUTRIGGER__HTTP__RATE_LIMIT_PER_MINUTE", &LIMIT.to_string())
        .set("OUTRIGGER__HTTP__FORWARDED_HOPS", "1");
    let fleet = Fleet::start(2, &options);
    for caller in 1..=8 {
        let address = format!("10.1.1.{caller}");
        let burst = burst(&fleet, 3 * LIMIT as usize, |api, _| {
            api.with("x-forwarded-for", &address).get("/api/v1/records/nothing")
        });
        let freed = u32::try_from(burst.took.as_millis() / INTERVAL.as_millis()).unwrap();
        let most = LIMIT + freed;
        assert!((LIMIT..=most).contains(&burst.passed), "{} in {:?}", burst.passed, burst.took);
        for answer in &burst.refused {
            let after: u64 = answer.header("retry-after").parse().expect("seconds");
            assert!((1..=INTERVAL.as_secs()).contains(&after), "{after}");
            assert_eq!(answer.code(), "rate_limited");
            assert_eq!(header_number(answer, "ratelimit", "r"), 0);
            assert_eq!(header_number(answer, "ratelimit-policy", "q"), u64::from(LIMIT));
            assert_eq!(header_number(answer, "ratelimit-policy", "w"), 60);
        }
    }
    // Users are counted by themselves, wherever they call from.
    let api = fleet.api(0).with("x-forwarded-for", "10.2.2.2");
    let body = json!({"email": "counted@example.com", "password": Server::password()});
    api.post("/api/v1/auth/register", &body).expect(201);
    let login = api.login("counted@example.com", Server::password()).expect(200).json();
    let token = login["access_token"].as_str().unwrap();
    let burst = burst(&fleet, 60, |api, number| {
        let api = api.with_token(token).with("x-forwarded-for", &format!("10.3.3.{number}"));
        api.get("/api/v1/users/me")
    });
    let freed = u32::try_from(burst.took.as_millis() / INTERVAL.as_millis()).unwrap();
    assert!((LIMIT..=LIMIT + freed).contains(&burst.passed), "{}", burst.passed);
}

#[test]
fn a_refused_caller_is_served_again_when_retry_after_says_so() {
    let options = Fleet::options()
        .set("OUTRIGGER__HTTP__RATE_LIMIT_PER_MINUTE", "60")
        .set("OUTRIGGER__HTTP__FORWARDED_HOPS", "1");
    let fleet = Fleet::start(2, &options);
    let apis = [0, 1].map(|place| fleet.api(place).with("x-forwarded-for", "10.1.1.1"));
    let refused = (0..200).map(|n| apis[n % 2].get("/api/v1/records/nothing"));
    let refused = refused.into_iter().find(|answer| answer.status == 429).expect("a refusal");
    let after: u64 = refused.header("retry-after").parse().expect("seconds");
    // The time is what is tested here.
    std::thread::sleep(Duration::from_secs(after));
    apis[0].get("/api/v1/records/nothing").expect(404);
}

#[test]
fn a_generous_limit_is_exact_when_each_request_is_to_be_counted_at_once() {
    const LIMIT: u32 = 900;
    let options = Fleet::options()
        .set("OUTRIGGER__HTTP__RATE_LIMIT_PER_MINUTE", &LIMIT.to_string())
        .set("OUTRIGGER__HTTP__RATE_LIMIT_EXACT", "true")
        .set("OUTRIGGER__HTTP__FORWARDED_HOPS", "1");
    let fleet = Fleet::start(2, &options);
    let burst = burst(&fleet, 2 * LIMIT as usize, |api, _| {
        api.with("x-forwarded-for", "10.1.3.1").get("/api/v1/records/nothing")
    });
    let freed = u32::try_from(burst.took.as_millis() * u128::from(LIMIT) / 60_000).unwrap() + 1;
    assert!(
        (LIMIT..=LIMIT + freed).contains(&burst.passed),
        "{} in {:?}",
        burst.passed,
        burst.took
    );
}

#[test]
fn a_generous_limit_is_never_exceeded_by_both_processes_together() {
    const LIMIT: u32 = 900;
    let options = Fleet::options()
        .set("OUTRIGGER__HTTP__RATE_LIMIT_PER_MINUTE", &LIMIT.to_string())
        .set("OUTRIGGER__HTTP__FORWARDED_HOPS", "1");
    let fleet = Fleet::start(2, &options);
    for caller in 1..=2 {
        let address = format!("10.1.2.{caller}");
        let burst = burst(&fleet, 2 * LIMIT as usize, |api, _| {
            api.with("x-forwarded-for", &address).get("/api/v1/records/nothing")
        });
        // Units are freed all the time, and may be spent up to a second after they were taken.
        let seconds = u32::try_from(burst.took.as_secs()).unwrap() + 2;
        let most = LIMIT + seconds * LIMIT / 60;
        assert!(burst.passed <= most, "{} in {:?}", burst.passed, burst.took);
        // While both keep asking, hardly anything of the quota is lost.
        assert!(burst.passed >= LIMIT - LIMIT / 50, "{} in {:?}", burst.passed, burst.took);
    }
}

#[test]
fn ten_tries_at_a_password_and_no_more() {
    let options = Fleet::options()
        .set("OUTRIGGER__AUTH__TRIES_PER_MINUTE", "10")
        .set("OUTRIGGER__HTTP__FORWARDED_HOPS", "1");
    let fleet = Fleet::start(2, &options);
    let known = fleet.api(0).with("x-forwarded-for", "10.9.9.9");
    let body = json!({"email": "known@example.com", "password": Server::password()});
    known.post("/api/v1/auth/register", &body).expect(201);
    // Against one account, known or not, from many addresses.
    for email in ["known@example.com", "unknown@example.com"] {
        let net = email.len();
        let burst = burst(&fleet, 40, |api, number| {
            let api = api.with("x-forwarded-for", &format!("10.4.{net}.{number}"));
            api.login(email, "wrong-but-long-enough")
        });
        // One more is free every six seconds.
        let freed = u32::try_from(burst.took.as_secs() / 6).unwrap();
        assert!((10..=10 + freed).contains(&burst.passed), "{email}: {}", burst.passed);
        let right = fleet.api(1).with("x-forwarded-for", "10.4.250.1");
        let answer = right.login(email, Server::password()).expect(429);
        assert!(answer.header("retry-after").parse::<u64>().expect("seconds") > 0);
    }
    // From one address, against many accounts.
    let burst = burst(&fleet, 40, |api, number| {
        let api = api.with("x-forwarded-for", "10.5.5.5");
        api.login(&format!("somebody{number}@example.com"), "wrong-but-long-enough")
    });
    let freed = u32::try_from(burst.took.as_secs() / 6).unwrap();
    assert!((10..=10 + freed).contains(&burst.passed), "{}", burst.passed);
}

#[test]
fn the_delay_after_too_many_tries_grows() {
    let options = Fleet::options()
        .set("OUTRIGGER__AUTH__TRIES_PER_MINUTE", "60")
        .set("OUTRIGGER__HTTP__FORWARDED_HOPS", "1");
    let fleet = Fleet::start(2, &options);
    let mut delays: Vec<u64> = Vec::new();
    let mut tries = 0..250;
    while delays.len() < 3 {
        let number = tries.next().expect("a refusal");
        let api = fleet.api(number % 2).with("x-forwarded-for", &format!("10.6.6.{number}"));
        let answer = api.login("somebody@example.com", "wrong-but-long-enough");
        if answer.status == 429 {
            let delay = answer.header("retry-after").parse().expect("seconds");
            delays.push(delay);
            // The time is what is tested here.
            std::thread::sleep(Duration::from_secs(delay));
        } else {
            answer.expect(401);
        }
    }
    assert_eq!(delays, [1, 2, 4]);
}
