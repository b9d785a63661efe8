//! What one process does with [notices](super::notices): puts up its own, and heeds the others'.
//!
//! Three times make that safe. A process that has read all notices believes the cache about what
//! must not be outlived for [`BELIEF`], counted from before it began to read. Who revokes something
//! without the cache hearing of it waits for so long, counted from after its notice was up, before
//! it says that it is done: by then everybody has read the notice or asks the store. And who reads
//! a notice holds its keys for longer than any commit takes, since the write that it tells of may
//! still be under way.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Duration;

use outrigger_kernel::{Error, ErrorKind, Random, Result, id};
use tokio::time::Instant;

use super::lost::Lost;
use super::notices::{Notice, Notices};

/// For how long a process relies on the notices that it has read.
pub(super) const BELIEF: Duration = Duration::from_millis(1_500);
/// Most keys of a notice.
const KEYS_MAX: usize = 256;
/// How often a notice that tells of any key is renewed while there are more writes.
const RENEW: Duration = Duration::from_secs(10);
/// A notice of any key that was not renewed for longer may have been used up by who has read it:
/// what is renewed then has to be read first, like a new one.
const USED_UP: Duration = Duration::from_secs(20);

// The last renewal is heeded at least until the next one is read by all.
const _: () = assert!(USED_UP.as_millis() + BELIEF.as_millis() < super::lost::ANY_FOR.as_millis());
// A write that relies on a notice up to RENEW old has the time of a commit (15 s) to end.
const _: () = assert!(RENEW.as_secs() + 15 < super::lost::ANY_FOR.as_secs());

/// See the module.
#[derive(Debug)]
pub(super) struct Board {
    born: Instant,
    process: OnceLock<String>,
    notice: Mutex<Notice>,
    /// Writes that the notice tells of and that have not ended.
    under_way: AtomicUsize,
    posted: tokio::sync::Mutex<Posted>,
    /// `next` of the other processes' notices, as last read.
    heeded: Mutex<HashMap<String, u64>>,
    /// Until when notices need not be read again, in milliseconds after `born`.
    believed_until_ms: AtomicU64,
}

/// What others can see of the notice.
#[derive(Debug, Default)]
struct Posted {
    /// There may be one.
    up: bool,
    next: u64,
    at: Option<Instant>,
    /// Since when it tells of any key.
    any_since: Option<Instant>,
}

impl Default for Board {
    fn default() -> Self {
        Self {
            born: Instant::now(),
            process: OnceLock::new(),
            notice: Mutex::default(),
            under_way: AtomicUsize::new(0),
            posted: tokio::sync::Mutex::default(),
            heeded: Mutex::default(),
            believed_until_ms: AtomicU64::new(0),
        }
    }
}

impl Board {
    /// Gives the process a name, unless it has one.
    pub(super) fn name(&self, random: &dyn Random) {
        self.process.get_or_init(|| {
            let mut name = [0_u8; 16];
            random.fill(&mut name);
            id::hex(&name)
        });
    }

    /// Whether the notices were read lately.
    pub(super) fn is_believed(&self) -> bool {
        self.age_ms() < self.believed_until_ms.load(Ordering::Acquire)
    }

