//! The worker on a queue in memory. Time is tokio's, which passes at once while everybody waits.

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Condvar, Mutex};
use std::time::Duration;

use outrigger_domain::auth::AuthSettings;
use outrigger_domain::services::{Settings, Shared};
use outrigger_domain::tasks::{Job, JobResult, TaskCtx, TaskInput, any};
use outrigger_domain::{Ports, Services, analytics, files, notifications, records};
use outrigger_embedded::{
    MemoryBlobs, MemoryCache, MemoryLimiter, MemoryStore, Recorder, StoreQueue,
};
use outrigger_kernel::{Clock, Ctx, ManualClock, Secret, SystemRandom, Timestamp};
use outrigger_ports::cached::CacheAside;
use outrigger_ports::limiter::Quota;
use outrigger_ports::queue::{Claim, KindLimits, Status, TaskRecord};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use tokio::sync::watch;
use tokio::time::Instant;

use super::{Options, Parts, Stop, Worker, keep};
use crate::registry::Registry;

/// Tells tokio's time, which a test may have paused.
#[derive(Debug)]
struct TokioClock(Instant);

impl Clock for TokioClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_secs(1_800_000_000).plus(self.0.elapsed())
    }
}

/// Keeps a job, and the thread that runs it, until a test lets it go.
static GATE: (Mutex<Gate>, Condvar) = (Mutex::new(Gate::Closed), Condvar::new());

#[derive(Debug, PartialEq, Eq)]
enum Gate {
    Closed,
    /// A job stands before it.
    Held,
    Open,
}

/// Does what its payload says.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
enum Act {
    Panic,
    Wait,
    UntilToldToStop,
    SayAndWait(u32),
    SayAndEnd(u32),
    BlockTheThread,
    BeAlone,
}

/// How many jobs run that ought to be alone.
static ALONE: AtomicU32 = AtomicU32::new(0);

impl Job for Act {
    const KIND: &'static str = "act";
    const DESCRIPTION: &'static str = "does what its payload says";
    type Output = String;

    async fn run(self, task: &TaskCtx) -> JobResult<String> {
        match self {
            Self::Panic => panic!("it went wrong"),
            Self::Wait => std::future::pending().await,
            Self::UntilToldToStop => {
                task.abort.clone().requested().await;
                Err(outrigger_kernel::Error::conflict("stopped", "it was told to stop"))?;
            }
            Self::SayAndWait(number) => {
                task.progress.say(&number)?;
                std::future::pending::<()>().await;
            }
            Self::SayAndEnd(number) => (0..=number).try_for_each(|n| task.progress.say(&n))?,
            Self::BlockTheThread => {
                let mut gate = GATE.0.lock().unwrap();
                *gate = Gate::Held;
                drop(GATE.1.wait_while(gate, |gate| *gate != Gate::Open).unwrap());
            }
            Self::BeAlone => {
                if ALONE.fetch_add(1, Ordering::SeqCst) > 0 {
                    Err(outrigger_kernel::Error::conflict("not_alone", "there is another one"))?;
                }
                tokio::time::sleep(Duration::from_secs(7)).await;
                ALONE.fetch_sub(1, Ordering::SeqCst);
            }
        }
        Ok("done".to_owned())
    }
}

/// A worker and what it works on.
struct Bed {
    services: Services,
    ports: Ports,
    worker: Worker,
    stop: watch::Sender<Option<Instant>>,
    stopped: Stop,
}

impl Bed {
    fn new() -> Self {
        Self::at(Arc::new(TokioClock(Instant::now())))
    }

    fn at(clock: Arc<dyn Clock>) -> Self {
        let random = Arc::new(SystemRandom);
        let store = Arc::new(MemoryStore::new(clock.clone()));
        let cache = Arc::new(MemoryCache::new(1 << 20, clock.clone()));
        let queue = Arc::new(StoreQueue::new(store.clone(), clock.clone(), random.clone()));
        let ports = Ports {
            queue: queue.clone(),
            board: queue,
            store,
            cache: Arc::new(CacheAside::new(cache, random.clone())),
            blobs: Arc::new(MemoryBlobs::default()),
            http: Arc::new(Recorder::default()),
            mailer: Arc::new(Recorder::default()),
            limiter: Arc::new(MemoryLimiter::new(clock.clone())),
            clock: clock.clone(),
            random: random.clone(),
        };
        let registry = Registry::new([any::<Act>()]).unwrap();
        let shared = Shared::new(settings(), registry.kinds(&[]).unwrap(), &ports).unwrap();
        let services = Services::new(&ports, &shared);
        let parts = Parts {
            services: services.clone(),
            queue: ports.queue.clone(),
            board: ports.board.clone(),
            registry,
            clock,
            random,
            tracer: None,
        };
        let options = Options {
            name: "wrk_test".to_owned(),
            queues: vec!["default".to_owned()],
            concurrency: 4,
            lease: Duration::from_secs(30),
        };
        let (stop, stopped) = Stop::channel();
        Self { services, ports, worker: Worker::new(parts, options), stop, stopped }
    }

