//! `outrigger export|import`: all documents of the database as a file, and back. Not to be confused with
//! the tasks `records.export` and `records.import`, which are about one collection.

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context, Result, anyhow};
use async_trait::async_trait;
use clap::{Arg, ArgAction, ArgMatches, Command, value_parser};
use outrigger_archive::line::{self, FORMAT, Header};
use outrigger_archive::{ArchiveError, Exporting, Importing, LEFT_OUT, PAGE, Pages, Place, Step};
use outrigger_kernel::{Clock as _, SystemClock};
use outrigger_ports::store::{Key, MigrateMode, Scanned};

use super::desk::{Desk, Request, Told};
use super::progress::Progress;
use crate::config::Config;
use crate::lifecycle::runtime;
use crate::{blobs, database, identity, operator};

/// The exit code when all was taken, but not all of it as it stood there.
const WITH_LOSSES: u8 = 3;
/// How long an import waits for another process's migration.
const MIGRATION_WAIT: Duration = Duration::from_secs(60);

pub(super) fn export_command() -> Command {
    Command::new("export")
        .about("Write all documents of the database into an archive")
        .arg(
            Arg::new("archive")
                .value_name("TO")
                .required(true)
                .help("a file, blob:KEY, or - for standard output; compressed if it ends in .gz"),
        )
        .arg(flag("resume", "go on where an export to the same place was cut off"))
        .arg(
            Arg::new("part-mb")
                .long("part-mb")
                .value_name("MB")
                .value_parser(value_parser!(u64).range(1..=4_096))
                .default_value("64")
                .help("with blob:KEY: how large a part is, in megabytes"),
        )
}

pub(super) fn import_command() -> Command {
    Command::new("import")
        .about("Bring the documents of an archive into the database; go on when that was cut off")
        .arg(
            Arg::new("archive")
                .value_name("FROM")
                .required(true)
                .help("a file, blob:KEY, or - for standard input"),
        )
        .arg(flag("replace", "delete all that the database holds"))
}

fn flag(name: &'static str, help: &'static str) -> Arg {
    Arg::new(name).long(name).action(ArgAction::SetTrue).help(help)
}

/// The place that is named.
fn place(config: &Config, matches: &ArgMatches) -> Result<Place> {
    let name = matches.get_one::<String>("archive").map_or("-", String::as_str);
    Ok(match name.strip_prefix("blob:") {
        Some(key) => Place::Blobs(blobs::open(config)?, key.to_owned()),
        None if name == "-" => Place::Standard,
        None => Place::File(PathBuf::from(name)),
    })
}

/// Writes an archive. Of a SQLite database that is being served, the process that serves it reads.
pub(super) fn export(config: &Config, matches: &ArgMatches) -> Result<ExitCode> {
    let header = Header {
        outrigger_archive: FORMAT,
        version: env!("CARGO_PKG_VERSION").to_owned(),
        source: database::kind(config).to_owned(),
        database: identity::of(config),
        started_at: SystemClock.now(),
        left_out: LEFT_OUT.map(str::to_owned).into(),
    };
    let to = place(config, matches)?;
    let progress = Progress::new();
    let mut exporting = Exporting {
        resume: matches.get_flag("resume"),
        // A bar wants to know its end.
        counted: progress.has_bar(),
        ..Exporting::new(&to, header)
    };
    if let Some(mb) = matches.get_one::<u64>("part-mb") {
        exporting.part_bytes = mb * 1024 * 1024;
    }
    let trailer = runtime()?.block_on(async {
        let mut pages: Box<dyn Pages> = match operator::ask(config, &Request::Page(None))? {
            Some(_) => Box::new(Served(config)),
            None => Box::new(database::store(config).await?),
        };
        let mut watch = |step: &Step<'_>| progress.show(step);
        let exported = outrigger_archive::export(&mut *pages, exporting, &mut watch);
        exported.await.context("export")
    })?;
    progress.end(&format!("{} documents, SHA-256 {}", trailer.documents, trailer.sha256));
    Ok(ExitCode::SUCCESS)
}

/// Brings an archive into the database, and compares them.
pub(super) fn import(config: &Config, matches: &ArgMatches) -> Result<ExitCode> {
    let from = place(config, matches)?;
    let replace = matches.get_flag("replace");
    let progress = Progress::new();
    let imported = runtime()?.block_on(async {
        if operator::ask(config, &Request::Page(None))?.is_some() {
            return Err(anyhow!("a process serves this database: stop it first"));
        }
        let store = database::store(config).await?;
        let wait = MIGRATION_WAIT;
        store.migrate(MigrateMode::Apply { wait }).await.context("database.url")?;
        let importing = Importing { from: &from, replace, now: SystemClock.now() };
        let mut watch = |step: &Step<'_>| progress.show(step);
        let imported = outrigger_archive::import(&*store, importing, &mut watch);
        imported.await.context("import")
    })?;
    for (key, index) in &imported.lost {
        progress.note(&format!(
            "{}/{} was read before its {index} went to another document: it is not found by it any more",
            key.collection, key.id
        ));
    }
    progress.end(&format!(
        "{} documents as in the archive of {} ({}), compared; {} of them were there already, {} have expired",
        imported.trailer.documents,
        imported.header.started_at,
        imported.header.source,
        imported.found,
        imported.expired,
    ));
    Ok(if imported.lost.is_empty() { ExitCode::SUCCESS } else { ExitCode::from(WITH_LOSSES) })
}

/// The lines of the documents after a key, for another process of this machine.
pub(super) async fn page(desk: &Desk<'_>, after: Option<&(String, String)>) -> Result<Told> {
    let after = after.map(|(collection, id)| Key::new(collection, id));
    let mut told = Told::default();
    for scanned in desk.store().await?.scan(after.as_ref(), PAGE).await? {
        told.say(&String::from_utf8_lossy(&line::of_document(&scanned)));
    }
    Ok(told)
}

/// The documents of a database that another process of this machine serves.
struct Served<'a>(&'a Config);

#[async_trait(?Send)]
impl Pages for Served<'_> {
    async fn after(&mut self, key: Option<&Key>) -> Result<Vec<Scanned>, ArchiveError> {
        let refused = |what: String| ArchiveError::Refused(what);
        let after = key.map(|key| (key.collection.clone(), key.id.clone()));
        let told = operator::ask(self.0, &Request::Page(after))
            .map_err(|error| refused(format!("{error:#}")))?
            .ok_or("the process that serves has ended: go on with --resume".to_owned())
            .and_then(Told::heard)
            .map_err(refused)?;
        told.lines().map(|line| line::document(line.as_bytes()).map_err(refused)).collect()
    }
}
