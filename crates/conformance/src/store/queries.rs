//! Queries: orders and ranges, and how entries follow their document.

use std::ops::Bound::{self, Excluded, Included, Unbounded};

use outrigger_kernel::Timestamp;
use outrigger_ports::collection::entry;
use outrigger_ports::index_value::{self, Range};
use outrigger_ports::store::{Order, Query};

use super::StoreFactory;
use super::bed::{
    Bed, all_of, between, delete, ids, number, plain, put, put_with, reindex, unique, until,
    with_body,
};

const STATUS: Order<'static> = Order::Index("status");

fn encoded(write: impl FnOnce(&mut Vec<u8>)) -> Vec<u8> {
    let mut out = Vec::new();
    write(&mut out);
    out
}

/// Values of every kind, from the least to the greatest.
fn ladder() -> Vec<Vec<u8>> {
    let mut ladder = vec![
        encoded(index_value::null),
        encoded(|out| index_value::boolean(out, false)),
        encoded(|out| index_value::boolean(out, true)),
        encoded(|out| index_value::float(out, f64::MIN)),
        number(i64::MIN),
        number(-256),
        encoded(|out| index_value::float(out, -0.5)),
        number(0),
        encoded(|out| index_value::float(out, 0.5)),
        number(1),
        number(255),
        number(256),
        number(i64::MAX - 1),
        number(i64::MAX),
        encoded(|out| index_value::integer(out, u64::MAX.into())),
        encoded(|out| index_value::float(out, f64::MAX)),
        index_value::of_time(Timestamp::from_micros(-1)),
        index_value::of_time(Timestamp::from_secs(1_800_000_000)),
        index_value::of_time(Timestamp::from_micros(1_800_000_000_000_001)),
    ];
    let strings = [
        "",
        "\0",
        "\0\0",
        "\0a",
        "\u{1}",
        "A",
        "Z",
        "a",
        "a\0b",
        "a ",
        "ab",
        "b",
        "z",
        "\u{7f}",
        "é",
        "漢",
        "\u{FFFD}",
        "\u{10FFFF}",
    ];
    ladder.extend(strings.iter().map(|text| index_value::of_str(text)));
    ladder
}

/// Byte order of the encoding is the order of the index: null, booleans, numbers, times, strings.
pub async fn index_order_is_value_order_for_every_kind(factory: &dyn StoreFactory) {
    let bed = Bed::new(factory).await;
    let ladder = ladder();
    // Ids run against the values, so that an order by id is not taken for one by value.
    let rungs: Vec<_> =
        ladder.iter().enumerate().map(|(n, value)| (format!("{:03}", 999 - n), value)).collect();
    for (id, value) in rungs.iter().rev() {
        bed.done([put_with(id, vec![entry("status", (*value).clone())])]).await;
    }
    let expected: Vec<String> = rungs.iter().map(|(id, _)| id.clone()).collect();
    assert_eq!(bed.ids(STATUS, index_value::all()).await, expected);
    let mut down = bed.ids_down(STATUS, index_value::all()).await;
    down.reverse();
    assert_eq!(down, expected);
    for (n, (id, value)) in rungs.iter().enumerate() {
        let exactly = index_value::exactly((*value).clone());
        assert_eq!(bed.ids(STATUS, exactly).await, std::slice::from_ref(id), "exactly {value:?}");
        let below = (Unbounded, Excluded((*value).clone()));
        assert_eq!(bed.ids(STATUS, below).await, expected[..n], "below {value:?}");
        let found = bed.query(Query { limit: 1, ..all_of(STATUS) }).await;
        assert_eq!(found[0].position.value, *rungs[0].1);
    }
}

/// Equal values are ordered by id, bytewise, in the asked direction.
pub async fn ties_are_broken_by_id_in_both_directions(factory: &dyn StoreFactory) {
    let bed = Bed::new(factory).await;
    for id in ["b", "B", "a", "a-1", "a.1", "a:1", "a_1", "aa", "0", "10", "2"] {
        bed.done([put_with(id, vec![plain("status", "same")])]).await;
    }
    let expected = ["0", "10", "2", "B", "a", "a-1", "a.1", "a:1", "a_1", "aa", "b"];
    assert_eq!(bed.ids(STATUS, index_value::all()).await, expected);
    let mut down = bed.ids_down(STATUS, index_value::all()).await;
    down.reverse();
    assert_eq!(down, expected);
}