    fn start(&self) -> tokio::task::JoinHandle<()> {
        let (worker, stopped) = (self.worker.clone(), self.stopped.clone());
        tokio::spawn(async move { worker.run(stopped).await })
    }

    /// Enqueues a task that is tried once, for a minute; gives its id.
    async fn enqueue(&self, act: Act) -> String {
        self.enqueue_for(1, act).await
    }

    async fn enqueue_for(&self, attempts: u32, act: Act) -> String {
        let payload = serde_json::to_value(act).unwrap();
        let input = TaskInput { max_attempts: Some(attempts), ..TaskInput::of("act", payload) };
        self.services.tasks.enqueue(&Ctx::system("test"), input, None).await.unwrap().0
    }

    /// A worker takes all that waits, and dies.
    async fn lose_a_worker(&self) {
        let lease_for = Duration::from_secs(2);
        let kinds = [KindLimits::none("act")];
        let claim =
            Claim { queue: "default", kinds: &kinds, limit: 100, lease_for, worker: "wrk_lost" };
        self.ports.queue.claim(&claim).await.unwrap();
        tokio::time::sleep(lease_for * 2).await;
        self.ports.queue.tend().await.unwrap();
    }

    async fn find(&self, id: &str) -> TaskRecord {
        self.ports.board.find(id).await.unwrap().unwrap()
    }

