//! What was acknowledged by one process is never read as it was before on another.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use serde_json::{Value, json};

use super::Fleet;
use crate::support::Api;

const ROUNDS: u64 = 300;

fn public() -> Value {
    json!({"rules": {"list": "public", "read": "public", "create": "public", "update": "public", "delete": "public"}})
}

fn number(api: &Api, path: &str) -> u64 {
    let answer = api.get(path).expect(200);
    answer.json()["data"]["n"].as_u64().expect("a number")
}

#[test]
fn an_update_on_one_process_is_read_on_the_other() {
    let fleet = Fleet::shared();
    let path = format!("/api/v1/records/{}/one", fleet.server(0).collection(&public()));
    fleet.api(0).put(&path, &json!({"n": 0})).expect(201);
    let eyes = [fleet.apis(0, ""), fleet.apis(1, "")];
    let (mut hits, done) = (0, AtomicBool::new(false));
    std::thread::scope(|scope| {
        // Readers that keep the cache full, and race with each invalidation.
        for place in [0, 1] {
            let (api, path, done) = (fleet.api(place), &path, &done);
            scope.spawn(move || {
                while !done.load(Ordering::SeqCst) {
                    number(&api, path);
                }
            });
        }
        for n in 1..=ROUNDS {
            let writer = usize::try_from(n % 2).unwrap();
            let writer_api = &eyes[writer][0].anonymous();
            match n % 3 {
                0 => writer_api.patch(&path, &json!({"n": n})).expect(200),
                _ => writer_api.put(&path, &json!({"n": n})).expect(200),
            };
            for api in &eyes[1 - writer][..2] {
                let answer = api.anonymous().get(&path).expect(200);
                assert_eq!(answer.json()["data"]["n"], n, "written on {writer}");
                hits += u32::from(answer.header("cache-status").contains("hit"));
            }
        }
        done.store(true, Ordering::SeqCst);
    });
    assert!(hits > 0, "the cache took no part");
}

#[test]
fn no_reader_goes_back_behind_what_was_acknowledged_when_it_began() {
    let fleet = Fleet::shared();
    let path = format!("/api/v1/records/{}/one", fleet.server(0).collection(&public()));
    fleet.api(0).put(&path, &json!({"n": 0})).expect(201);
    let (acknowledged, done) = (AtomicU64::new(0), AtomicBool::new(false));
    std::thread::scope(|scope| {
        for reader in 0..4 {
            let (api, path) = (fleet.api(reader % 2), &path);
            let (acknowledged, done) = (&acknowledged, &done);
            scope.spawn(move || {
                while !done.load(Ordering::SeqCst) {
                    let least = acknowledged.load(Ordering::SeqCst);
                    let read = number(&api, path);
                    assert!(read >= least, "read {read} after {least} was acknowledged");
                }
            });
        }
        let apis = [fleet.api(0), fleet.api(1)];
        for n in 1..=ROUNDS {
            let api = &apis[usize::try_from(n % 2).unwrap()];
            api.put(&path, &json!({"n": n})).expect(200);
            acknowledged.store(n, Ordering::SeqCst);
        }
        done.store(true, Ordering::SeqCst);
    });
}

#[test]
fn deleted_and_created_again_and_changed_by_a_batch_are_seen_too() {
    let fleet = Fleet::shared();
    let collection = fleet.server(0).collection(&public());
    let path = format!("/api/v1/records/{collection}/one");
    let apis = [fleet.api(0), fleet.api(1)];
    for round in 0..60 {
        let (here, there) = (&apis[round % 2], &apis[1 - round % 2]);
        here.put(&path, &json!({"n": round})).expect(201);
        assert_eq!(there.get(&path).expect(200).json()["data"]["n"], round);
        there.get(&path).expect(200);
        let put = json!({"op": "put", "collection": collection, "id": "one", "data": {"n": -1}});
        here.post("/api/v1/batch", &json!({"operations": [put]})).expect(200);
        assert_eq!(there.get(&path).expect(200).json()["data"]["n"], -1);
        there.get(&path).expect(200);
        here.delete(&path).expect(204);
        there.get(&path).expect(404);
        assert_eq!(there.get(&format!("/api/v1/records/{collection}")).json()["items"], json!([]));
    }
}

#[test]
fn a_definition_is_known_on_the_other_process_within_moments() {
    let fleet = Fleet::shared();
    let collection = fleet.server(0).collection(&json!({}));
    let path = format!("/api/v1/records/{collection}");
    fleet.api(1).get(&path).expect(401);
    let rules = json!({"rules": {"list": "public"}});
    fleet.server(0).admin().put(&format!("/api/v1/collections/{collection}"), &rules).expect(200);
    let opened = || fleet.api(1).get(&path).status == 200;
    outrigger_testkit::wait_until("the new rule", super::UP_TIMEOUT, opened).unwrap();
}
