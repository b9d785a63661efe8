//! What a process and its children have used, from `/proc`.

use std::time::Duration;

/// One tick of `/proc/PID/stat`: USER_HZ is 100 on Linux.
const TICK: Duration = Duration::from_millis(10);

/// The processor time that a process and its children have used so far, also those that have ended.
pub(crate) fn cpu(pid: u32) -> Duration {
    let own = tree(pid).into_iter().filter_map(|pid| ticks(&stat(pid))).sum::<u32>();
    TICK * own
}

/// Memory of a process and its children in KiB; what they share is counted once (PSS).
pub(crate) fn memory_kib(pid: u32) -> u64 {
    tree(pid).into_iter().filter_map(proportional_kib).sum()
}

/// Resident memory of one process in KiB.
pub(crate) fn resident_kib(pid: u32) -> Option<u64> {
    field(&read(format!("/proc/{pid}/status")), "VmRSS:")
}

fn proportional_kib(pid: u32) -> Option<u64> {
    field(&read(format!("/proc/{pid}/smaps_rollup")), "Pss:").or_else(|| resident_kib(pid))
}

fn tree(root: u32) -> Vec<u32> {
    let mut found = vec![root];
    let mut next = 0;
    while let Some(pid) = found.get(next).copied() {
        next += 1;
        let threads =
            std::fs::read_dir(format!("/proc/{pid}/task")).into_iter().flatten().flatten();
        for thread in threads {
            let children = std::fs::read_to_string(thread.path().join("children"));
            let children = children.unwrap_or_default();
            found.extend(children.split_whitespace().filter_map(|pid| pid.parse::<u32>().ok()));
        }
    }
    found
}

/// utime, stime, cutime and cstime: the fields 14 to 17.
fn ticks(stat: &str) -> Option<u32> {
    // The second field is the name in parentheses, in which anything may stand.
    let (_, rest) = stat.rsplit_once(')')?;
    let times = rest.split_whitespace().skip(11).take(4);
    Some(times.filter_map(|ticks| ticks.parse::<u32>().ok()).sum())
}

fn stat(pid: u32) -> String {
    read(format!("/proc/{pid}/stat"))
}

fn read(path: String) -> String {
    std::fs::read_to_string(path).unwrap_or_default()
}

fn field(text: &str, name: &str) -> Option<u64> {
    let line = text.lines().find_map(|line| line.strip_prefix(name))?;
    line.split_whitespace().next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_found_behind_any_name() {
        let stat = "7 (a) b (c) S 1 7 7 0 -1 4 1 2 3 4 500 60 7 8 20 0 1 0 99";
        assert_eq!(ticks(stat), Some(575));
        assert_eq!(ticks(""), None);
    }

    #[test]
    fn this_process_uses_memory() {
        let pid = std::process::id();
        assert!(resident_kib(pid).is_some_and(|kib| kib > 500));
        assert!(memory_kib(pid) > 100);
        assert_eq!(field("VmRSS:\t  12 kB\n", "VmRSS:"), Some(12));
    }
}
