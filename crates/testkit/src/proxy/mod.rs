//! A TCP proxy that breaks connections on demand.

mod pump;

use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result};

use crate::{free_port, wait};
use pump::{Shared, pump_to_client, pump_to_server};

/// Passes bytes between its own port and a target on 127.0.0.1, until told otherwise. Ends with
/// its value.
#[derive(Debug)]
pub struct FaultProxy {
    shared: Arc<Shared>,
    address: SocketAddr,
}

impl FaultProxy {
    /// Starts one in front of `target`, a port on 127.0.0.1.
    ///
    /// # Errors
    /// When there is no free port.
    pub fn start(target: u16) -> Result<Self> {
        let address = SocketAddr::from(([127, 0, 0, 1], free_port()?));
        let target = SocketAddr::from(([127, 0, 0, 1], target));
        let proxy = Self { shared: Arc::new(Shared::new(target)), address };
        proxy.listen()?;
        Ok(proxy)
    }

    /// Where clients go.
    pub fn addr(&self) -> SocketAddr {
        self.address
    }

    /// Its port.
    pub fn port(&self) -> u16 {
        self.address.port()
    }

    /// Closes every connection and refuses new ones, until [`FaultProxy::restore`].
    pub fn cut(&self) {
        self.shared.lock().listening = false;
        // Wakes the thread that accepts; it sees the flag and drops the listener.
        let _ = TcpStream::connect(self.address);
        self.shared.wait_until_closed();
        self.shared.close_all();
        // A child that is being started by another thread has a copy of the listener until its
        // program begins, a moment later.
        let refuses = || TcpStream::connect(self.address).is_err();
        let _ = wait::wait_until("a refused connection", Duration::from_secs(60), refuses);
    }

    /// Passes everything again: undoes `cut`, `freeze`, and a `freeze_after_bytes` or
    /// `cut_after_bytes` that has not happened yet. What was frozen goes on.
    ///
    /// # Errors
    /// When somebody else has taken the port meanwhile.
    pub fn restore(&self) -> Result<()> {
        let listening = {
            let mut state = self.shared.lock();
            state.frozen = false;
            (state.budget, state.thaw) = (None, None);
            state.listening
        };
        self.shared.changed.notify_all();
        if listening { Ok(()) } else { self.listen() }
    }

    /// Keeps connections open and accepts new ones, but passes nothing in either direction, until
    /// [`FaultProxy::restore`].
    pub fn freeze(&self) {
        self.shared.lock().frozen = true;
    }

    /// Freezes before more than `to_server` bytes have gone to the server from now on, counted over
    /// all connections.
    pub fn freeze_after_bytes(&self, to_server: u64) {
        self.shared.lock().thaw = Some(to_server);
    }

    /// Whether it is frozen.
    pub fn is_frozen(&self) -> bool {
        self.shared.lock().frozen
    }

    /// Once `to_server` more bytes have gone to the server, counted over all connections, closes
    /// every connection. The server gets exactly these bytes; what it answers to the last of them
    /// is not delivered. New connections work at once.
    pub fn cut_after_bytes(&self, to_server: u64) {
        self.shared.lock().budget = Some(to_server);
    }

    /// How many bytes have gone to the server since the start.
    pub fn bytes_to_server(&self) -> u64 {
        self.shared.lock().passed
    }

    /// How many times `cut_after_bytes` has happened.
    pub fn cuts(&self) -> u64 {
        self.shared.lock().cuts
    }

    /// How many connections there are now.
    pub fn connections(&self) -> usize {
        self.shared.lock().open.len()
    }

    fn listen(&self) -> Result<()> {
        // The port is free again as soon as the old listener is dropped.
        let listener = wait::eventually("the port of the proxy", Duration::from_secs(60), || {
            TcpListener::bind(self.address).context("the port is taken")
        })?;
        {
            let mut state = self.shared.lock();
            state.listening = true;
            state.acceptors += 1;
        }
        let shared = self.shared.clone();
        std::thread::spawn(move || accept(listener, &shared));
        Ok(())
    }
}

impl Drop for FaultProxy {
    fn drop(&mut self) {
        self.shared.lock().frozen = false;
        self.shared.changed.notify_all();
        if self.shared.lock().listening {
            self.cut();
        }
    }
}

fn accept(listener: TcpListener, shared: &Arc<Shared>) {
    for client in listener.incoming() {
        if !shared.lock().listening {
            break;
        }
        let Ok(client) = client else { continue };
        // Without a server the client's connection is simply closed.
        if let Ok(server) = TcpStream::connect_timeout(&shared.target, Duration::from_secs(5)) {
            let _ = connect(client, server, shared);
        }
    }
    drop(listener);
    shared.acceptor_ended();
}

fn connect(client: TcpStream, server: TcpStream, shared: &Arc<Shared>) -> std::io::Result<()> {
    client.set_nodelay(true)?;
    server.set_nodelay(true)?;
    let id = shared.register(client.try_clone()?, server.try_clone()?);
    let (client_reads, server_writes) = (client.try_clone()?, server.try_clone()?);
    let to_server = shared.clone();
    std::thread::spawn(move || pump_to_server(id, client_reads, server_writes, &to_server));
    let to_client = shared.clone();
    std::thread::spawn(move || pump_to_client(id, server, client, &to_client));
    Ok(())
}
