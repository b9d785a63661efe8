//! Every bound of the product in one place. They hold on every store.

/// Largest body of a stored document, in bytes.
pub const DOCUMENT_BYTES_MAX: usize = 256 * 1024;
/// Largest `data` of a record, in bytes: leaves room for the envelope around it.
pub const RECORD_DATA_BYTES_MAX: usize = 248 * 1024;
/// Most index entries of a document.
pub const INDEXES_MAX: usize = 8;
/// Most unique entries of a document.
pub const UNIQUES_MAX: usize = 3;
/// Longest encoded index value, in bytes. DynamoDB allows 1,024 for a whole sort key.
pub const INDEX_VALUE_BYTES_MAX: usize = 512;
/// Most documents in a batch.
pub const BATCH_MAX: usize = 20;
/// Largest bodies of a batch, together, in bytes. DynamoDB allows 4 MB for all that a transaction
/// writes, with keys and entries.
pub const BATCH_BYTES_MAX: usize = 3 * 1024 * 1024;
/// Most operations of a client in `/api/v1/batch`; the rest of a batch is for Outrigger itself
/// (idempotency, audit).
pub const BATCH_OPERATIONS_MAX: usize = 16;
/// Most documents in a page of a store query or scan.
pub const QUERY_LIMIT_MAX: usize = 1_000;
/// Most documents read with one `get_many`.
pub const GET_MANY_MAX: usize = 100;
/// Longest document id, record id and collection name, in bytes.
pub const ID_BYTES_MAX: usize = 64;
/// Most items on a page that a client may ask for.
pub const PAGE_MAX: usize = 100;
/// Items on a page when the client does not say.
pub const PAGE_DEFAULT: usize = 20;
/// Most documents read to fill one page when a filter is applied after the index.
pub const PAGE_SCAN_MAX: usize = 1_000;
/// Deepest nesting of objects and arrays in JSON that a client sends.
pub const JSON_DEPTH_MAX: usize = 32;
/// Longest `Idempotency-Key`, in bytes.
pub const IDEMPOTENCY_KEY_BYTES_MAX: usize = 255;
/// Shortest password, in characters.
pub const PASSWORD_CHARS_MIN: usize = 10;
/// Longest password, in bytes: hashing a longer one would cost the server more than the client.
pub const PASSWORD_BYTES_MAX: usize = 256;
/// Most live sessions of one user; the oldest ends when one more starts.
pub const SESSIONS_PER_USER_MAX: usize = 50;
/// Most collections that may be defined.
pub const COLLECTIONS_MAX: usize = 1_000;
/// Largest JSON Schema of a collection, in bytes.
pub const SCHEMA_BYTES_MAX: usize = 64 * 1024;
/// Most triggers of a collection.
pub const TRIGGERS_MAX: usize = 4;
/// Longest time that a collection may be cached, in seconds.
pub const CACHE_TTL_S_MAX: u32 = 86_400;
/// Largest payload of a task, in bytes of JSON.
pub const TASK_PAYLOAD_BYTES_MAX: usize = 128 * 1024;
/// The same once it is encrypted, which makes it base64 with a nonce, a tag and quotes.
pub const TASK_SEALED_BYTES_MAX: usize = TASK_PAYLOAD_BYTES_MAX / 3 * 4 + 64;
/// Largest result of a task, in bytes of JSON; a larger one belongs into a file or a record.
pub const TASK_RESULT_BYTES_MAX: usize = 32 * 1024;
/// Longest text of a task's error, in bytes; what is beyond is cut off.
pub const TASK_ERROR_BYTES_MAX: usize = 2_000;
/// Most attempts of a task that are told of in its history: the last ones.
pub const TASK_HISTORY_MAX: usize = 10;
/// The greatest priority of a task; greater goes first, 0 last.
pub const TASK_PRIORITY_MAX: u8 = 9;
/// The priority of a task of which none is said.
pub const TASK_PRIORITY_DEFAULT: u8 = 5;
/// Most attempts that a task may be given.
pub const TASK_ATTEMPTS_MAX: u32 = 100;
/// So many workers that die while they run a task put it among the dead.
pub const TASK_CRASHES_MAX: u32 = 3;
/// Longest name of a queue or of a kind of tasks, in bytes.
pub const TASK_NAME_BYTES_MAX: usize = 64;
/// Longest unique key of a task, in bytes.
pub const TASK_UNIQUE_KEY_BYTES_MAX: usize = 200;
/// Most schedules that may be defined.
pub const SCHEDULES_MAX: usize = 1_000;
/// Longest cron expression, in bytes.
pub const CRON_BYTES_MAX: usize = 200;
/// Longest name of a time zone, in bytes.
pub const TIME_ZONE_BYTES_MAX: usize = 64;
/// Most ticks of a schedule that are made up for: the last ones.
pub const CATCH_UP_MAX: usize = 100;
/// Most tasks that one call enqueues, claims, extends or settles.
pub const TASKS_MAX: usize = 200;

/// Most events that one request brings.
pub const EVENTS_MAX: usize = 500;
/// Most properties of an event; and of all events of one name in a day, by which they can be grouped.
pub const EVENT_PROPERTIES_MAX: usize = 8;
/// Longest value of an event's property, in bytes.
pub const EVENT_VALUE_BYTES_MAX: usize = 100;
/// Most names of events that are counted apart in a day (UTC).
pub const EVENT_NAMES_MAX: usize = 1_000;
/// Most values of a property that are counted apart in a day (UTC), and in an answer.
pub const EVENT_VALUES_MAX: usize = 100;
/// Most intervals of a query of events.
pub const EVENT_INTERVALS_MAX: usize = 800;

const _: () = assert!(RECORD_DATA_BYTES_MAX < DOCUMENT_BYTES_MAX);
const _: () =
    assert!(TASK_SEALED_BYTES_MAX + 2 * TASK_RESULT_BYTES_MAX + 8_192 < DOCUMENT_BYTES_MAX);
const _: () = assert!(BATCH_OPERATIONS_MAX + 2 <= BATCH_MAX);
const _: () = assert!(DOCUMENT_BYTES_MAX <= BATCH_BYTES_MAX);
const _: () = assert!(TRIGGERS_MAX < BATCH_OPERATIONS_MAX);
const _: () = assert!(PAGE_DEFAULT <= PAGE_MAX && PAGE_MAX <= QUERY_LIMIT_MAX);
const _: () = assert!(PAGE_MAX <= PAGE_SCAN_MAX && PAGE_SCAN_MAX <= QUERY_LIMIT_MAX);
// A day's counts of one property: each value escaped, with the counts of its quarters of an hour.
const _: () =
    assert!((EVENT_VALUES_MAX + 1) * (6 * EVENT_VALUE_BYTES_MAX + 96 * 18) < DOCUMENT_BYTES_MAX);
