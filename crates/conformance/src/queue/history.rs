//! Random histories on the model and on the queue under test: every answer agrees. Only with a clock
//! that the test moves.

use std::time::Duration;

use outrigger_kernel::Timestamp;
use outrigger_ports::queue::{
    Heartbeat, KindLimits, Lease, Outcome, Settlement, Status, Task, TaskFilter, TaskRecord,
};

use super::QueueFactory;
use super::bed::{Bed, KIND, failure};
use super::model::Model;

/// Histories of so many steps.
const HISTORIES: u64 = 12;
const STEPS: usize = 150;
const KINDS: [&str; 2] = [KIND, "other"];
const IDS: u64 = 24;

/// Numbers that are the same in every run (SplitMix64).
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        (mixed ^ (mixed >> 31)) % sides
    }

    fn pick<T: Copy>(&mut self, among: &[T]) -> T {
        let at = self.roll(among.len() as u64);
        among[usize::try_from(at).unwrap()]
    }

    fn size(&mut self, most: u64) -> usize {
        usize::try_from(1 + self.roll(most)).unwrap()
    }

    fn time(&mut self, most_ms: u64) -> Duration {
        Duration::from_millis(self.roll(most_ms))
    }

    fn id(&mut self) -> String {
        format!("tsk_{:026}", self.roll(IDS))
    }
}

/// One history: the queue, the model, and what has happened.
struct History {
    bed: Bed,
    model: Model,
    dice: Dice,
    leases: Vec<Lease>,
    /// How many times the model and the queue moved, so that a history that does nothing is seen.
    moved: usize,
}

/// Twelve histories of one hundred and fifty steps each.
pub async fn random_queue_histories_agree_with_the_model(factory: &dyn QueueFactory) {
    let mut moved = 0;
    for seed in 0..HISTORIES {
        let bed = Bed::of(factory).await;
        let (model, dice) = (Model::default(), Dice(seed));
        let mut history = History { bed, model, dice, leases: Vec::new(), moved: 0 };
        for step in 0..STEPS {
            history.step(&format!("history {seed}, step {step}")).await;
        }
        history.compare(&format!("the end of history {seed}")).await;
        moved += history.moved;
    }
    assert!(moved > 600, "the histories are not empty: {moved}");
}

impl History {
    fn now(&self) -> Timestamp {
        self.bed.now()
    }

    async fn step(&mut self, place: &str) {
        let now = self.now();
        self.model.forget(now);
        match self.dice.roll(20) {
            0..=4 => self.enqueue(place).await,
            5..=8 => self.claim(place).await,
            9..=12 => self.settle(place).await,
            13 => self.beat(place).await,
            14 => {
                let id = self.dice.id();
                self.model.cancel(&id, now);
                let found = self.bed.board(self.dice.size(2)).cancel(&id).await.unwrap();
                self.same(&id, found.as_ref(), place);
            }
            15 => {
                let id = self.dice.id();
                self.model.replay(&id, now);
                let found = self.bed.board(self.dice.size(2)).replay(&id).await.unwrap();
                self.same(&id, found.as_ref(), place);
            }
            16..=17 => {
                let tended = self.bed.queue(self.dice.size(2)).tend().await.unwrap();
                let tended = outrigger_ports::queue::Tended { forgotten: 0, ..tended };
                assert_eq!(tended, self.model.tend(now), "{place}");
            }
            18 => {
                let time = self.dice.time(4_000);
                self.bed.opened.clock.as_ref().expect("the clock is the test's").advance(time);
            }
            _ => self.compare(place).await,
        }
    }

    async fn enqueue(&mut self, place: &str) {
        let (now, dice) = (self.now(), &mut self.dice);
        let mut tasks = Vec::new();
        for _ in 0..dice.size(4) {
            let keys = [None, None, Some("k"), Some("l")];
            let delay = if dice.roll(3) == 0 { dice.time(5_000) } else { Duration::ZERO };
            tasks.push(Task {
                id: dice.id(),
                kind: dice.pick(&KINDS).to_owned(),
                priority: dice.pick(&[0, 5, 9]),
                run_at: now.plus(delay),
                unique_key: dice.pick(&keys).map(str::to_owned),
                max_attempts: dice.pick(&[1, 2, 9]),
                retention_s: dice.pick(&[0, 3, 3_600]),
                ..self.bed.task()
            });
        }
        let expected: Vec<_> = tasks.iter().map(|task| self.model.enqueue(task, now)).collect();
        let answer = self.bed.queue(dice.size(2)).enqueue(tasks).await.unwrap();
        assert_eq!(answer, expected, "{place}");
        self.moved += 1;
    }

