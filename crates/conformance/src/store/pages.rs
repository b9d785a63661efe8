//! Pages of queries.

use std::collections::BTreeSet;

use outrigger_kernel::limits;
use outrigger_ports::collection::{entry, unique};
use outrigger_ports::index_value::{self, Range};
use outrigger_ports::store::{Order, Position, Query};

use super::StoreFactory;
use super::bed::{Bed, all_of, delete, ids, number, put_with};

const ORDERS: [Order<'static>; 3] = [Order::Id, Order::Index("group"), Order::Unique("number")];

/// Puts documents that share a value of `group` in sevens and have one of `number` for themselves.
async fn fill(bed: &Bed, count: i64) {
    let all: Vec<i64> = (0..count).collect();
    for some in all.chunks(limits::BATCH_MAX) {
        bed.done(some.iter().map(|&n| numbered(n))).await;
    }
}

fn numbered(n: i64) -> outrigger_ports::store::Write {
    let entries = vec![entry("group", number(n / 7)), unique("number", number(n * 10))];
    put_with(&format!("d{:04}", n * 10), entries)
}

fn range_of(order: Order<'_>, from: i64, to: i64) -> Range {
    let (from, to) = match order {
        Order::Id => (format!("d{:04}", from * 10).into(), format!("d{:04}", to * 10).into()),
        Order::Index(_) => (number(from / 7), number(to / 7)),
        Order::Unique(_) => (number(from * 10), number(to * 10)),
    };
    (std::ops::Bound::Included(from), std::ops::Bound::Excluded(to))
}

/// Reads page by page; gives all ids.
async fn page_through(bed: &Bed, query: Query<'_>) -> Vec<String> {
    let mut all = Vec::new();
    let mut after = None;
    loop {
        let page = bed.query(Query { after, ..query.clone() }).await;
        let full = page.len() == query.limit;
        assert!(page.len() <= query.limit);
        after = page.last().map(|found| found.position.clone());
        all.extend(ids(page));
        assert!(all.len() <= 1_000, "the pages do not end");
        if !full {
            return all;
        }
    }
}

/// Pages of any size join to the whole, in every order, direction and range.
pub async fn pages_cover_every_order_once(factory: &dyn StoreFactory) {
    let bed = Bed::new(factory).await;
    fill(&bed, 50).await;
    for order in ORDERS {
        for descending in [false, true] {
            for range in [index_value::all(), range_of(order, 7, 35)] {
                let whole = Query { range, descending, ..all_of(order) };
                let expected = ids(bed.query(whole.clone()).await);
                assert!(matches!(expected.len(), 28 | 50), "{order:?}: {}", expected.len());
                for limit in [1, 3, 7, 49, 50, 51] {
                    let got = page_through(&bed, Query { limit, ..whole.clone() }).await;
                    assert_eq!(got, expected, "{order:?} limit {limit} descending {descending}");
                }
            }
        }
    }
}

/// Fewer than `limit` are returned only when there are no more.
pub async fn the_limit_is_exact(factory: &dyn StoreFactory) {
    let bed = Bed::new(factory).await;
    fill(&bed, 30).await;
    bed.done((10..20).map(|n| delete(&format!("d{:04}", n * 10)))).await;
    for order in ORDERS {
        for limit in 1..=25 {
            let found = bed.query(Query { limit, ..all_of(order) }).await;
            assert_eq!(found.len(), limit.min(20), "{order:?}");
        }
    }
}

/// A page may go on after a place where nothing stands any more, or never did.
pub async fn a_position_need_not_exist(factory: &dyn StoreFactory) {
    let bed = Bed::new(factory).await;
    fill(&bed, 14).await;
    let after = |value: Vec<u8>, id: &str| Some(Position { value, id: id.to_owned() });
    let next = |after, descending, order| Query { after, descending, limit: 1, ..all_of(order) };
    for (query, expected) in [
        (next(after(Vec::new(), "d0055"), false, Order::Id), Some("d0060")),
        (next(after(Vec::new(), "d0055"), true, Order::Id), Some("d0050")),
        (next(after(number(0), "d0035"), false, ORDERS[1]), Some("d0040")),
        (next(after(number(0), "d0035"), true, ORDERS[1]), Some("d0030")),
        (next(after(number(0), "zzz"), false, ORDERS[1]), Some("d0070")),
        (next(after(number(1), "a"), true, ORDERS[1]), Some("d0060")),
        (next(after(number(1), "zzz"), false, ORDERS[1]), None),
        (next(after(number(55), "x"), false, ORDERS[2]), Some("d0060")),
        (next(after(number(55), "x"), true, ORDERS[2]), Some("d0050")),
        (next(after(number(-1), ""), true, ORDERS[2]), None),
    ] {
        let got = ids(bed.query(query.clone()).await);
        assert_eq!(got.first().map(String::as_str), expected, "{query:?}");
    }
}

/// While others come and go between the pages, each document that stays is seen exactly once.
pub async fn nothing_that_stays_is_skipped_or_repeated_under_change(factory: &dyn StoreFactory) {
    for order in ORDERS {
        for descending in [false, true] {
            let bed = Bed::new(factory).await;
            fill(&bed, 42).await;
            let staying: BTreeSet<String> =
                (0..42).filter(|n| n % 3 != 0).map(|n| format!("d{:04}", n * 10)).collect();
            let mut seen: Vec<String> = Vec::new();
            let mut after = None;
            for round in 0_i64.. {
                let page = bed.query(Query { after, descending, limit: 5, ..all_of(order) }).await;
                let full = page.len() == 5;
                after = page.last().map(|found| found.position.clone());
                seen.extend(ids(page));
                if !full {
                    break;
                }
                // One goes that may be the last one seen, and some come all over the place.
                bed.done(
                    (round * 3..=round * 3 + 1)
                        .filter(|n| n % 3 == 0)
                        .map(|n| delete(&format!("d{:04}", n * 10))),
                )
                .await;
                bed.done([3_i64, 17, 31].map(|n| {
                    let entries = vec![
                        entry("group", number(n / 7)),
                        unique("number", [number(n * 10), number(round)].concat()),
                    ];
                    put_with(&format!("d{:04}x{round}", n * 10), entries)
                }))
                .await;
                assert!(round < 100, "the pages do not end");
            }
            let kept: Vec<&String> = seen.iter().filter(|id| staying.contains(*id)).collect();
            assert_eq!(kept.len(), staying.len(), "{order:?} descending {descending}");
            let distinct: BTreeSet<&String> = seen.iter().collect();
            assert_eq!(distinct.len(), seen.len(), "{order:?} descending {descending}: repeated");
        }
    }
}
