//! Records into files and back.

use std::fmt::Write;
use std::sync::atomic::{AtomicU64, Ordering};

use bytes::Bytes;
use outrigger_kernel::{Error, Result};
use serde_json::{Value, json};

use super::super::transfer::{BadLines, Export, Exported, Format, Import, Imported};
use super::{Bench, admin};

/// More than a page, and more than are written at once.
const MANY: usize = 130;

fn schema() -> Value {
    json!({"type": "object", "properties": {
        "n": {"type": "integer"}, "text": {"type": "string"}, "tags": {"type": "array"}}})
}

async fn bench() -> Bench {
    let bench = Bench::new();
    for name in ["a", "b"] {
        bench.define(name, json!({"schema": schema(), "unique": ["n"]})).await;
    }
    bench
}

async fn file(bench: &Bench, key: &str, text: &str) {
    let mut writer = bench.records.blobs.create(key).await.unwrap();
    writer.write(Bytes::from(text.to_owned())).await.unwrap();
    writer.finish().await.unwrap();
}

async fn text(bench: &Bench, key: &str) -> String {
    let mut reader = bench.records.blobs.open(key).await.unwrap().unwrap();
    let mut all = Vec::new();
    while let Some(piece) = reader.next().await.unwrap() {
        all.extend_from_slice(&piece);
    }
    String::from_utf8(all).unwrap()
}

async fn export(bench: &Bench, format: Format) -> Exported {
    let to = "out/a".to_owned();
    let export = Export { collection: "a", format, to, fields: Vec::new() };
    let last = AtomicU64::new(0);
    let told = |records: u64| {
        assert!(last.swap(records, Ordering::Relaxed) <= records);
        Ok(())
    };
    let exported = bench.records.export(export, &told).await.unwrap();
    assert_eq!(last.into_inner(), exported.records, "the progress that was told");
    exported
}

async fn import(
    bench: &Bench,
    format: Format,
    from: &str,
    bad_lines: BadLines,
) -> Result<Imported> {
    let import = Import { collection: "b", format, from, bad_lines, name: "tsk_1" };
    bench.records.import(&admin(), &import, &|_| Ok(())).await
}

/// The ids in the collection.
async fn ids(bench: &Bench, collection: &str) -> Vec<String> {
    let to = "out/ids".to_owned();
    let export = Export { collection, format: Format::Ndjson, to, fields: Vec::new() };
    bench.records.export(export, &|_| Ok(())).await.unwrap();
    let text = text(bench, "out/ids").await;
    let id =
        |line: &str| serde_json::from_str::<Value>(line).unwrap()["id"].as_str().map(str::to_owned);
    text.lines().filter_map(id).collect()
}

#[tokio::test]
async fn what_was_exported_is_imported_as_it_was() {
    for format in [Format::Ndjson, Format::Csv] {
        let bench = bench().await;
        let data = |n: usize| match n % 3 {
            0 => json!({"n": n, "text": "two\r\nlines, \"quoted\" é", "tags": ["x", {"y": null}]}),
            1 => json!({"n": n, "text": "5"}),
            _ => json!({"n": n, "tags": []}),
        };
        for n in 0..MANY {
            bench.put("a", &format!("r{n:03}"), data(n)).await;
        }
        let exported = export(&bench, format).await;
        assert_eq!((exported.records, exported.key.as_str()), (MANY as u64, "out/a"));
        assert_eq!(exported.bytes, text(&bench, "out/a").await.len() as u64);
        let done = import(&bench, format, "out/a", BadLines::Refuse).await.unwrap();
        assert_eq!(done, Imported { written: MANY as u64, ..Imported::default() });
        for n in 0..MANY {
            assert_eq!(bench.data("b", &format!("r{n:03}")).await, data(n), "{format:?}");
        }
    }
}

/// Lines 2, 4 and 5 are bad, each in another way; line 3 is empty.
const LINES: &str = concat!(
    "{\"id\": \"one\", \"data\": {\"n\": 1}}\n",
    "{\"id\": \"two\", \"data\": {\"n\": \"many\"}}\r\n",
    "\n",
    "{\"id\": \"no id!\", \"data\": {}}\n",
    "{\"id\": \"five\"\n",
    "{\"id\": \"six\", \"version\": 7, \"collection\": \"a\", \"data\": {\"n\": 6}}",
);

#[tokio::test]
async fn with_a_bad_line_nothing_is_written_and_each_is_named() {
    let bench = bench().await;
    file(&bench, "in", LINES).await;
    let done = import(&bench, Format::Ndjson, "in", BadLines::Refuse).await.unwrap();
    let lines: Vec<u64> = done.errors.iter().map(|bad| bad.line).collect();
    assert_eq!((done.written, done.bad, lines), (0, 3, vec![2, 4, 5]));
    assert!(done.errors[0].message.starts_with("data.n: "), "{done:?}");
    assert!(done.errors[1].message.contains("A-Z a-z 0-9 _ -"), "{done:?}");
    assert!(done.errors[2].message.contains("not valid JSON"), "{done:?}");
    assert!(done.refusal().contains("3 bad lines; 0 records were written; line 2: data.n"));
    assert!(ids(&bench, "b").await.is_empty());
}