    /// Tells the others of a write of these keys that is about to happen.
    ///
    /// # Errors
    /// When the store does not take the notice; then the write must not happen.
    pub(super) async fn announce(
        &self,
        keys: &[String],
        notices: &dyn Notices,
    ) -> Result<UnderWay<'_>> {
        self.under_way.fetch_add(1, Ordering::SeqCst);
        let mut under_way = UnderWay { board: self, since: Instant::now() };
        let next = add(&mut self.notice(), keys);
        let mut posted = self.posted.lock().await;
        let is_told = match (posted.any_since, posted.at) {
            (Some(_), Some(at)) => at.elapsed() < RENEW,
            _ => posted.next >= next,
        };
        if !is_told {
            let notice = self.notice().clone();
            posted.up = true;
            notices.put_up(self.process(), &notice).await.map_err(nothing_changed)?;
            let now = Instant::now();
            let is_heeded = posted.at.is_some_and(|at| at.elapsed() < USED_UP);
            let since = posted.any_since.filter(|_| is_heeded);
            let any_since = notice.any.then(|| since.unwrap_or(now));
            *posted = Posted { up: true, next: notice.next, at: Some(now), any_since };
        }
        if let Some(since) = posted.any_since.or(posted.at) {
            under_way.since = since;
        }
        Ok(under_way)
    }

    /// Reads what the others tell: their keys are lost here too.
    pub(super) async fn heed(&self, lost: &Lost, notices: &dyn Notices) -> Result<()> {
        let began_ms = self.age_ms();
        let mut all = notices.read().await?;
        all.retain(|(process, _)| process != self.process());
        {
            let mut heeded = self.heeded.lock().unwrap_or_else(PoisonError::into_inner);
            heeded.retain(|known, _| all.iter().any(|(process, _)| process == known));
            for (process, notice) in &all {
                let seen = heeded.insert(process.clone(), notice.next).unwrap_or(0);
                let new = notice.keys.iter().filter(|(number, _)| *number >= seen);
                lost.remember(&new.map(|(_, key)| key.clone()).collect::<Vec<_>>(), true);
                if notice.any && notice.next > seen {
                    lost.others_lost_any();
                }
            }
        }
        if !all.iter().any(|(_, notice)| notice.any) {
            lost.others_found_all();
        }
        let until = began_ms + u64::try_from(BELIEF.as_millis()).unwrap_or(0);
        self.believed_until_ms.fetch_max(until, Ordering::AcqRel);
        Ok(())
    }

    /// Takes the notice down when the cache has heard of everything that it tells of.
    pub(super) async fn tidy(&self, lost: &Lost, notices: &dyn Notices) -> Result<()> {
        let mut posted = self.posted.lock().await;
        if !posted.up || lost.any_of_own() {
            return Ok(());
        }
        {
            // Who comes now waits for `posted`, and puts up a notice of its own.
            let mut notice = self.notice();
            if self.under_way.load(Ordering::SeqCst) > 0 || lost.any_of_own() {
                return Ok(());
            }
            notice.keys.clear();
            notice.any = false;
        }
        (posted.at, posted.any_since) = (None, None);
        notices.take_down(self.process()).await?;
        posted.up = false;
        Ok(())
    }

    fn process(&self) -> &str {
        self.process.get().map_or("", String::as_str)
    }

    fn notice(&self) -> MutexGuard<'_, Notice> {
        self.notice.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn age_ms(&self) -> u64 {
        u64::try_from(self.born.elapsed().as_millis()).unwrap_or(u64::MAX)
    }
}

/// Adds the keys of a write to the notice; it is told when `next` is at least what this returns.
fn add(notice: &mut Notice, keys: &[String]) -> u64 {
    if !notice.any {
        notice.keys.retain(|(_, key)| !keys.contains(key));
        notice.any = notice.keys.len() + keys.len() > KEYS_MAX;
    }
    if notice.any {
        notice.keys.clear();
        notice.next += 1;
    } else {
        for key in keys {
            notice.keys.push((notice.next, key.clone()));
            notice.next += 1;
        }
    }
    notice.next
}

/// Whatever became of the notice, the write that it would have told of did not happen.
fn nothing_changed(error: Error) -> Error {
    if error.kind() != ErrorKind::OutcomeUnknown {
        return error;
    }
    Error::unavailable("database_unavailable", "the database is not available").caused_by(error)
}

/// A write that the others are told of, until it has ended.
#[derive(Debug)]
pub(super) struct UnderWay<'a> {
    board: &'a Board,
    since: Instant,
}

impl UnderWay<'_> {
    /// From when on nobody believes what the cache says of its keys.
    pub(super) fn known_to_all_at(&self) -> Instant {
        self.since + BELIEF
    }
}

