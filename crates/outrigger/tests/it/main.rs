//! The black-box suite: the real binary, over HTTP and on the command line, on each pair of
//! backends (SQLite alone; PostgreSQL and Redis; emulators of DynamoDB and MongoDB alone, and with Redis).

#![allow(clippy::unwrap_used, reason = "in a test, what is not there fails the test")]

mod support;

mod account_mails;
mod alerts;
mod analytics;
mod archives;
mod audit;
mod auth;
mod batch;
mod cli;
#[cfg(all(feature = "aws-sm", feature = "ses"))]
mod clouds;
mod cloudwatch;
mod collections;
mod console;
mod deployments;
mod durability;
mod files;
mod fleet;
mod health;
mod http;
mod mails;
mod metrics;
mod notifications;
mod outages;
mod outbox;
mod python_worker;
mod queues;
mod readme;
mod records;
mod replicas;
mod schedules;
#[cfg(all(feature = "aws-sm", feature = "ses", feature = "gcp-sm"))]
mod secret_managers;
#[cfg(all(feature = "aws-sm", feature = "ses"))]
mod ses;
mod setup;
mod sweep;
mod system;
mod tasks;
mod traces;
mod transfer;
mod triggers;
mod users;
mod webhooks;
mod workers;