/// An index holds only the documents that have an entry in it; of this collection only.
pub async fn only_documents_with_an_entry_are_found(factory: &dyn StoreFactory) {
    let bed = Bed::new(factory).await;
    bed.done([
        put_with("a", vec![plain("status", "x")]),
        put("b"),
        put_with("c", vec![plain("other", "x")]),
        put_with("d", vec![plain("status2", "x"), plain("statu", "x")]),
    ])
    .await;
    assert_eq!(bed.ids(STATUS, index_value::all()).await, ["a"]);
    assert_eq!(bed.ids(Order::Unique("status"), index_value::all()).await, Vec::<String>::new());
    assert_eq!(bed.ids(Order::Index("never"), index_value::all()).await, Vec::<String>::new());
    let elsewhere = Query { collection: "rec.boat", ..all_of(STATUS) };
    assert_eq!(bed.query(elsewhere).await, vec![]);
}

/// Included, excluded and open bounds on both sides, also where they leave nothing.
pub async fn ranges_with_every_kind_of_bound(factory: &dyn StoreFactory) {
    let bed = Bed::new(factory).await;
    let names = ["a", "b", "c", "d"];
    for name in names {
        bed.done([put_with(name, vec![plain("status", name), unique("name", name)])]).await;
    }
    let bounds = |text: &'static str| -> [Bound<&'static str>; 3] {
        [Included(text), Excluded(text), Unbounded]
    };
    for low in ["b", "bb", ""] {
        for high in ["c", "b", "a", "zz"] {
            for from in bounds(low) {
                for to in bounds(high) {
                    let inside =
                        |name: &&&str| std::ops::RangeBounds::<str>::contains(&(from, to), **name);
                    let mut expected: Vec<&str> = names.iter().filter(inside).copied().collect();
                    for order in [STATUS, Order::Unique("name")] {
                        let got = bed.ids(order, between(from, to)).await;
                        assert_eq!(got, expected, "{order:?} {from:?} {to:?}");
                    }
                    expected.reverse();
                    for order in [STATUS, Order::Unique("name")] {
                        let got = bed.ids_down(order, between(from, to)).await;
                        assert_eq!(got, expected, "{order:?} {from:?} {to:?} down");
                    }
                }
            }
        }
    }
}

/// What starts with a prefix is a range, also when the prefix ends in the middle of a value.
pub async fn prefixes_are_ranges(factory: &dyn StoreFactory) {
    let bed = Bed::new(factory).await;
    let names = ["a", "ab", "ab\0", "ab\0c", "abc", "abé", "ab\u{10FFFF}", "ac", "b"];
    for (n, name) in names.iter().enumerate() {
        bed.done([put_with(&format!("n{n}"), vec![plain("status", name)])]).await;
    }
    let starting = |text: &str| {
        let mut prefix = Vec::new();
        index_value::string_prefix(&mut prefix, text);
        index_value::starting_with(prefix)
    };
    let expected = ["n1", "n2", "n3", "n4", "n5", "n6"];
    assert_eq!(bed.ids(STATUS, starting("ab")).await, expected);
    assert_eq!(bed.ids(STATUS, starting("ab\0")).await, ["n2", "n3"]);
    assert_eq!(bed.ids(STATUS, starting("")).await.len(), names.len());
    assert_eq!(bed.ids(STATUS, starting("abcd")).await, Vec::<String>::new());

    // A compound value: all with the same first part, in the order of the second.
    for n in [300, -2, 7] {
        let mut value = index_value::of_str("owner");
        value.extend(number(n));
        bed.done([put_with(&format!("own{n}"), vec![entry("mine", value)])]).await;
    }
    let mut other = index_value::of_str("owner2");
    other.extend(number(1));
    bed.done([put_with("not-mine", vec![entry("mine", other)])]).await;
    let mine = index_value::starting_with(index_value::of_str("owner"));
    assert_eq!(bed.ids(Order::Index("mine"), mine).await, ["own-2", "own7", "own300"]);
}

/// Ids are an order too, with the bytes of ids as bounds.
pub async fn ids_are_an_order(factory: &dyn StoreFactory) {
    let bed = Bed::new(factory).await;
    for id in ["b", "a", "B", "a-b", "a_b", "a.b", "a:b", "ab", "_", "0"] {
        bed.done([put_with(id, vec![plain("status", "x")])]).await;
    }
    let expected = ["0", "B", "_", "a", "a-b", "a.b", "a:b", "a_b", "ab", "b"];
    assert_eq!(bed.ids(Order::Id, index_value::all()).await, expected);
    let starting: Range = index_value::starting_with(b"a".to_vec());
    assert_eq!(bed.ids(Order::Id, starting.clone()).await, expected[3..9]);
    let mut down = bed.ids_down(Order::Id, starting).await;
    down.reverse();
    assert_eq!(down, expected[3..9]);
    let range = (Excluded(b"a".to_vec()), Included(b"a_b".to_vec()));
    assert_eq!(bed.ids(Order::Id, range).await, expected[4..8]);
    assert_eq!(bed.ids(Order::Id, index_value::exactly(b"ab".to_vec())).await, ["ab"]);
    let found = bed.query(Query { limit: 1, ..all_of(Order::Id) }).await;
    assert_eq!((found[0].position.value.as_slice(), found[0].position.id.as_str()), (&[][..], "0"));
}

