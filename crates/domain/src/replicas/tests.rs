//! What processes tell of themselves, and what is made of it.

use std::sync::Arc;
use std::time::Duration;

use outrigger_kernel::{Clock, Ctx, Role};

use super::merge::{merge, percentile_ms};
use super::model::POINTS;
use super::{Overview, Point, Replica, Replicas, Shared};
use crate::audit::testing::{World, user_ctx};

fn replica(world: &World, name: &str) -> Replica {
    let now = world.clock.now();
    Replica {
        name: name.to_owned(),
        version: "1.0.0".to_owned(),
        role: "api".to_owned(),
        host: "a".to_owned(),
        pid: 1,
        started_at: now,
        seen_at: now,
        status: "ok".to_owned(),
        backends: std::collections::BTreeMap::new(),
        points: Vec::new(),
    }
}

fn point(at: i64, requests: u64) -> Point {
    Point { at, requests, durations: vec![requests], queued: 7, ..Point::default() }
}

#[tokio::test]
async fn each_tells_of_itself_and_is_forgotten_when_it_does_not() {
    let world = World::new();
    let [a, b] = [(); 2].map(|()| Replicas::new(&world.ports, Arc::<Shared>::default()));
    a.note(replica(&world, "a"), Some(point(100, 10)));
    a.tell().await.unwrap();
    b.note(replica(&world, "b"), Some(point(100, 20)));
    b.tell().await.unwrap();
    let ctx = Ctx::system("r");
    let names = |fleet: super::Fleet| {
        fleet.replicas.iter().map(|it| (it.name.clone(), it.answering)).collect::<Vec<_>>()
    };
    let (a_known, b_known) = (("a".to_owned(), false), ("b".to_owned(), true));
    assert_eq!(names(b.list(&ctx).await.unwrap()), [a_known, b_known.clone()]);
    let overview = b.overview(&ctx).await.unwrap();
    assert_eq!((overview.replicas, overview.complete), (2, true));
    assert!((overview.points[0].requests_per_s - 6.0).abs() < 1e-9, "{overview:?}");
    assert_eq!(overview.points[0].queued, 7, "everybody tells of the same queue");

    world.clock.advance(Duration::from_secs(31));
    assert_eq!(names(b.list(&ctx).await.unwrap()), [b_known]);
    b.tell().await.unwrap();
    b.leave().await.unwrap();
    // What it was about to tell comes too late.
    b.tell().await.unwrap();
    assert_eq!(names(a.list(&ctx).await.unwrap()), [("a".to_owned(), true)]);
}

#[tokio::test]
async fn ten_minutes_are_kept() {
    let world = World::new();
    let replicas = Replicas::new(&world.ports, Arc::<Shared>::default());
    for at in 0..200 {
        replicas.note(replica(&world, "a"), Some(point(at * 5, 1)));
    }
    let overview = replicas.overview(&Ctx::system("r")).await.unwrap();
    assert_eq!(overview.points.len(), POINTS);
    assert_eq!(overview.points[0].at.as_secs(), 400);
    let bytes = serde_json::to_vec(&replica(&world, "a")).unwrap().len();
    assert!(bytes < 1_000, "{bytes}");
}

#[test]
fn it_is_about_the_time_that_all_can_tell_of() {
    let world = World::new();
    let told = |name: &str, rounds: std::ops::Range<i64>| {
        let points = rounds.map(|round| point(round * 5, 10)).collect();
        Replica { points, ..replica(&world, name) }
    };
    let is_of_both =
        |seen: &Overview| seen.points.iter().all(|it| (it.requests_per_s - 4.0).abs() < 1e-9);
    let times = |seen: &Overview| seen.points.iter().map(|it| it.at.as_secs()).collect::<Vec<_>>();

    // One has not told of its last points yet; one has only begun.
    let seen = merge(&[told("a", 20..24), told("b", 20..22), told("c", 0..0)], true);
    assert_eq!(times(&seen), [100, 105]);
    assert!(is_of_both(&seen), "{seen:?}");

    // One has forgotten its first points already.
    let kept = i64::try_from(POINTS).unwrap();
    let seen = merge(&[told("a", 2..kept + 2), told("b", 0..kept)], true);
    let times = times(&seen);
    assert_eq!((times.first(), times.last()), (Some(&10), Some(&((kept - 1) * 5))));
    assert!(is_of_both(&seen), "{seen:?}");
}

#[tokio::test]
async fn only_administrators_see_them() {
    let world = World::new();
    let replicas = Replicas::new(&world.ports, Arc::<Shared>::default());
    let ctx = user_ctx("usr_1", "ses_1", &Role::user());
    assert_eq!(replicas.list(&ctx).await.unwrap_err().code(), "forbidden");
    assert_eq!(replicas.overview(&ctx).await.unwrap_err().code(), "forbidden");
}

#[test]
fn percentiles_are_as_near_as_the_classes_tell() {
    assert_eq!(percentile_ms(&[], 0.5), None);
    assert_eq!(percentile_ms(&[0, 0], 0.5), None);
    let near = |durations: &[u64], share, ms: f64| {
        let found = percentile_ms(durations, share).unwrap();
        assert!((found - ms).abs() < 1e-9, "{durations:?} {share}: {found}");
    };
    near(&[10], 0.5, 0.25);
    near(&[0, 10], 0.5, 0.75);
    near(&[5, 0, 5], 0.99, 1.0 + 1.5 * 0.98);
    // All above the last bound.
    near(&[0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 4], 0.99, 10_000.0);
}