    /// Waits until the task is so; says after how long.
    async fn until(&self, id: &str, is_so: impl Fn(&TaskRecord) -> bool) -> (TaskRecord, Duration) {
        let began = Instant::now();
        loop {
            let record = self.find(id).await;
            if is_so(&record) {
                return (record, began.elapsed());
            }
            assert!(began.elapsed() < Duration::from_secs(300), "{record:?}");
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }

    async fn until_status(&self, id: &str, status: Status) -> (TaskRecord, Duration) {
        self.until(id, |record| record.status == status).await
    }
}

fn settings() -> Settings {
    let master = Secret::from("a master secret of thirty-two bytes".to_owned());
    Settings {
        notifications: notifications::Settings {
            master: master.clone(),
            secrets: Vec::new(),
            mail_from: "outrigger@example.com".to_owned(),
            product: "Example".to_owned(),
            public_url: "https://example.com".to_owned(),
        },
        auth: AuthSettings::new("https://example.com", master),
        records: records::Settings { settle: Duration::ZERO },
        analytics: analytics::Settings::default(),
        files: files::Settings::default(),
        encrypt_payloads: false,
        rate_limit: Quota { limit: 100, period: Duration::from_secs(60), escalation: None },
    }
}

fn progress(record: &TaskRecord) -> Option<Value> {
    record.progress.as_ref().map(|progress| serde_json::from_str(progress.get()).unwrap())
}

#[tokio::test(start_paused = true)]
async fn a_panic_is_a_failure_and_the_worker_goes_on() {
    let bed = Bed::new();
    let _working = bed.start();
    let id = bed.enqueue(Act::Panic).await;
    let (record, _) = bed.until_status(&id, Status::Dead).await;
    let error = record.error.unwrap();
    assert_eq!((error.code.as_str(), error.message.as_str()), ("panicked", "it went wrong"));
    let next = bed.enqueue(Act::SayAndEnd(1)).await;
    bed.until_status(&next, Status::Succeeded).await;
}

#[tokio::test(start_paused = true)]
async fn a_job_that_takes_too_long_is_ended() {
    let bed = Bed::new();
    let _working = bed.start();
    let id = bed.enqueue(Act::Wait).await;
    let (record, took) = bed.until_status(&id, Status::Dead).await;
    assert_eq!(record.error.unwrap().code, "timeout");
    let minute = Duration::from_secs(60);
    assert!((minute..minute + Duration::from_secs(2)).contains(&took), "{took:?}");
}

#[tokio::test(start_paused = true)]
async fn a_running_job_is_cancelled_whether_or_not_it_listens() {
    let bed = Bed::new();
    let _working = bed.start();
    for act in [Act::UntilToldToStop, Act::Wait] {
        let id = bed.enqueue(act).await;
        bed.until_status(&id, Status::Running).await;
        bed.ports.board.cancel(&id).await.unwrap();
        // Its worker hears of it with the next sign of life, and a job has 5 s to end.
        let (record, took) = bed.until_status(&id, Status::Cancelled).await;
        assert!(took < Duration::from_secs(17), "{took:?}");
        assert_eq!(record.attempts, 1);
    }
}

#[tokio::test(start_paused = true)]
async fn what_is_not_done_when_the_worker_ends_is_given_back_untouched() {
    let bed = Bed::new();
    let working = bed.start();
    let ids = [bed.enqueue(Act::Wait).await, bed.enqueue(Act::UntilToldToStop).await];
    for id in &ids {
        bed.until_status(id, Status::Running).await;
    }
    let began = Instant::now();
    bed.stop.send_replace(Some(began + Duration::from_secs(20)));
    let late = bed.enqueue(Act::SayAndEnd(1)).await;
    working.await.unwrap();
    let took = began.elapsed();
    assert!((Duration::from_secs(20)..Duration::from_secs(22)).contains(&took), "{took:?}");
    for id in ids.iter().chain([&late]) {
        let record = bed.find(id).await;
        assert_eq!((record.status, record.attempts, record.crashes), (Status::Queued, 0, 0));
    }
}

#[tokio::test(start_paused = true)]
async fn progress_is_seen_within_a_second() {
    let bed = Bed::new();
    let _working = bed.start();
    let id = bed.enqueue(Act::SayAndWait(7)).await;
    bed.until_status(&id, Status::Running).await;
    let (_, took) = bed.until(&id, |record| progress(record) == Some(json!(7))).await;
    assert!(took <= Duration::from_secs(1), "{took:?}");
}

#[tokio::test(start_paused = true)]
async fn the_last_progress_is_kept_however_soon_the_job_ends() {
    let bed = Bed::new();
    let _working = bed.start();
    for number in [1, 5] {
        let id = bed.enqueue(Act::SayAndEnd(number)).await;
        let (record, _) = bed.until_status(&id, Status::Succeeded).await;
        assert_eq!(progress(&record), Some(json!(number)));
    }
}

#[tokio::test(start_paused = true)]
async fn a_loop_that_panics_begins_again() {
    let (sender, mut receiver) = tokio::sync::mpsc::unbounded_channel();
    let times = std::sync::atomic::AtomicU32::new(0);
    let run = || async {
        let time = times.fetch_add(1, std::sync::atomic::Ordering::SeqCst);
        sender.send(time).unwrap();
        assert!(time > 1, "it panics twice");
        std::future::pending::<()>().await;
    };
    tokio::select! {
        () = keep::again("test", run) => unreachable!("it never ends"),
        () = async { while receiver.recv().await != Some(2) {} } => {}
    }
}

#[test]
fn a_worker_whose_thread_is_blocked_is_unwell_until_it_goes_on() {
    let clock = Arc::new(ManualClock::at(Timestamp::from_secs(1_800_000_000)));
    let (sender, receiver) = std::sync::mpsc::channel();
    let (block, blocking) = tokio::sync::oneshot::channel();
    let of_worker = clock.clone();
    let thread = std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let bed = Bed::at(of_worker);
            sender.send((bed.worker.health(), bed.stop.clone())).unwrap();
            let working = bed.start();
            blocking.await.unwrap();
            bed.enqueue(Act::BlockTheThread).await;
            working.await.unwrap();
        });
    });
    let (health, stop) = receiver.recv().unwrap();
    let wait_until = |is_so: &dyn Fn() -> bool| {
        let deadline = std::time::Instant::now() + Duration::from_secs(30);
        while !is_so() {
            assert!(std::time::Instant::now() < deadline, "not in time");
            std::thread::yield_now();
        }
    };
    // One that has nothing to do goes round all the same.
    clock.advance(Duration::from_secs(60));
    wait_until(&|| health.is_well());
    block.send(()).unwrap();
    wait_until(&|| *GATE.0.lock().unwrap() == Gate::Held);
    clock.advance(Duration::from_secs(30));
    assert!(!health.is_well());
    *GATE.0.lock().unwrap() = Gate::Open;
    GATE.1.notify_all();
    wait_until(&|| health.is_well());
    stop.send_replace(Some(Instant::now()));
    thread.join().unwrap();
}

#[tokio::test(start_paused = true)]
async fn tasks_with_one_last_chance_run_one_at_a_time_and_hold_up_nobody() {
    let bed = Bed::new();
    let mut suspects = Vec::new();
    for _ in 0..6 {
        suspects.push(bed.enqueue_for(5, Act::BeAlone).await);
    }
    for _ in 0..2 {
        bed.lose_a_worker().await;
    }
    let others = [bed.enqueue(Act::SayAndEnd(1)).await, bed.enqueue(Act::SayAndEnd(1)).await];
    let _working = bed.start();
    for id in &others {
        let (_, took) = bed.until_status(id, Status::Succeeded).await;
        assert!(took < Duration::from_secs(5), "{took:?}");
    }
    for id in &suspects {
        let (record, _) = bed.until(id, |record| record.status.is_final()).await;
        assert_eq!((record.status, record.crashes), (Status::Succeeded, 2), "{record:?}");
        assert_eq!(record.attempts, 3, "what was put off was not tried");
    }
}
