//! The floor: the least that can answer the six requests of the benchmark. One single-threaded
//! runtime for each core, a listener of its own each, hand-written handlers, no features.
//!
//! `outrigger-bench-floor PORT DATABASE_URL REDIS_URL THREADS`, or, to finish tasks from a bare Redis
//! stream and print how many a second, `outrigger-bench-floor REDIS_URL TASKS`.

mod answer;
mod core;
mod create;
mod login;
mod password;
mod read;
mod tasks;
mod token;

use std::net::SocketAddr;
use std::sync::Arc;

use anyhow::{Context, Result};
use axum::Router;
use axum::routing::{get, post};
use hyper::server::conn::http1;
use hyper_util::rt::TokioIo;
use hyper_util::service::TowerToHyperService;
use socket2::{Domain, Protocol, Socket, Type};
use tokio::net::TcpListener;

use crate::core::Core;
use crate::token::Keys;

const BACKLOG: i32 = 1_024;

fn main() -> Result<()> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let [port, database, redis, threads] = match args.as_slice() {
        [redis, count] => return finish_tasks(redis, count.parse().context("TASKS")?),
        [port, database, redis, threads] => [port, database, redis, threads],
        _ => anyhow::bail!("usage: outrigger-bench-floor PORT DATABASE_URL REDIS_URL THREADS"),
    };
    let port: u16 = port.parse().context("PORT is not a number")?;
    let threads: usize = threads.parse().context("THREADS is not a number")?;
    let keys = Arc::new(Keys::generate()?);
    let started: Vec<_> = (0..threads)
        .map(|_| {
            let (database, redis, keys) = (database.clone(), redis.clone(), keys.clone());
            std::thread::spawn(move || run(port, &database, &redis, keys))
        })
        .collect();
    for thread in started {
        thread.join().map_err(|_| anyhow::anyhow!("a thread panicked"))??;
    }
    Ok(())
}

#[expect(clippy::print_stdout, reason = "the answer of a program")]
fn finish_tasks(redis: &str, count: usize) -> Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    println!("{:.0}", runtime.block_on(tasks::finish(redis, count))?);
    Ok(())
}

fn run(port: u16, database: &str, redis: &str, keys: Arc<Keys>) -> Result<()> {
    // One blocking thread for each core: password hashing is all that blocks.
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .max_blocking_threads(1)
        .build()?;
    runtime.block_on(async {
        let core = Arc::new(Core::connect(database, redis, keys).await?);
        let router = Router::new()
            .route("/items/{id}", get(read::cached))
            .route("/rows/{id}", get(read::uncached))
            .route("/me/items/{id}", get(read::authenticated))
            .route("/items", post(create::handle))
            .route("/login", post(login::handle))
            .route("/tasks", post(tasks::add))
            .with_state(core);
        serve(listen(port)?, router).await
    })
}

/// A listener that shares the port with those of the other threads; the kernel spreads connections.
fn listen(port: u16) -> Result<TcpListener> {
    let socket = Socket::new(Domain::IPV4, Type::STREAM, Some(Protocol::TCP))?;
    socket.set_reuse_port(true)?;
    socket.set_nonblocking(true)?;
    socket.bind(&SocketAddr::from(([127, 0, 0, 1], port)).into())?;
    socket.listen(BACKLOG)?;
    Ok(TcpListener::from_std(socket.into())?)
}

async fn serve(listener: TcpListener, router: Router) -> Result<()> {
    loop {
        let (stream, _) = listener.accept().await?;
        stream.set_nodelay(true)?;
        let service = TowerToHyperService::new(router.clone());
        // How a client's connection ended is the client's business.
        tokio::spawn(http1::Builder::new().serve_connection(TokioIo::new(stream), service));
    }
}