impl Drop for UnderWay<'_> {
    fn drop(&mut self) {
        self.board.under_way.fetch_sub(1, Ordering::SeqCst);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use async_trait::async_trait;
    use outrigger_kernel::SystemRandom;

    const MINUTE: Duration = Duration::from_secs(60);

    /// The notices of all processes of a test.
    #[derive(Debug, Default)]
    struct Wall {
        notices: Mutex<HashMap<String, Notice>>,
        puts: AtomicUsize,
        is_away: std::sync::atomic::AtomicBool,
    }

    #[async_trait]
    impl Notices for Wall {
        async fn put_up(&self, process: &str, notice: &Notice) -> Result<()> {
            if self.is_away.load(Ordering::SeqCst) {
                return Err(Error::new(ErrorKind::OutcomeUnknown, "outcome_unknown", "a test"));
            }
            self.puts.fetch_add(1, Ordering::SeqCst);
            self.notices.lock().unwrap().insert(process.to_owned(), notice.clone());
            Ok(())
        }

        async fn take_down(&self, process: &str) -> Result<()> {
            self.notices.lock().unwrap().remove(process);
            Ok(())
        }

        async fn read(&self) -> Result<Vec<(String, Notice)>> {
            let notices = self.notices.lock().unwrap();
            Ok(notices.iter().map(|(name, notice)| (name.clone(), notice.clone())).collect())
        }
    }

    fn process() -> (Board, Lost) {
        let board = Board::default();
        board.name(&SystemRandom);
        (board, Lost::default())
    }

    fn key(n: usize) -> Vec<String> {
        vec![format!("k{n}")]
    }

    fn lost_keys(lost: &Lost) -> Vec<String> {
        let Some(repair) = lost.repair() else { return Vec::new() };
        assert!(repair.finished_keys().is_empty(), "others' writes may still be under way");
        let mut keys = repair.keys().to_vec();
        repair.done();
        keys.sort();
        keys
    }

    #[tokio::test(start_paused = true)]
    async fn others_learn_of_each_write_once() {
        let (wall, (writer, _), (reader, lost)) = (Wall::default(), process(), process());
        reader.heed(&lost, &wall).await.unwrap();
        assert!(!lost.any());
        drop(writer.announce(&key(1), &wall).await.unwrap());
        drop(writer.announce(&key(2), &wall).await.unwrap());
        reader.heed(&lost, &wall).await.unwrap();
        assert_eq!(lost_keys(&lost), ["k1", "k2"]);
        reader.heed(&lost, &wall).await.unwrap();
        assert!(!lost.any(), "the same notice again");
        drop(writer.announce(&key(1), &wall).await.unwrap());
        reader.heed(&lost, &wall).await.unwrap();
        assert_eq!(lost_keys(&lost), ["k1"], "written again");
        writer.heed(&lost, &wall).await.unwrap();
        assert!(!lost.any(), "one's own");
    }

    #[tokio::test(start_paused = true)]
    async fn more_keys_than_can_be_named_are_any() {
        let (wall, (writer, own), (reader, lost)) = (Wall::default(), process(), process());
        for n in 0..=KEYS_MAX {
            drop(writer.announce(&key(n), &wall).await.unwrap());
        }
        reader.heed(&lost, &wall).await.unwrap();
        assert!(lost.is_lost("never written", MINUTE));
        let puts = || wall.puts.load(Ordering::SeqCst);
        let before = puts();
        for n in 0..1_000 {
            let told = writer.announce(&key(n), &wall).await.unwrap();
            assert!(told.known_to_all_at() <= Instant::now() + BELIEF);
        }
        assert_eq!(puts(), before, "it is said already");
        tokio::time::advance(RENEW).await;
        let told = writer.announce(&key(0), &wall).await.unwrap();
        assert_eq!(puts(), before + 1);
        assert!(told.known_to_all_at() < Instant::now(), "they know since long");
        drop(told);
        // What was cached before expires, also when the writer never comes back.
        reader.heed(&lost, &wall).await.unwrap();
        tokio::time::advance(MINUTE + super::super::lost::ANY_FOR).await;
        assert!(lost.is_lost("never written", MINUTE));
        tokio::time::advance(Duration::from_secs(1)).await;
        reader.heed(&lost, &wall).await.unwrap();
        assert!(!lost.is_lost("never written", MINUTE));
        writer.tidy(&own, &wall).await.unwrap();
        reader.heed(&lost, &wall).await.unwrap();
        assert!(!lost.any());
    }

    #[tokio::test(start_paused = true)]
    async fn a_notice_of_any_key_that_may_be_used_up_has_to_be_read_again() {
        let (wall, (writer, _), (reader, lost)) = (Wall::default(), process(), process());
        for n in 0..=KEYS_MAX {
            drop(writer.announce(&key(n), &wall).await.unwrap());
        }
        reader.heed(&lost, &wall).await.unwrap();
        assert!(lost.is_lost("k", MINUTE));
        // Whoever has read it uses the cache again, as nothing was written for long.
        tokio::time::advance(Duration::from_secs(300)).await;
        reader.heed(&lost, &wall).await.unwrap();
        assert!(reader.is_believed() && !lost.is_lost("k", MINUTE));
        let told = writer.announce(&key(0), &wall).await.unwrap();
        tokio::time::sleep_until(told.known_to_all_at()).await;
        assert!(!reader.is_believed(), "it has not read the notice");
        reader.heed(&lost, &wall).await.unwrap();
        assert!(lost.is_lost("k", MINUTE));
        drop(told);
        // What follows soon is covered by what everybody has read, and need not wait.
        tokio::time::advance(RENEW).await;
        let told = writer.announce(&key(0), &wall).await.unwrap();
        assert!(told.known_to_all_at() < Instant::now() && lost.is_lost("k", MINUTE));
    }

    #[tokio::test(start_paused = true)]
    async fn a_notice_stays_until_its_writes_have_ended_and_are_made_good() {
        let (wall, (writer, lost)) = (Wall::default(), process());
        let is_up = || !wall.notices.lock().unwrap().is_empty();
        let under_way = writer.announce(&key(1), &wall).await.unwrap();
        writer.tidy(&lost, &wall).await.unwrap();
        assert!(is_up(), "under way");
        lost.remember(&key(1), false);
        drop(under_way);
        writer.tidy(&lost, &wall).await.unwrap();
        assert!(is_up(), "the cache does not know");
        lost.repair().unwrap().done();
        writer.tidy(&lost, &wall).await.unwrap();
        assert!(!is_up());
        let (reader, lost) = process();
        drop(writer.announce(&key(1), &wall).await.unwrap());
        reader.heed(&lost, &wall).await.unwrap();
        assert_eq!(lost_keys(&lost), ["k1"], "a new notice");
    }

    #[tokio::test(start_paused = true)]
    async fn a_write_that_nobody_could_be_told_of_is_refused() {
        let (wall, (writer, _)) = (Wall::default(), process());
        wall.is_away.store(true, Ordering::SeqCst);
        let error = writer.announce(&key(1), &wall).await.unwrap_err();
        assert_eq!(error.code(), "database_unavailable", "the write did not happen");
        wall.is_away.store(false, Ordering::SeqCst);
        writer.announce(&key(2), &wall).await.unwrap();
        let names = wall.read().await.unwrap().remove(0).1.keys;
        assert_eq!(names.len(), 2, "it may have been put up");
    }

    #[tokio::test(start_paused = true)]
    async fn who_is_done_waiting_finds_nobody_who_believes() {
        let (wall, (writer, _), (reader, lost)) = (Wall::default(), process(), process());
        assert!(!reader.is_believed(), "nothing read yet");
        reader.heed(&lost, &wall).await.unwrap();
        assert!(reader.is_believed());
        let told = writer.announce(&key(1), &wall).await.unwrap();
        tokio::time::sleep_until(told.known_to_all_at()).await;
        assert!(!reader.is_believed(), "it has not read the notice");
        reader.heed(&lost, &wall).await.unwrap();
        assert!(reader.is_believed() && lost.is_lost("k1", MINUTE));
    }
}
