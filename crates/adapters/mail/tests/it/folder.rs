//! Mail for development.

use outrigger_mail::FolderMailer;
use outrigger_ports::mailer::Mailer;
use outrigger_testkit::TempDir;

use crate::{block_on, mail};

#[test]
fn a_mail_becomes_a_file_and_one_that_comes_again_replaces_it() {
    let dir = TempDir::new("mail").unwrap();
    let mailer = FolderMailer::new(dir.join("not/yet/there"));
    for _ in 0..2 {
        let sent = block_on(mailer.send(mail("tsk_1"))).unwrap();
        assert!(sent.answer.ends_with("not/yet/there/tsk_1.eml"), "{sent:?}");
    }
    let names = std::fs::read_dir(dir.join("not/yet/there")).unwrap();
    let names: Vec<_> = names.map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(names, ["tsk_1.eml"]);
    let text = std::fs::read_to_string(dir.join("not/yet/there/tsk_1.eml")).unwrap();
    assert!(text.contains("It is on its way."), "{text}");
}

#[test]
fn the_last_thousand_are_kept() {
    let dir = TempDir::new("mail").unwrap();
    for number in 0..1_000 {
        std::fs::write(dir.join(format!("tsk_{number:04}.eml")), "").unwrap();
    }
    block_on(FolderMailer::new(dir.path()).send(mail("tsk_1000"))).unwrap();
    assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 1_000);
    assert!(!dir.join("tsk_0000.eml").exists() && dir.join("tsk_0001.eml").exists());
}
