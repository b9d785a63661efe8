//! `outrigger tasks …`: looks after tasks and queues without the API.

use anyhow::{Result, bail};
use clap::{Arg, ArgAction, ArgMatches, Command};
use outrigger_domain::tasks::{Kinds, ReplayInput, TaskQuery, Tasks};
use outrigger_kernel::{Ctx, PageRequest, limits};

use super::desk::{Desk, Told};
use super::table::table;
use crate::compose::{check_queue, services, shared};
use crate::lifecycle::prepare_store;

pub(super) fn command() -> Command {
    let id = || Arg::new("id").required(true).value_name("ID").help("the task, tsk_…");
    let queue = || Arg::new("queue").required(true).value_name("QUEUE").help("the queue's name");
    Command::new("tasks")
        .about("Look after tasks and queues")
        .subcommand_required(true)
        .subcommand(
            filtered(Command::new("list").about("List tasks, the newest first")).arg(
                Arg::new("limit")
                    .long("limit")
                    .value_name("COUNT")
                    .default_value("20")
                    .value_parser(clap::value_parser!(u32).range(1..))
                    .help("at most so many"),
            ),
        )
        .subcommand(Command::new("show").about("Show a task as JSON").arg(id()))
        .subcommand(
            filtered(Command::new("retry").about(
                "Begin dead tasks again, or those of another status; or the tasks that are named",
            ))
            .arg(id().required(false).num_args(0..))
            .arg(
                Arg::new("all")
                    .long("all")
                    .action(ArgAction::SetTrue)
                    .conflicts_with("id")
                    .help("all of the status, kind and queue"),
            ),
        )
        .subcommand(
            Command::new("cancel")
                .about("Cancel a task: at once when it waits, else its worker is told")
                .arg(id()),
        )
        .subcommand(Command::new("queues").about("List queues and how full they are"))
        .subcommand(Command::new("pause").about("Let nothing be claimed from a queue").arg(queue()))
        .subcommand(
            Command::new("resume").about("Let tasks be claimed from a queue again").arg(queue()),
        )
}

fn filtered(command: Command) -> Command {
    let word = |name: &'static str, help: &'static str| Arg::new(name).long(name).help(help);
    command
        .arg(word("status", "only with this status").value_name("STATUS"))
        .arg(word("kind", "only of this kind").value_name("KIND"))
        .arg(word("queue", "only of this queue").value_name("QUEUE"))
}

pub(super) async fn run(desk: &Desk<'_>, matches: &ArgMatches, told: &mut Told) -> Result<()> {
    check_queue(desk.config).await?;
    let connected = desk.backends()?.connect().await?;
    connected.settle().await;
    let ports = connected.ports;
    prepare_store(desk.config, &*ports.store).await?;
    let tasks = services(&ports, &shared(desk.config, Kinds::default(), &ports)?).tasks;
    let ctx = Ctx::system("tasks");
    let text = |of: &ArgMatches, name: &str| of.get_one::<String>(name).cloned();
    match matches.subcommand() {
        Some(("list", sub)) => list(&tasks, &ctx, sub, told).await?,
        Some(("show", sub)) => {
            let id = text(sub, "id").unwrap_or_default();
            told.say(&serde_json::to_string_pretty(&tasks.get(&ctx, &id).await?)?);
        }
        Some(("retry", sub)) => retry(&tasks, &ctx, sub, told).await?,
        Some(("cancel", sub)) => {
            let task = tasks.cancel(&ctx, &text(sub, "id").unwrap_or_default()).await?;
            match task.status.is_final() {
                true => told.say(&format!("{} is cancelled", task.id)),
                false => told.say(&format!("{} runs; its worker is told", task.id)),
            }
        }
        Some(("queues", _)) => queues(&tasks, &ctx, told).await?,
        Some((verb @ ("pause" | "resume"), sub)) => {
            let queue = text(sub, "queue").unwrap_or_default();
            tasks.set_paused(&ctx, &queue, verb == "pause").await?;
            told.say(&format!("{queue}: {verb}d"));
        }
        _ => bail!("tasks has no such command"),
    }
    Ok(())
}

fn query(matches: &ArgMatches) -> TaskQuery {
    let text = |name: &str| matches.get_one::<String>(name).cloned();
    TaskQuery { status: text("status"), kind: text("kind"), queue: text("queue") }
}

async fn list(tasks: &Tasks, ctx: &Ctx, matches: &ArgMatches, told: &mut Told) -> Result<()> {
    let count = matches.get_one::<u32>("limit").map_or(20, |limit| *limit as usize);
    let head = ["id", "kind", "queue", "status", "attempts", "enqueued", "error"];
    let mut rows = vec![head.map(String::from).to_vec()];
    let mut cursor = None;
    while rows.len() <= count {
        let limit = (count + 1 - rows.len()).min(limits::PAGE_MAX);
        let page = tasks.list(ctx, &query(matches), &PageRequest { limit, cursor }).await?;
        rows.extend(page.items.into_iter().map(|task| {
            let attempts = format!("{} of {}", task.attempts, task.max_attempts);
            let error = task.error.map_or_else(String::new, |error| error.code);
            let status = task.status.as_str().to_owned();
            let at = task.created_at.to_string();
            vec![task.id, task.kind, task.queue, status, attempts, at, error]
        }));
        cursor = page.next_cursor;
        if cursor.is_none() {
            break;
        }
    }
    told.say(&table(&rows));
    Ok(())
}

async fn retry(tasks: &Tasks, ctx: &Ctx, matches: &ArgMatches, told: &mut Told) -> Result<()> {
    let ids: Vec<&String> = matches.get_many::<String>("id").into_iter().flatten().collect();
    if ids.is_empty() && !matches.get_flag("all") {
        bail!("name tasks, or say --all; --status, --kind and --queue say all of which");
    }
    let TaskQuery { status, kind, queue } = query(matches);
    if !ids.is_empty() && (status.is_some() || kind.is_some() || queue.is_some()) {
        bail!("--status, --kind and --queue go with --all, not with named tasks");
    }
    for id in &ids {
        tasks.replay(ctx, id).await?;
        told.say(&format!("{id} begins again"));
    }
    if !ids.is_empty() {
        return Ok(());
    }
    let mut input = ReplayInput { status, kind, queue, ..ReplayInput::default() };
    let mut retried = 0;
    loop {
        let page = tasks.replay_many(ctx, &input).await?;
        retried += page.retried;
        input.cursor = page.next_cursor;
        if input.cursor.is_none() {
            break;
        }
    }
    told.say(&format!("{retried} tasks begin again"));
    Ok(())
}

async fn queues(tasks: &Tasks, ctx: &Ctx, told: &mut Told) -> Result<()> {
    let head = ["queue", "queued", "scheduled", "running", "dead", "oldest", ""];
    let mut rows = vec![head.map(String::from).to_vec()];
    rows.extend(tasks.queues(ctx).await?.into_iter().map(|queue| {
        let counts = [queue.queued, queue.scheduled, queue.running, queue.dead];
        let oldest = queue.oldest_s.map_or_else(String::new, |since| format!("{since} s"));
        let paused = if queue.paused { "paused" } else { "" };
        let mut row = vec![queue.name];
        row.extend(counts.map(|count| count.to_string()));
        row.extend([oldest, paused.to_owned()]);
        row
    }));
    told.say(&table(&rows));
    Ok(())
}
