//! What the tests stand on: the binary, its backends, and a client.

mod client;
mod half_request;
mod server;
mod signing_key;
mod tasks;

pub(crate) use client::{Answer, Api};
pub(crate) use half_request::HalfRequest;
pub(crate) use server::{ADMIN_EMAIL, ADMIN_PASSWORD, Backend, Server, ServerOptions, binary, run};
pub(crate) use signing_key::{SigningKey, now_s, open_token};
pub(crate) use tasks::{dead, until};

use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};

/// Makes each named function a test on SQLite alone, and on PostgreSQL and Redis.
macro_rules! on_sqlite_and_postgres {
    ($($name:ident),+ $(,)?) => {
        mod sqlite {
            $( #[test] fn $name() { super::$name($crate::support::on_sqlite()); } )+
        }
        mod postgres_and_redis {
            $( #[test] fn $name() { super::$name($crate::support::on_postgres_and_redis()); } )+
        }
    };
}
pub(crate) use on_sqlite_and_postgres;

/// The same, and on emulators of DynamoDB and MongoDB, each alone and with Redis.
macro_rules! on_each_backend {
    ($($name:ident),+ $(,)?) => {
        $crate::support::on_sqlite_and_postgres!($($name),+);
        #[cfg(feature = "dynamodb")]
        mod dynamodb {
            $( #[test] fn $name() { super::$name($crate::support::on_dynamodb()); } )+
        }
        #[cfg(feature = "dynamodb")]
        mod dynamodb_and_redis {
            $( #[test] fn $name() { super::$name($crate::support::on_dynamodb_and_redis()); } )+
        }
        #[cfg(feature = "mongodb")]
        mod mongodb {
            $( #[test] fn $name() { super::$name($crate::support::on_mongodb()); } )+
        }
        #[cfg(feature = "mongodb")]
        mod mongodb_and_redis {
            $( #[test] fn $name() { super::$name($crate::support::on_mongodb_and_redis()); } )+
        }
    };
}
pub(crate) use on_each_backend;

/// The shared server on SQLite alone.
pub(crate) fn on_sqlite() -> &'static Server {
    static SERVER: OnceLock<Server> = OnceLock::new();
    SERVER.get_or_init(|| Server::start(&ServerOptions::on(Backend::Sqlite)))
}

/// The shared server on PostgreSQL and Redis.
pub(crate) fn on_postgres_and_redis() -> &'static Server {
    static SERVER: OnceLock<Server> = OnceLock::new();
    SERVER.get_or_init(|| Server::start(&ServerOptions::on(Backend::postgres_and_redis())))
}

/// The shared server on an emulator of DynamoDB alone.
#[cfg(feature = "dynamodb")]
pub(crate) fn on_dynamodb() -> &'static Server {
    static SERVER: OnceLock<Server> = OnceLock::new();
    SERVER.get_or_init(|| Server::start(&ServerOptions::on(Backend::dynamodb())))
}

/// The shared server on an emulator of DynamoDB and Redis.
#[cfg(feature = "dynamodb")]
pub(crate) fn on_dynamodb_and_redis() -> &'static Server {
    static SERVER: OnceLock<Server> = OnceLock::new();
    SERVER.get_or_init(|| Server::start(&ServerOptions::on(Backend::dynamodb().and_redis())))
}

/// The shared server on an emulator of MongoDB alone.
#[cfg(feature = "mongodb")]
pub(crate) fn on_mongodb() -> &'static Server {
    static SERVER: OnceLock<Server> = OnceLock::new();
    SERVER.get_or_init(|| Server::start(&ServerOptions::on(Backend::mongodb())))
}

/// The shared server on an emulator of MongoDB and Redis.
#[cfg(feature = "mongodb")]
pub(crate) fn on_mongodb_and_redis() -> &'static Server {
    static SERVER: OnceLock<Server> = OnceLock::new();
    SERVER.get_or_init(|| Server::start(&ServerOptions::on(Backend::mongodb().and_redis())))
}

/// A name that no other test uses.
pub(crate) fn unique(prefix: &str) -> String {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    format!("{prefix}{}", NEXT.fetch_add(1, Ordering::Relaxed))
}
