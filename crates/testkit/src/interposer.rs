//! Stands before a server and does to single requests what the real one does now and then.

use std::borrow::Borrow;
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

use anyhow::Result;

/// Passes connections on, and decides what becomes of each request; clones are the same one. Listens
/// on 127.0.0.1 until the process ends.
#[derive(Clone, Debug)]
pub struct Interposer<F> {
    port: u16,
    rules: Arc<Mutex<Vec<Rule<F>>>>,
}

#[derive(Debug)]
struct Rule<F> {
    operation: &'static str,
    left: usize,
    fault: F,
}

impl<F: Clone + Send + 'static> Interposer<F> {
    /// One whose connections are served by this function, which speaks the protocol and asks
    /// [`Interposer::fault`] about each request. What it returns ends the connection.
    ///
    /// # Errors
    /// When it cannot listen.
    pub fn start(serve: impl Fn(&Self, TcpStream) + Clone + Send + 'static) -> Result<Self> {
        let listener = TcpListener::bind(("127.0.0.1", 0))?;
        let interposer = Self { port: listener.local_addr()?.port(), rules: Arc::default() };
        let serving = interposer.clone();
        thread::spawn(move || {
            for client in listener.incoming().flatten() {
                let (serving, serve) = (serving.clone(), serve.clone());
                thread::spawn(move || serve(&serving, client));
            }
        });
        Ok(interposer)
    }

    /// Where it listens.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// The next `count` requests of this operation meet the fault, after those of earlier calls.
    pub fn next(&self, count: usize, operation: &'static str, fault: impl Borrow<F>) {
        let fault = fault.borrow().clone();
        let mut rules = self.rules.lock().unwrap_or_else(PoisonError::into_inner);
        rules.push(Rule { operation, left: count, fault });
    }

    /// From now on everything is passed on; how many faults were still to come.
    pub fn relent(&self) -> usize {
        let mut rules = self.rules.lock().unwrap_or_else(PoisonError::into_inner);
        rules.drain(..).map(|rule| rule.left).sum()
    }

    /// What the request of an operation for which this is true meets.
    pub fn fault(&self, is: impl Fn(&str) -> bool) -> Option<F> {
        let mut rules = self.rules.lock().unwrap_or_else(PoisonError::into_inner);
        let rule = rules.iter_mut().find(|rule| rule.left > 0 && is(rule.operation))?;
        rule.left -= 1;
        Some(rule.fault.clone())
    }
}
