//! To a bucket of S3 (an emulator) and back.

use std::path::Path;
use std::time::Duration;

use outrigger_testkit::{Aws, FaultProxy, Process, TempDir, wait_until};

use super::{archive, content};
use crate::support::{Api, Backend, ServerOptions, binary, run};

/// Longer than any step takes on a slow machine.
const LONG: Duration = Duration::from_secs(120);

/// The numbers of the parts in the bucket, and what else lies beside them.
fn parts(aws: &Aws, bucket: &str) -> Vec<String> {
    let list = Api::new(&aws.url()).get(&format!("/{bucket}?list-type=2")).expect(200).text;
    let keys = list.split("<Key>").skip(1).filter_map(|rest| rest.split('<').next());
    keys.map(|key| key.trim_start_matches("files/backups/all").to_owned()).collect()
}

/// Killed in the third part, it goes on there; what comes back from the bucket is what went there.
#[test]
fn an_export_to_a_bucket_that_was_killed_goes_on_and_comes_back() {
    let folder = TempDir::new("archives").unwrap();
    let (first, again) = (folder.join("first.ndjson"), folder.join("again.ndjson"));
    archive(&first, 16_000);
    let aws = Aws::shared().unwrap();
    let bucket = aws.fresh_bucket().unwrap();
    let proxy = FaultProxy::start(aws.port()).unwrap();
    let url = format!("s3://{bucket}/files?endpoint=http://127.0.0.1:{}", proxy.port());
    let options = ServerOptions::on(Backend::Sqlite).set("BLOB_URL", &url);
    let done = |database: &str, arguments: &[&str]| {
        let options = options.clone().set("DATABASE_URL", database);
        let (done, text) = run(&options, folder.path(), arguments, "");
        assert!(done, "{text}");
        text
    };
    done("sqlite://old.db", &["import", "first.ndjson"]);

    let export = ["export", "blob:backups/all", "--part-mb", "1"];
    kill_within(&options, folder.path(), &export, &proxy);
    assert_eq!(parts(aws, &bucket), ["-claim", ".00001", ".00002"]);
    let anew = options.clone().set("DATABASE_URL", "sqlite://old.db");
    let (is_done, text) = run(&anew, folder.path(), &export, "");
    assert!(!is_done && text.contains("go on with --resume"), "{text}");
    let other = [&export[..], &["--resume"]].concat();
    let elsewhere = options.clone().set("DATABASE_URL", "sqlite://other.db");
    let (is_done, text) = run(&elsewhere, folder.path(), &other, "");
    assert!(!is_done && text.contains("begun with another database"), "{text}");

    done("sqlite://old.db", &other);
    let parts = parts(aws, &bucket);
    assert!(parts.len() > 3 && parts.iter().all(|part| part.starts_with(".0000")), "{parts:?}");
    let text = done("sqlite://new.db", &["import", "blob:backups/all"]);
    assert!(text.contains("16000 documents as in the archive"), "{text}");
    done("sqlite://new.db", &["export", "again.ndjson"]);
    assert!(content(&again) == content(&first));
}

/// Runs the export, which hangs in its third part, and kills it there.
fn kill_within(options: &ServerOptions, folder: &Path, export: &[&str], proxy: &FaultProxy) {
    proxy.freeze_after_bytes(2_500_000);
    let mut command = std::process::Command::new(binary());
    command.current_dir(folder).args(export);
    command.envs(options.environment.clone()).env("DATABASE_URL", "sqlite://old.db");
    let process = Process::spawn("outrigger", &command, &folder.join("log")).unwrap();
    wait_until("two parts and a half", LONG, || {
        assert!(proxy.is_frozen() || process.is_running(), "{}", process.log());
        proxy.is_frozen()
    })
    .unwrap();
    process.kill();
    // What is on its way is lost.
    proxy.cut();
    proxy.restore().unwrap();
}
