//! What the threads of a proxy share, and how they pass bytes.

use std::collections::HashMap;
use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

const CHUNK_BYTES: usize = 16 * 1024;

#[derive(Debug)]
pub(super) struct Shared {
    pub(super) target: SocketAddr,
    state: Mutex<State>,
    /// Told when the proxy thaws, a connection is closed, or a listener has ended.
    pub(super) changed: Condvar,
}

#[derive(Debug, Default)]
pub(super) struct State {
    pub(super) listening: bool,
    /// Threads that own a listener.
    pub(super) acceptors: u32,
    pub(super) frozen: bool,
    /// How many more bytes go to the server before everything freezes.
    pub(super) thaw: Option<u64>,
    /// How many more bytes go to the server before everything is cut.
    pub(super) budget: Option<u64>,
    pub(super) passed: u64,
    pub(super) cuts: u64,
    /// Client and server side of each connection. What is not here is passed no further.
    pub(super) open: HashMap<u64, (TcpStream, TcpStream)>,
    next_id: u64,
}

impl Shared {
    pub(super) fn new(target: SocketAddr) -> Self {
        Self { target, state: Mutex::default(), changed: Condvar::new() }
    }

    pub(super) fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn register(&self, client: TcpStream, server: TcpStream) -> u64 {
        let mut state = self.lock();
        state.next_id += 1;
        let id = state.next_id;
        state.open.insert(id, (client, server));
        id
    }

    pub(super) fn close_all(&self) {
        for (_, (client, server)) in self.lock().open.drain() {
            let _ = client.shutdown(Shutdown::Both);
            let _ = server.shutdown(Shutdown::Both);
        }
        self.changed.notify_all();
    }

    pub(super) fn acceptor_ended(&self) {
        self.lock().acceptors -= 1;
        self.changed.notify_all();
    }

    pub(super) fn wait_until_closed(&self) {
        let mut state = self.lock();
        while state.acceptors > 0 {
            state = self.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
    }

    fn close(&self, id: u64) {
        if let Some((client, server)) = self.lock().open.remove(&id) {
            let _ = client.shutdown(Shutdown::Both);
            let _ = server.shutdown(Shutdown::Both);
        }
    }

    /// Waits until so many bytes may go to the server; `None` when the connection has been closed.
    fn wait_for_turn(&self, id: u64, length: u64) -> Option<MutexGuard<'_, State>> {
        let mut state = self.wait_until_open(id)?;
        match state.thaw {
            Some(thaw) if length > thaw => {
                (state.frozen, state.thaw) = (true, None);
                drop(state);
                self.wait_until_open(id)
            }
            thaw => {
                state.thaw = thaw.map(|thaw| thaw - length);
                Some(state)
            }
        }
    }

    /// Waits while frozen; `None` when the connection has been closed.
    fn wait_until_open(&self, id: u64) -> Option<MutexGuard<'_, State>> {
        let mut state = self.lock();
        while state.frozen && state.open.contains_key(&id) {
            state = self.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
        state.open.contains_key(&id).then_some(state)
    }
}

pub(super) fn pump_to_server(id: u64, mut client: TcpStream, mut server: TcpStream, on: &Shared) {
    let mut chunk = [0; CHUNK_BYTES];
    loop {
        let read = match client.read(&mut chunk) {
            Ok(0) => {
                // The client has no more to say but may still listen.
                let _ = server.shutdown(Shutdown::Write);
                return;
            }
            Ok(read) => read,
            Err(_) => return on.close(id),
        };
        let length = read as u64;
        let Some(mut state) = on.wait_for_turn(id, length) else { return };
        let cut = match state.budget {
            Some(budget) if length >= budget => Some(budget),
            _ => None,
        };
        let Some(budget) = cut else {
            state.budget = state.budget.map(|budget| budget - length);
            state.passed += length;
            drop(state);
            if server.write_all(&chunk[..read]).is_err() {
                return on.close(id);
            }
            continue;
        };
        // From here on no answer is passed, not even to what the server has got already; only
        // then do the last bytes go to it.
        state.budget = None;
        state.passed += budget;
        state.cuts += 1;
        let open: Vec<_> = state.open.drain().collect();
        drop(state);
        let last = usize::try_from(budget).unwrap_or(read);
        let _ = server.write_all(&chunk[..last]);
        for (_, (client, server)) in open {
            let _ = client.shutdown(Shutdown::Both);
            // Only the end of the stream: the server reads everything that was sent before.
            let _ = server.shutdown(Shutdown::Write);
        }
        on.changed.notify_all();
        return;
    }
}

pub(super) fn pump_to_client(id: u64, mut server: TcpStream, mut client: TcpStream, on: &Shared) {
    let mut chunk = [0; CHUNK_BYTES];
    loop {
        let read = match server.read(&mut chunk) {
            Ok(0) | Err(_) => return on.close(id),
            Ok(read) => read,
        };
        // After a cut the answers are still read, so that the server can end in order.
        let open = on.wait_until_open(id).is_some();
        if open && client.write_all(&chunk[..read]).is_err() {
            return on.close(id);
        }
    }
}
