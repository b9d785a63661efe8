//! Enqueuing. What is enqueued in one turn of the event loop, and while other tasks are on their way,
//! is one script.

use std::sync::Arc;

use outrigger_kernel::limits;
use outrigger_ports::gather::Gather;
use outrigger_ports::queue::{Enqueued, QueueError, Task, bounds};
use redis::Value;

use super::record::text;
use super::scripts::{Args, Scripts};
use super::{RedisQueue, array, internal, micros};
use crate::client::RedisClient;
use crate::error::CallError;

/// Largest arguments of one script, in bytes, before another one is begun.
const SCRIPT_BYTES_MAX: usize = 4 * 1024 * 1024;
/// So many scripts of one connection are under way.
pub(super) const TURNS: usize = 2;

/// Orders of many callers.
pub(super) type Orders = Gather<Order, Result<Vec<Enqueued>, CallError>>;

/// What is done with a task whose unique key another one has.
#[derive(Clone, Copy, Debug)]
pub(super) enum IfTaken {
    /// Nothing is left of it: who enqueues it is told.
    Dropped,
    /// It is kept as cancelled: its id is known to somebody already.
    Kept,
}

/// Tasks to be enqueued, as the script takes them.
#[derive(Debug, Default)]
pub(super) struct Order {
    args: Args,
    tasks: usize,
}

impl Order {
    fn has_room_for(&self, more: &Self) -> bool {
        self.tasks + more.tasks <= limits::TASKS_MAX
            && self.args.len() + more.args.len() <= SCRIPT_BYTES_MAX
    }

    fn add(&mut self, more: &Self) {
        self.args.append(&more.args);
        self.tasks += more.tasks;
    }
}

/// The tasks of one caller, in as few orders as their size allows.
///
/// # Errors
/// When a task has no JSON form.
fn orders(tasks: &[Task], if_taken: IfTaken) -> Result<Vec<Order>, QueueError> {
    let mut orders = vec![Order::default()];
    for task in tasks {
        let mut one = Order { args: Args::default(), tasks: 1 };
        write_task(&mut one.args, task, if_taken)?;
        match orders.last_mut() {
            Some(last) if last.tasks == 0 => *last = one,
            Some(last) if last.has_room_for(&one) => last.add(&one),
            _ => orders.push(one),
        }
    }
    orders.retain(|order| order.tasks > 0);
    Ok(orders)
}

impl RedisQueue {
    /// Enqueues the tasks; what became of each.
    pub(super) async fn put(
        &self,
        tasks: &[Task],
        if_taken: IfTaken,
    ) -> Result<Vec<Enqueued>, QueueError> {
        bounds::check_tasks(tasks)?;
        let mut answers = Vec::with_capacity(tasks.len());
        for order in orders(tasks, if_taken)? {
            answers.extend(self.order(order).await?);
        }
        Ok(answers)
    }

    /// Enqueues these together with what others order meanwhile.
    async fn order(&self, order: Order) -> Result<Vec<Enqueued>, QueueError> {
        let scripts = Arc::clone(&self.scripts);
        let (client, base) = (self.client.clone(), self.base.clone());
        let sent = self
            .orders
            .answer(order, async move |orders| send(&client, &base, &scripts, &orders).await);
        Ok(sent.await.unwrap_or(Err(CallError::Unexpected))?)
    }
}

/// Sends orders in as few scripts as their size allows; the answer of each, in their order.
async fn send(
    client: &RedisClient,
    base: &String,
    scripts: &Scripts,
    orders: &[Order],
) -> Vec<Result<Vec<Enqueued>, CallError>> {
    let mut answers = Vec::with_capacity(orders.len());
    while let Some((first, rest)) = orders[answers.len()..].split_first() {
        let mut all = Order::default();
        all.add(first);
        let more = rest.iter().take_while(|more| {
            let fits = all.has_room_for(more);
            if fits {
                all.add(more);
            }
            fits
        });
        let count = 1 + more.count();
        let sent = scripts.enqueue.run(client, std::slice::from_ref(base), &all.args).await;
        let mut became = sent.and_then(|answer| read(answer, all.tasks)).map(Vec::into_iter);
        for order in orders[answers.len()..].iter().take(count) {
            answers.push(match &mut became {
                Ok(became) => Ok(became.by_ref().take(order.tasks).collect()),
                Err(error) => Err(error.clone()),
            });
        }
    }
    answers
}

/// What became of each of so many tasks.
fn read(answer: Value, tasks: usize) -> Result<Vec<Enqueued>, CallError> {
    let became = array(answer)?;
    let became = became.iter().map(|value| match text(value)? {
        "n" => Some(Enqueued::New),
        "k" => Some(Enqueued::Known),
        other => Some(Enqueued::Duplicate { of: other.to_owned() }),
    });
    let became = became.collect::<Option<Vec<_>>>().ok_or(CallError::Unexpected)?;
    if became.len() == tasks { Ok(became) } else { Err(CallError::Unexpected) }
}

fn write_task(args: &mut Args, task: &Task, if_taken: IfTaken) -> Result<(), QueueError> {
    // Beyond a century from now a Lua number would not hold it.
    let run_at = task.run_at.as_micros().clamp(0, 1 << 53);
    args.text(&task.id)
        .text(&task.queue)
        .text(&task.kind)
        .number(task.priority.into())
        .number(run_at)
        .number(task.max_attempts.into())
        .number(micros(task.retention()) / 1_000_000)
        .text(task.unique_key.as_deref().unwrap_or_default())
        .number(matches!(if_taken, IfTaken::Kept).into())
        .json(task)
        .map_err(internal)?;
    Ok(())
}
