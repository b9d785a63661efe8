//! Serving HTTP: one acceptor, and threads that each have a runtime, services and connections of
//! their own.
//!
//! A request is served from start to end by one thread, and so are the connections to PostgreSQL
//! and Redis that it uses: no work moves between cores. The acceptor gives each new connection to
//! the thread with the fewest.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use outrigger_http::layers::{BodyUnread, Layers};
use outrigger_http::patience::Patience;
use outrigger_http::stall::Stall;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Notify, mpsc, watch};
use tokio::task::JoinSet;

use crate::head_timer::{Arrival, HeadTimer};
use crate::lingering::Lingering;

/// Connections that wait for their thread to take them.
const HANDOVER_MAX: usize = 1_024;
/// Most headers that are read: more than are accepted, so that the refusal is a problem like any
/// other.
const HEADERS_READ_MAX: usize = 200;
/// Most bytes of a head that are read, for the same reason at least so many times the bound.
const HEAD_READ: usize = 4;
/// How long accepting pauses when the process has no file descriptor left.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);
/// How long the first request of a new connection is waited for when the process closes.
const FIRST_REQUEST: Duration = Duration::from_millis(500);

/// Bounds of a connection.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Bounds {
    pub(crate) connections_max: usize,
    pub(crate) header_bytes_max: usize,
    /// Longest time that a connection is kept without a request.
    pub(crate) keep_alive: Duration,
    /// Longest time from the first byte of a request to the end of its head.
    pub(crate) header_timeout: Duration,
    pub(crate) request_timeout: Duration,
    /// Longest time in which a client takes nothing of what is written for it.
    pub(crate) write_timeout: Duration,
}

/// How far the end of the process is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Phase {
    /// Not at all.
    Running,
    /// New connections are still served; each answer closes its connection.
    Draining,
    /// No new connections; what is in flight ends.
    Closing,
}

/// Where the acceptor hands connections to.
#[derive(Clone, Debug)]
pub(crate) struct Lane {
    connections: Arc<AtomicUsize>,
    sender: mpsc::Sender<(std::net::TcpStream, SocketAddr)>,
}

/// The other end of a lane.
pub(crate) struct Serving {
    connections: Arc<AtomicUsize>,
    receiver: mpsc::Receiver<(std::net::TcpStream, SocketAddr)>,
}

/// A lane to one thread.
pub(crate) fn lane() -> (Lane, Serving) {
    let (sender, receiver) = mpsc::channel(HANDOVER_MAX);
    let connections = Arc::new(AtomicUsize::new(0));
    (Lane { connections: connections.clone(), sender }, Serving { connections, receiver })
}

/// Accepts until the closing phase and hands each connection to the emptiest lane. A connection
/// that came before the listener was closed is served: a balancer that has sent its request could
/// not know whether to send it again.
pub(crate) async fn accept(
    listener: TcpListener,
    lanes: Vec<Lane>,
    bounds: Bounds,
    mut phase: watch::Receiver<Phase>,
) {
    loop {
        let open: usize = lanes.iter().map(|lane| lane.connections.load(Ordering::Relaxed)).sum();
        if open >= bounds.connections_max {
            tokio::select! {
                () = tokio::time::sleep(ACCEPT_PAUSE) => continue,
                _ = phase.wait_for(|phase| *phase == Phase::Closing) => break,
            }
        }
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            _ = phase.wait_for(|phase| *phase == Phase::Closing) => break,
        };
        match accepted.and_then(|(stream, peer)| Ok((stream.into_std()?, peer))) {
            Ok(connection) => hand_over(&lanes, connection).await,
            Err(error) => {
                tracing::warn!(source = %error, "a connection could not be accepted");
                tokio::time::sleep(ACCEPT_PAUSE).await;
            }
        }
    }
    let Ok(listener) = listener.into_std() else { return };
    while let Ok((stream, peer)) = listener.accept() {
        if stream.set_nonblocking(true).is_ok() {
            hand_over(&lanes, (stream, peer)).await;
        }
    }
}

