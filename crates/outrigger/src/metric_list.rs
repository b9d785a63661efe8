//! Every metric of a process: the list that describes them to Prometheus and to people.

use metrics::Unit;

use Kind::{Counter, Gauge, Histogram};

/// One metric.
#[derive(Debug)]
pub(crate) struct Metric {
    pub(crate) name: &'static str,
    pub(crate) kind: Kind,
    pub(crate) unit: Unit,
    /// Each label and its values; in words where they are not a few.
    pub(crate) labels: &'static [(&'static str, &'static str)],
    pub(crate) meaning: &'static str,
}

/// How a metric counts.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Kind {
    Counter,
    Gauge,
    Histogram,
}

impl Kind {
    /// The word of Prometheus.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Counter => "counter",
            Gauge => "gauge",
            Histogram => "histogram",
        }
    }
}

const fn metric(
    name: &'static str,
    kind: Kind,
    unit: Unit,
    labels: &'static [(&'static str, &'static str)],
    meaning: &'static str,
) -> Metric {
    Metric { name, kind, unit, labels, meaning }
}

/// All of them, by name.
pub(crate) const ALL: [Metric; 40] = [
    metric(
        "outrigger_authentication_total",
        Counter,
        Unit::Count,
        &[
            ("action", "login, refresh, token"),
            (
                "outcome",
                "ok, wrong_credentials, account_disabled, invalid_refresh_token, \
                 refresh_token_reused, unauthenticated, concurrent_change, throttled, \
                 unavailable, failed",
            ),
        ],
        "Tries to prove who one is: with a password, a refresh token, an access token.",
    ),
    metric(
        "outrigger_breaker_open",
        Gauge,
        Unit::Count,
        &[("of", "cache, limiter")],
        "1 while Redis is skipped for this purpose, because it did not answer; else 0.",
    ),
    metric(
        "outrigger_cache_requests_total",
        Counter,
        Unit::Count,
        &[("outcome", "hit, miss, bypass")],
        "Reads through the cache, by where the value came from: the cache, the store and then the \
         cache, the store past the cache.",
    ),
    metric(
        "outrigger_database_commit_group_size",
        Histogram,
        Unit::Count,
        &[],
        "Batches that SQLite wrote in one transaction, with one fsync.",
    ),
    metric(
        "outrigger_database_connections",
        Gauge,
        Unit::Count,
        &[("kind", "read, write"), ("state", "idle, used")],
        "Connections to PostgreSQL.",
    ),
    metric(
        "outrigger_database_wait_seconds",
        Histogram,
        Unit::Seconds,
        &[],
        "How long commits waited for a connection to PostgreSQL.",
    ),
    metric(
        "outrigger_dynamodb_retries_total",
        Counter,
        Unit::Count,
        &[("reason", "throttled, conflict, connection")],
        "Requests to DynamoDB that were sent again: over its capacity, at the same time as another \
         transaction on the same items, or because no answer came.",
    ),
    metric(
        "outrigger_dynamodb_units_total",
        Counter,
        Unit::Count,
        &[
            ("operation", "get, get_many, query, commit, scan, purge_expired, probe"),
            ("kind", "read, write"),
        ],
        "Read and write units of DynamoDB that calls of the store took: what is paid for.",
    ),
    metric(
        "outrigger_events_counted_total",
        Counter,
        Unit::Count,
        &[],
        "Events that this process has counted.",
    ),
    metric(
        "outrigger_events_lag_seconds",
        Gauge,
        Unit::Seconds,
        &[],
        "For how long the event that waits longest has waited to be counted; 0 when none waits. Every \
         process tells the same, those that count none every 5 s.",
    ),
    metric(
        "outrigger_events_taken_total",
        Counter,
        Unit::Count,
        &[("outcome", "accepted, duplicate")],
        "Events that were sent: taken, or known already.",
    ),
    metric(
        "outrigger_file_transfers",
        Gauge,
        Unit::Count,
        &[("direction", "up, down")],
        "Files that are uploaded or downloaded now, of those that take a place (`files.uploads_max`, \
         `files.downloads_max`).",
    ),
    metric(
        "outrigger_files_bytes_total",
        Counter,
        Unit::Bytes,
        &[("direction", "in, out")],
        "Bytes of files that users have sent and read through this process.",
    ),
    metric(
        "outrigger_files_sweep_failures_total",
        Counter,
        Unit::Count,
        &[],
        "Blobs that belong to no file and could not be removed; each is tried again.",
    ),
    metric(
        "outrigger_files_swept_total",
        Counter,
        Unit::Count,
        &[],
        "Blobs that were removed because they belonged to no file: of uploads that were cut off.",
    ),
    metric(
        "outrigger_http_request_duration_seconds",
        Histogram,
        Unit::Seconds,
        &[
            ("method", "GET, POST, PUT, PATCH, DELETE, HEAD, OPTIONS, TRACE (any other)"),
            ("route", "a path of the API as in /openapi.json, none"),
            ("status", "the HTTP status"),
        ],
        "From the head of a request to the head of its answer.",
    ),
    metric(
        "outrigger_http_requests_in_flight",
        Gauge,
        Unit::Count,
        &[],
        "Requests being worked on.",
    ),
    metric(
        "outrigger_http_requests_shed_total",
        Counter,
        Unit::Count,
        &[],
        "Requests refused with 503 because the process was full (`http.concurrency_max`, \
         `files.uploads_max`, `files.downloads_max`).",
    ),
    metric(
        "outrigger_limiter_decisions_total",
        Counter,
        Unit::Count,
        &[("by", "primary, local, slice"), ("outcome", "allowed, refused")],
        "Decisions on limits of rate: in the shared place, in this process because that is away, \
         or from a slice that was taken in advance.",
    ),
    metric(
        "outrigger_mongodb_retries_total",
        Counter,
        Unit::Count,
        &[("reason", "conflict, connection")],
        "What was tried again on MongoDB: at the same time as another write of the same documents, or \
         because nobody was there or no answer came.",
    ),
    metric(
        "outrigger_password_hash_queue",
        Gauge,
        Unit::Count,
        &[],
        "Passwords that wait to be hashed.",
    ),
    metric(
        "outrigger_password_hash_seconds",
        Histogram,
        Unit::Seconds,
        &[],
        "How long hashing one password took, without waiting.",
    ),
    metric(
        "outrigger_queue_oldest_seconds",
        Gauge,
        Unit::Seconds,
        &[("queue", "the queues of `worker.queues`, and other")],
        "For how long the task that waits longest has been due, in queues that are not paused; 0 when \
         none waits. Every process tells the same.",
    ),
    metric(
        "outrigger_queue_tasks",
        Gauge,
        Unit::Count,
        &[
            ("queue", "the queues of `worker.queues`, and other"),
            ("state", "queued, scheduled, running, dead"),
        ],
        "Tasks of all workers; on a database counted up to 1,000 of a state. Every process tells \
         the same.",
    ),
    metric(
        "outrigger_redis_connected",
        Gauge,
        Unit::Count,
        &[],
        "Connections to Redis that stand; one for each thread.",
    ),
    metric(
        "outrigger_redis_reconnects_total",
        Counter,
        Unit::Count,
        &[],
        "Connections to Redis that were made anew after one was lost.",
    ),
    metric(
        "outrigger_schedule_ticks_total",
        Counter,
        Unit::Count,
        &[("outcome", "fired, skipped, overlapped, known, failed")],
        "Ticks of schedules: that enqueued a task, were missed and not made up for, found their \
         task before not finished, had enqueued theirs already, or could not enqueue it.",
    ),
    metric(
        "outrigger_scheduler_active",
        Gauge,
        Unit::Count,
        &[],
        "1 while this process fires the schedules of the deployment; else 0.",
    ),
    metric(
        "outrigger_spans_dropped_total",
        Counter,
        Unit::Count,
        &[("reason", "buffer_full, away, rejected, too_many_calls")],
        "Spans that did not reach the collector: more than fit into the buffer, not taken by a collector \
         that is away or refuses, refused one by one, or beyond the most calls of one request or task.",
    ),
    metric(
        "outrigger_spans_exported_total",
        Counter,
        Unit::Count,
        &[],
        "Spans that the collector has taken.",
    ),
    metric(
        "outrigger_store_errors_total",
        Counter,
        Unit::Count,
        &[(
            "kind",
            "precondition, unique, bound, unavailable, timeout, full, outcome_unknown, schema, \
             internal",
        )],
        "Calls of the store that failed; precondition and unique are answers, not faults.",
    ),
    metric(
        "outrigger_store_operation_seconds",
        Histogram,
        Unit::Seconds,
        &[("operation", "get, get_many, query, commit, scan, purge_expired")],
        "How long calls of the store took, with waiting.",
    ),
    metric(
        "outrigger_task_duration_seconds",
        Histogram,
        Unit::Seconds,
        &[
            ("kind", "the kinds of tasks that this binary runs"),
            ("outcome", "succeeded, retry, failed, dead, cancelled, released, lost"),
        ],
        "How long attempts of tasks took, and how they ended.",
    ),
    metric(
        "outrigger_task_leases_refused_total",
        Counter,
        Unit::Count,
        &[],
        "Outcomes of tasks that the queue refused, because the lease had ended.",
    ),
    metric(
        "outrigger_task_wait_seconds",
        Histogram,
        Unit::Seconds,
        &[("queue", "the queues of `worker.queues`")],
        "How long tasks that were due waited for this worker.",
    ),
    metric("outrigger_tasks_running", Gauge, Unit::Count, &[], "Tasks that this worker runs now."),
    metric(
        "outrigger_tasks_tended_total",
        Counter,
        Unit::Count,
        &[("what", "promoted, recovered, quarantined, forgotten")],
        "Tasks that became due, lost their worker, were put among the dead for that, or were \
         forgotten.",
    ),
    metric(
        "process_cpu_seconds_total",
        Gauge,
        Unit::Seconds,
        &[],
        "CPU time of the process since its start.",
    ),
    metric("process_open_fds", Gauge, Unit::Count, &[], "Open files and connections."),
    metric(
        "process_resident_memory_bytes",
        Gauge,
        Unit::Bytes,
        &[],
        "Resident memory of the process.",
    ),
];

/// Tells the installed recorder what each of them is.
pub(crate) fn describe() {
    for Metric { name, kind, unit, meaning, .. } in ALL {
        match kind {
            Counter => metrics::describe_counter!(name, unit, meaning),
            Gauge => metrics::describe_gauge!(name, unit, meaning),
            Histogram => metrics::describe_histogram!(name, unit, meaning),
        }
    }
}