/// A unique index is an order like a plain one.
pub async fn unique_indexes_are_an_order(factory: &dyn StoreFactory) {
    let bed = Bed::new(factory).await;
    for (id, name) in [("1", "c"), ("2", "a"), ("3", "\0"), ("4", "é"), ("5", "b")] {
        bed.done([put_with(id, vec![unique("name", name), plain("status", "x")])]).await;
    }
    let order = Order::Unique("name");
    assert_eq!(bed.ids(order, index_value::all()).await, ["3", "2", "5", "1", "4"]);
    assert_eq!(bed.ids_down(order, index_value::all()).await, ["4", "1", "5", "2", "3"]);
    assert_eq!(bed.ids(Order::Index("name"), index_value::all()).await, Vec::<String>::new());
}

/// A found document is whole, and stands where its newest entries say.
pub async fn entries_change_with_their_document(factory: &dyn StoreFactory) {
    let bed = Bed::new(factory).await;
    for status in ["open", "done", "open", "lost"] {
        let put = put_with("a", vec![plain("status", status), plain("kind", "canoe")]);
        bed.done([with_body(put, format!("{{\"status\":\"{status}\"}}"))]).await;
        let found = bed.query(all_of(STATUS)).await;
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].position.value, index_value::of_str(status));
        assert_eq!(Some(&found[0].document), bed.get("a").await.as_ref());
        assert_eq!(bed.ids(Order::Index("kind"), index_value::all()).await, ["a"]);
    }
    bed.done([delete("a")]).await;
    assert_eq!(bed.query(all_of(STATUS)).await, vec![]);
    bed.done([put("a")]).await;
    assert_eq!(bed.query(all_of(STATUS)).await, vec![]);
}

/// A reindex changes where a document is found, and nothing else of it.
pub async fn reindexing_leaves_version_body_and_expiry(factory: &dyn StoreFactory) {
    let bed = Bed::new(factory).await;
    let at = bed.in_secs(60);
    let before = put_with("a", vec![plain("status", "old"), unique("name", "old")]);
    bed.done([until(with_body(before, "{ \"a\" : 1 }"), at)]).await;
    let document = bed.get("a").await.unwrap();
    assert_eq!(document.expires_at, Some(at));
    let new = vec![plain("status", "new"), plain("kind", "k"), unique("hull", "h")];
    assert_eq!(bed.done([reindex("a", new)]).await, [1]);
    assert_eq!(bed.get("a").await, Some(document.clone()));
    for (order, there) in [
        (STATUS, true),
        (Order::Index("kind"), true),
        (Order::Unique("hull"), true),
        (Order::Unique("name"), false),
    ] {
        let found = bed.query(all_of(order)).await;
        assert_eq!(ids(found.clone()).len(), usize::from(there), "{order:?}");
        assert!(found.iter().all(|found| found.document == document));
    }
    let old = index_value::exactly(index_value::of_str("old"));
    assert_eq!(bed.ids(STATUS, old).await, Vec::<String>::new());
    bed.clock.advance(std::time::Duration::from_secs(60));
    assert_eq!(bed.query(all_of(STATUS)).await, vec![]);
}

/// The entries of a put are all that the document has afterwards.
pub async fn a_put_replaces_all_entries(factory: &dyn StoreFactory) {
    let bed = Bed::new(factory).await;
    bed.done([put_with("a", vec![plain("status", "x"), plain("kind", "k"), unique("name", "n")])])
        .await;
    bed.done([put_with("a", vec![plain("kind", "k"), plain("tag", "t")])]).await;
    for (order, there) in [
        (STATUS, false),
        (Order::Index("kind"), true),
        (Order::Index("tag"), true),
        (Order::Unique("name"), false),
    ] {
        let found = bed.ids(order, index_value::all()).await;
        assert_eq!(found.len(), usize::from(there), "{order:?}");
    }
    // One name may be plain in one document and unique in another.
    bed.done([put_with("b", vec![unique("kind", "k")])]).await;
    assert_eq!(bed.ids(Order::Index("kind"), index_value::all()).await, ["a"]);
    assert_eq!(bed.ids(Order::Unique("kind"), index_value::all()).await, ["b"]);
}