#[tokio::test]
async fn bad_lines_can_be_left_out() {
    let bench = bench().await;
    file(&bench, "in", LINES).await;
    let done = import(&bench, Format::Ndjson, "in", BadLines::Skip).await.unwrap();
    let lines: Vec<u64> = done.errors.iter().map(|bad| bad.line).collect();
    assert_eq!((done.written, done.bad, lines), (2, 3, vec![2, 4, 5]));
    assert_eq!(ids(&bench, "b").await, ["one", "six"]);
}

#[tokio::test]
async fn rows_are_counted_by_lines_whatever_is_in_them() {
    let bench = bench().await;
    let csv =
        "id,n,text\r\n\r\none,1,\"two\nlines\"\r\ntwo,many,x\nthree,3\nfour,4,\"a \"\"b\"\"\"\n";
    file(&bench, "in", csv).await;
    let done = import(&bench, Format::Csv, "in", BadLines::Skip).await.unwrap();
    let lines: Vec<u64> = done.errors.iter().map(|bad| bad.line).collect();
    assert_eq!((done.written, lines), (2, vec![5, 6]), "{done:?}");
    assert!(done.errors[0].message.contains("data.n: expected"), "{done:?}");
    assert!(done.errors[1].message.contains("2 cells"), "{done:?}");
    assert_eq!(bench.data("b", "one").await, json!({"n": 1, "text": "two\nlines"}));
    assert_eq!(bench.data("b", "four").await["text"], "a \"b\"");
    for (head, part) in [("", "it is empty"), ("id,n,n\n1,2,3\n", "there twice")] {
        file(&bench, "in", head).await;
        let error = import(&bench, Format::Csv, "in", BadLines::Skip).await.unwrap_err();
        assert!(error.fields()[0].message.contains(part), "{error:?}");
    }
}

#[tokio::test]
async fn what_is_too_long_is_read_past() {
    let bench = bench().await;
    let long = "x".repeat(3 << 20);
    file(&bench, "in", &format!("{{\"id\": \"{long}\"}}\n{{\"id\": \"two\", \"data\": {{}}}}\n"))
        .await;
    let done = import(&bench, Format::Ndjson, "in", BadLines::Skip).await.unwrap();
    assert_eq!((done.written, done.bad, done.errors[0].line), (1, 1, 1));
    file(&bench, "in", &format!("id,text\none,{long}\nthree,x\nfour{},y\n", ",".repeat(2_000)))
        .await;
    let done = import(&bench, Format::Csv, "in", BadLines::Skip).await.unwrap();
    let lines: Vec<u64> = done.errors.iter().map(|bad| bad.line).collect();
    assert_eq!((done.written, lines), (1, vec![2, 4]), "{done:?}");
    assert_eq!(ids(&bench, "b").await, ["three", "two"]);
}

#[tokio::test]
async fn a_value_that_another_record_has_is_a_bad_line() {
    let bench = bench().await;
    bench.put("b", "there", json!({"n": 1})).await;
    file(
        &bench,
        "in",
        "{\"id\": \"x\", \"data\": {\"n\": 1}}\n{\"id\": \"y\", \"data\": {\"n\": 2}}\n",
    )
    .await;
    let done = import(&bench, Format::Ndjson, "in", BadLines::Skip).await.unwrap();
    assert_eq!((done.written, done.errors[0].line), (1, 1));
    assert!(done.errors[0].message.contains("same value of n"), "{done:?}");
}

#[tokio::test]
async fn an_import_that_begins_again_writes_the_same_records() {
    let bench = bench().await;
    let mut lines = String::new();
    for n in 0..MANY {
        writeln!(lines, "{{\"data\": {{\"n\": {n}}}}}").unwrap();
    }
    // Of two lines with one id the later one counts.
    for text in ["first", "second"] {
        writeln!(lines, "{{\"id\": \"same\", \"data\": {{\"text\": \"{text}\"}}}}").unwrap();
    }
    file(&bench, "in", &lines).await;
    let import = Import {
        collection: "b",
        format: Format::Ndjson,
        from: "in",
        bad_lines: BadLines::Skip,
        name: "tsk_1",
    };
    let stop = |line: u64| match line > 60 {
        true => Err(Error::conflict("stopped", "stopped")),
        false => Ok(()),
    };
    bench.records.import(&admin(), &import, &stop).await.unwrap_err();
    let part = ids(&bench, "b").await;
    assert!(!part.is_empty() && part.len() < MANY, "{}", part.len());
    let done = bench.records.import(&admin(), &import, &|_| Ok(())).await.unwrap();
    assert_eq!((done.written, done.bad), (MANY as u64 + 2, 0));
    assert_eq!(ids(&bench, "b").await.len(), MANY + 1);
    assert_eq!(bench.data("b", "same").await["text"], "second");
}

#[tokio::test]
async fn what_is_not_there_is_named() {
    let bench = bench().await;
    let error = import(&bench, Format::Ndjson, "no/such", BadLines::Skip).await.unwrap_err();
    assert!(error.to_string().contains("file no/such"), "{error}");
    let error = import(&bench, Format::Ndjson, "../etc", BadLines::Skip).await.unwrap_err();
    assert_eq!(error.code(), "invalid_key");
    bench.define("plain", json!({})).await;
    let to = "out/a".to_owned();
    let export = Export { collection: "plain", format: Format::Csv, to, fields: Vec::new() };
    let error = bench.records.export(export, &|_| Ok(())).await.unwrap_err();
    assert!(error.fields()[0].message.contains("name the fields"), "{error:?}");
    assert!(bench.records.blobs.open("out/a").await.unwrap().is_none());
}