    async fn claim(&mut self, place: &str) {
        let (kind, limit) = (self.dice.pick(&KINDS), self.dice.size(4));
        let lease_for = Duration::from_millis(1_000 + self.dice.roll(4_000));
        let expected = self.model.next(kind, limit);
        let worker = format!("worker-{}", self.dice.size(2));
        let kinds = [KindLimits::none(kind)];
        let leased = self.bed.claim_as(&worker, &kinds, limit, lease_for).await;
        assert_eq!(super::bed::ids(&leased), expected, "{place}");
        for leased in leased {
            let until = self.now().plus(lease_for);
            self.model.claimed(&leased.task.id, &leased.lease.token, until);
            assert_eq!(leased.until, until, "{place}");
            self.leases.push(leased.lease);
            self.moved += 1;
        }
    }

    /// One of the last leases, which may have ended.
    fn lease(&mut self) -> Option<Lease> {
        let last = self.leases.len().min(6) as u64;
        let back = self.dice.size(last.max(1));
        self.leases.get(self.leases.len().checked_sub(back)?).cloned()
    }

    async fn settle(&mut self, place: &str) {
        let Some(lease) = self.lease() else { return };
        let now = self.now();
        let (error, at) = (failure("no"), now.plus(self.dice.time(3_000)));
        let outcome = match self.dice.roll(9) {
            0 | 1 => Outcome::Succeeded { result: None },
            2 => Outcome::Failed { error },
            3 => Outcome::Dead { error },
            4 => Outcome::Cancelled,
            5 => Outcome::Released,
            6 => Outcome::Postponed { at },
            _ => Outcome::Retry { error, at },
        };
        let expected = self.model.settle(&lease.task_id, &lease.token, &outcome, now);
        let settlement = Settlement { lease, outcome };
        let held = self.bed.queue(self.dice.size(2)).settle(vec![settlement]).await.unwrap();
        assert_eq!(held, [expected], "{place}");
        self.moved += usize::from(expected);
    }

    async fn beat(&mut self, place: &str) {
        let Some(lease) = self.lease() else { return };
        let lease_for = Duration::from_secs(2);
        let expected = self.model.beat(&lease.task_id, &lease.token, self.now(), lease_for);
        let beats = vec![Heartbeat { lease, progress: None }];
        let answer = self.bed.queue(self.dice.size(2)).heartbeat(beats, lease_for).await.unwrap();
        assert_eq!(answer, [expected], "{place}");
    }

    /// Whether the task is as the model has it. One that is forgotten in this instant may be told of
    /// once more.
    fn same(&mut self, id: &str, found: Option<&TaskRecord>, place: &str) {
        let expected = self.model.get(id).map(told);
        assert_eq!(found.map(told), expected, "{place}: {id}");
    }

    /// All tasks and all lists.
    async fn compare(&mut self, place: &str) {
        let now = self.now();
        self.model.forget(now);
        for number in 0..IDS {
            let id = format!("tsk_{number:026}");
            let found = self.bed.board(0).find(&id).await.unwrap();
            self.same(&id, found.as_ref(), place);
        }
        for status in Status::ALL.into_iter().map(Some).chain([None]) {
            let filter = TaskFilter { status, limit: 100, ..TaskFilter::default() };
            let listed = self.bed.board(1).list(&filter).await.unwrap().tasks;
            let fits = |record: &&TaskRecord| status.is_none_or(|status| status == record.status);
            let expected: Vec<_> = self.model.all().rev().filter(fits).map(told).collect();
            assert_eq!(
                listed.iter().map(told).collect::<Vec<_>>(),
                expected,
                "{place}: {status:?}"
            );
        }
    }
}

/// What is compared.
fn told(record: &TaskRecord) -> (String, Status, [u32; 2], bool, Option<Timestamp>) {
    let counts = [record.attempts, record.crashes];
    let id = record.task.id.clone();
    (id, record.status, counts, record.cancel_requested, record.finished_at)
}
