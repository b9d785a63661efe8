//! Real servers for tests: PostgreSQL, Redis, HAProxy, nginx and aiosmtpd on free ports, an emulator
//! of DynamoDB, one of MongoDB, one of AWS and one of Google Cloud, a collector of traces, a browser, a proxy that breaks connections, certificates,
//! temporary folders. Knows nothing of the product.
//!
//! Everything that is started here ends with the process that started it, also when that is
//! killed, and every temporary folder is removed: by the value's `Drop`, or, for what is never
//! dropped, by a janitor that waits for the end of the process (see `root`).
//!
//! All of it is blocking and thread-safe. In async tests start servers before the runtime, or
//! accept that a start blocks its thread for a moment.

mod aws;
mod browser;
mod dynamodb;
mod emulator;
mod google;
pub mod haproxy;
mod install;
mod interposer;
mod mongodb;
pub mod net;
pub mod nginx;
pub mod postgres;
pub mod process;
pub mod program;
mod proxy;
mod receiver;
pub mod redis;
mod root;
mod size;
mod smtp;
mod spawner;
mod temp_dir;
mod tls;
mod traces;
mod wait;

pub use aws::Aws;
pub use browser::{Axe, Browser, Page};
pub use dynamodb::DynamoDb;
pub use google::{CloudStorage, GoogleFault, SecretManager, ServiceAccount};
pub use haproxy::Haproxy;
pub use install::install_missing;
pub use interposer::Interposer;
pub use mongodb::MongoDb;
pub use net::{free_port, http_get};
pub use nginx::Nginx;
pub use postgres::{Postgres, PostgresOptions};
pub use process::Process;
pub use program::{Program, find_program, require};
pub use proxy::FaultProxy;
pub use receiver::{Received, Receiver};
pub use redis::{Redis, RedisCluster, RedisOptions};
pub use size::sized;
pub use smtp::{SmtpServer, SmtpServerOptions, SmtpTls, TakenMail};
pub use temp_dir::TempDir;
pub use tls::Tls;
pub use traces::{Rotel, SentSpan, SpanSink};
pub use wait::{eventually, wait_until};
