//! Limits hold over all processes together, and exactly.

use std::sync::atomic::{AtomicU32, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use serde_json::json;

use super::Fleet;
use crate::outages::metric;
use crate::support::{Answer, Api, Server};

const THREADS: usize = 6;

/// What came of a burst over both processes.
struct Burst {
    passed: u32,
    refused: Vec<Answer>,
    took: Duration,
    /// How much a process has allowed by itself meanwhile.
    alone: f64,
}

impl Burst {
    /// Whether the limit was used up and no more: what processes allow by themselves is not in it.
    fn is_within(&self, limit: u32, freed: u32) -> bool {
        self.passed >= limit && f64::from(self.passed) <= f64::from(limit + freed) + self.alone
    }
}

/// How often processes have allowed something without Redis, which they do when it does not answer
/// at once: on a busy machine it may not, for a moment.
fn alone(fleet: &Fleet) -> f64 {
    let of = ["outrigger_limiter_decisions_total", "by=\"local\"", "outcome=\"allowed\""];
    fleet.servers.iter().map(|server| metric(server, &of)).sum()
}

/// Sends `count` requests at once, half of them to each process; `call` says how.
fn burst(fleet: &Fleet, count: usize, call: impl Fn(&Api, usize) -> Answer + Sync) -> Burst {
    let (next, passed) = (AtomicUsize::new(0), AtomicU32::new(0));
    let refused = std::sync::Mutex::new(Vec::new());
    let alone_before = alone(fleet);
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
    let alone = alone(fleet) - alone_before;
    Burst { passed: passed.into_inner(), refused: refused.into_inner().unwrap(), took, alone }
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
        assert!(burst.is_within(LIMIT, freed), "{} in {:?}", burst.passed, burst.took);
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
    assert!(burst.is_within(LIMIT, freed), "{}", burst.passed);
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
    assert!(burst.is_within(LIMIT, freed), "{} in {:?}", burst.passed, burst.took);
}

#[test]
fn a_generous_limit_is_never_exceeded_by_both_processes_together() {
    const LIMIT: u32 = 900;
    // A slice is at most this part of what is left.
    const SLICES: u32 = 64;
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
        // What a process allows by itself may be a slice.
        let most =
            f64::from(LIMIT + seconds * LIMIT / 60) + burst.alone * f64::from(LIMIT / SLICES + 1);
        assert!(f64::from(burst.passed) <= most, "{} in {:?}", burst.passed, burst.took);
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
        assert!(burst.is_within(10, freed), "{email}: {}", burst.passed);
        the_right_one_is_refused_too(&fleet, email);
    }
    // From one address, against many accounts.
    let burst = burst(&fleet, 40, |api, number| {
        let api = api.with("x-forwarded-for", "10.5.5.5");
        api.login(&format!("somebody{number}@example.com"), "wrong-but-long-enough")
    });
    let freed = u32::try_from(burst.took.as_secs() / 6).unwrap();
    assert!(burst.is_within(10, freed), "{}", burst.passed);
}

/// Also the right password is refused, for as long as the refusal of a wrong one says. When that has
/// passed before it came, because the test was held up, another wrong one is refused first.
fn the_right_one_is_refused_too(fleet: &Fleet, email: &str) {
    for number in 0..200 {
        let address = format!("10.4.{}.{number}", 100 + email.len());
        let api = fleet.api(1).with("x-forwarded-for", &address);
        let (asked, alone_before) = (Instant::now(), alone(fleet));
        let wrong = api.login(email, "wrong-but-long-enough");
        if wrong.status != 429 {
            continue;
        }
        let after = |answer: &Answer| answer.header("retry-after").parse::<u64>().expect("seconds");
        // It is rounded up.
        let closed = Duration::from_secs(after(&wrong)).saturating_sub(Duration::from_secs(1));
        let right = api.login(email, Server::password());
        if right.status == 429 {
            assert!(after(&right) > 0, "{right:?}");
            return;
        }
        let is_late = asked.elapsed() >= closed || alone(fleet) > alone_before;
        assert!(is_late, "{email}: {} within {closed:?}", right.status);
    }
    panic!("{email} is never refused");
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