async fn hand_over(lanes: &[Lane], connection: (std::net::TcpStream, SocketAddr)) {
    let emptiest = lanes.iter().min_by_key(|lane| lane.connections.load(Ordering::Relaxed));
    if let Some(lane) = emptiest {
        lane.connections.fetch_add(1, Ordering::Relaxed);
        if lane.sender.send(connection).await.is_err() {
            lane.connections.fetch_sub(1, Ordering::Relaxed);
        }
    }
}

/// Serves the connections of one lane on this thread, until the acceptor gives no more and the last
/// of them has ended.
pub(crate) async fn serve(
    mut serving: Serving,
    layers: Arc<Layers>,
    bounds: Bounds,
    phase: watch::Receiver<Phase>,
) {
    let mut open = JoinSet::new();
    loop {
        tokio::select! {
            connection = serving.receiver.recv() => {
                let Some((stream, peer)) = connection else { break };
                let (layers, phase) = (layers.clone(), phase.clone());
                let count = Counted(serving.connections.clone());
                open.spawn(async move {
                    let _count = count;
                    serve_connection(stream, peer, layers, bounds, phase).await;
                });
            }
            Some(_) = open.join_next(), if !open.is_empty() => {}
        }
    }
    while open.join_next().await.is_some() {}
}

/// Counts a connection until it ends.
struct Counted(Arc<AtomicUsize>);

impl Drop for Counted {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

/// So much of an answer waits in the kernel, unsent. With more, the kernel says only after megabytes that a
/// client has taken something, and one that is slow would be thought to stand still ([`Stall`]).
const UNSENT_BYTES_MAX: u32 = 128 * 1024;

async fn serve_connection(
    stream: std::net::TcpStream,
    peer: SocketAddr,
    layers: Arc<Layers>,
    bounds: Bounds,
    mut phase: watch::Receiver<Phase>,
) {
    let _ = stream.set_nodelay(true);
    let _ = socket2::SockRef::from(&stream).set_tcp_notsent_lowat(UNSENT_BYTES_MAX);
    let Ok(stream) = TcpStream::from_std(stream) else { return };
    let served = Arc::new((layers, Patience::new(bounds.request_timeout)));
    let begun = Arc::new(Notify::new());
    let begins = begun.clone();
    let unread = Arc::new(AtomicBool::new(false));
    let arrival = Arrival::default();
    let stream =
        Lingering::new(stream, arrival.clone(), unread.clone(), Stall::new(bounds.write_timeout));
    let service = service_fn(move |request| {
        begins.notify_one();
        let (served, unread) = (served.clone(), unread.clone());
        async move {
            let (layers, patience) = &*served;
            let response = layers.serve(peer, patience, request).await;
            if response.extensions().get::<BodyUnread>().is_some() {
                unread.store(true, Ordering::Relaxed);
            }
            Ok::<_, std::convert::Infallible>(response)
        }
    });
    let connection = http1::Builder::new()
        .timer(HeadTimer { arrival, header_timeout: bounds.header_timeout })
        .header_read_timeout(bounds.keep_alive)
        .max_headers(HEADERS_READ_MAX)
        .max_buf_size(bounds.header_bytes_max.saturating_mul(HEAD_READ))
        .serve_connection(TokioIo::new(stream), service);
    let mut connection = std::pin::pin!(connection);
    tokio::select! {
        // How a client's connection ended is the client's business.
        _ = connection.as_mut() => return,
        _ = phase.wait_for(|phase| *phase == Phase::Closing) => {}
    }
    // The shutdown closes a connection on which nothing has come yet, but who has just made it has
    // its request on the way.
    tokio::select! {
        _ = connection.as_mut() => return,
        () = begun.notified() => {}
        () = tokio::time::sleep(FIRST_REQUEST) => {}
    }
    connection.as_mut().graceful_shutdown();
    let _ = connection.await;
}
