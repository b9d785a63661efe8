//! A full disk: writes are refused with a clear error, reads go on, room that is made is used,
//! nothing is damaged.

use std::path::{Path, PathBuf};
use std::process::Command;

use outrigger_testkit::TempDir;
use serde_json::json;

use super::{public_collection, token};
use crate::alerts::{self, Look};
use crate::support::{Answer, Backend, Server, ServerOptions};

/// A file system of a few megabytes; gone with the value.
struct SmallDisk(TempDir);

impl SmallDisk {
    /// `None` where this user may not mount.
    fn mount() -> Option<Self> {
        let dir = TempDir::new("disk").unwrap();
        let mut mount = Command::new("mount");
        mount.args(["-t", "tmpfs", "-o", "size=6m", "tmpfs"]).arg(dir.path());
        let mounted = mount.output().is_ok_and(|done| done.status.success());
        mounted.then(|| Self(dir))
    }

    fn path(&self) -> &Path {
        self.0.path()
    }

    /// A file that takes room until it is removed.
    fn ballast(&self) -> PathBuf {
        let path = self.path().join("ballast");
        std::fs::write(&path, vec![0; 1 << 20]).expect("a megabyte of ballast");
        path
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg(self.path()).status();
    }
}

fn is_full(answer: &Answer) -> bool {
    if answer.status < 300 {
        return false;
    }
    assert_eq!((answer.status, answer.code().as_str()), (503, "database_full"), "{}", answer.text);
    assert!(answer.header("retry-after").parse::<u64>().is_ok_and(|after| after > 0), "{answer:?}");
    true
}

/// Set for the test that runs in a namespace.
const IN_NAMESPACE: &str = "OUTRIGGER_TEST_IN_NAMESPACE";

#[test]
fn a_full_disk_refuses_writes_only() {
    match SmallDisk::mount() {
        Some(disk) => writes_only_are_refused(&disk),
        None if std::env::var_os(IN_NAMESPACE).is_some() => panic!("no mount in the namespace"),
        None if may_have_namespaces() => {
            in_a_namespace("outages::disk::a_full_disk_refuses_writes_only");
        }
        None => {
            assert!(std::env::var_os("CI").is_none(), "CI must be able to mount a file system");
            println!("NOT SHOWN: this user may not mount a small file system");
        }
    }
}

fn may_have_namespaces() -> bool {
    let tried = Command::new("unshare").args(["-rm", "true"]).output();
    tried.is_ok_and(|done| done.status.success())
}

/// Runs the test once more, where anybody may mount.
fn in_a_namespace(test: &str) {
    let mut again = Command::new("unshare");
    again.arg("-rm").arg(std::env::current_exe().expect("this program"));
    again.args(["--exact", test, "--nocapture"]).env(IN_NAMESPACE, "1");
    let done = again.output().expect("unshare runs");
    let said = String::from_utf8_lossy(&done.stdout);
    let errors = String::from_utf8_lossy(&done.stderr);
    assert!(done.status.success() && said.contains("1 passed"), "{said}\n{errors}");
}

fn writes_only_are_refused(disk: &SmallDisk) {
    let ballast = disk.ballast();
    let database = format!("sqlite://{}", disk.path().join("outrigger.db").display());
    let server = Server::start(&ServerOptions::on(Backend::Urls { database, redis: None }));
    let collection = public_collection(&server);
    let (email, login) = server.new_login();
    let path = |n: usize| format!("/api/v1/records/{collection}/r{n}");
    let before = Look::at(&server);
    let body = json!({"text": "x".repeat(100_000)});
    let mut written = 0;
    while !is_full(&server.api().put(&path(written), &body)) {
        written += 1;
        assert!(written < 200, "the disk is not full yet");
    }
    assert!(written > 5, "{written}");
    let user = server.api().with_token(token(&login));
    let reads_go_on = || {
        for n in 0..written {
            assert_eq!(server.api().get(&path(n)).expect(200).json()["data"], body);
        }
        user.get("/api/v1/users/me").expect(200);
        server.api().get(&format!("/api/v1/records/{collection}?limit=3")).expect(200);
        server.api().get(&path(written)).expect(404);
        server.api().get("/health").expect(200);
    };
    reads_go_on();
    let refused = (0..20).filter(|_| is_full(&server.api().put(&path(written), &body))).count();
    assert_eq!(refused, 20);
    let one = Look::at(&server);
    assert!(is_full(&server.api().put(&path(written), &body)));
    alerts::fires("DatabaseFull", &before, &one, &Look::at(&server));
    reads_go_on();
    std::fs::remove_file(ballast).unwrap();
    server.api().put(&path(written), &body).expect(201);
    server.api().login(&email, Server::password()).expect(200);
    server.api().delete(&path(0)).expect(204);
    assert!(server.terminate().success());
    let server = server.start_again();
    for n in 1..=written {
        assert_eq!(server.api().get(&path(n)).expect(200).json()["data"], body);
    }
    server.api().get(&path(0)).expect(404);
    server.api().with_token(token(&login)).get("/api/v1/users/me").expect(200);
}
