//! Metrics of the process itself, under Prometheus' standard names; from /proc, where there is one.

/// Pages of memory, in bytes, on the platforms that have /proc.
const PAGE_BYTES: f64 = 4_096.0;
/// Ticks of CPU time in a second (`USER_HZ`).
const TICKS: f64 = 100.0;

/// Reads them anew.
pub(crate) fn update() {
    if let Some(pages) = field("/proc/self/statm", 1) {
        metrics::gauge!("process_resident_memory_bytes").set(pages * PAGE_BYTES);
    }
    // The name of the program, which may hold blanks, ends with a parenthesis.
    if let Ok(text) = std::fs::read_to_string("/proc/self/stat")
        && let Some((_, rest)) = text.rsplit_once(") ")
    {
        let number = |place: usize| rest.split(' ').nth(place).and_then(|n| n.parse::<f64>().ok());
        if let (Some(user), Some(system)) = (number(11), number(12)) {
            metrics::gauge!("process_cpu_seconds_total").set((user + system) / TICKS);
        }
    }
    if let Ok(open) = std::fs::read_dir("/proc/self/fd") {
        metrics::gauge!("process_open_fds")
            .set(f64::from(u32::try_from(open.count()).unwrap_or(0)));
    }
}

fn field(path: &str, place: usize) -> Option<f64> {
    std::fs::read_to_string(path).ok()?.split_whitespace().nth(place)?.parse().ok()
}
