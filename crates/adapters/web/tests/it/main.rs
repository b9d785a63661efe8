//! The client against real servers on this machine.
#![allow(clippy::unwrap_used, reason = "in a test, what is not there fails the test")]

mod guard;
mod tls;
mod wire;

use std::time::Duration;

use bytes::Bytes;
use outrigger_ports::http_client::HttpRequest;
use outrigger_web::{WebClient, WebOptions};

/// A small request to this URL.
fn request(url: &str) -> HttpRequest {
    HttpRequest {
        method: "POST".to_owned(),
        url: url.to_owned(),
        headers: vec![("x-colour".to_owned(), "red".to_owned())],
        body: Bytes::from_static(b"{\"a\":1}"),
        timeout: Duration::from_secs(60),
        answer_bytes_max: 16,
    }
}

/// A client that may reach this machine.
fn open() -> WebClient {
    WebClient::new(WebOptions { allow_private: true, ..WebOptions::default() }).unwrap()
}

/// Waits for a future on a runtime of its own.
fn block_on<T>(future: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(future)
}
