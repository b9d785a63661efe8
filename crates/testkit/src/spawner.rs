//! Starts children so that they die with this process.
//!
//! Linux can signal a child when the *thread* that started it ends. Tests run on threads that come
//! and go, so one thread that never ends starts all of them.

use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Mutex, OnceLock, PoisonError};

use anyhow::{Context, Result};

use crate::program::find_program;

type Order = (Command, Sender<std::io::Result<Child>>);

/// Starts the command from the thread that never ends.
pub(crate) fn spawn(command: Command) -> Result<Child> {
    static ORDERS: OnceLock<Mutex<Sender<Order>>> = OnceLock::new();
    let orders = ORDERS.get_or_init(|| {
        let (sender, receiver) = channel();
        std::thread::spawn(move || serve(&receiver));
        Mutex::new(sender)
    });
    let (answer, child) = channel();
    let sender = orders.lock().unwrap_or_else(PoisonError::into_inner).clone();
    sender.send((command, answer)).ok().context("the thread that starts servers has ended")?;
    Ok(child.recv().context("the thread that starts servers has ended")??)
}

fn serve(orders: &Receiver<Order>) {
    // The sender is in a static, so this never ends before the process does.
    while let Ok((mut command, answer)) = orders.recv() {
        let _ = answer.send(command.spawn());
    }
}

/// The same command, as [`wrap`] makes it, with its input and output in this process's hands.
pub(crate) fn piped(command: &Command) -> Result<Command> {
    let mut wrapped = wrap(command, "KILL", None)?;
    wrapped.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
    Ok(wrapped)
}

/// The same command, run by setpriv so that it gets `death_signal` when this process dies, and,
/// if named, as another user. Arguments, working folder and changes of the environment are kept.
pub(crate) fn wrap(command: &Command, death_signal: &str, user: Option<&str>) -> Result<Command> {
    let mut wrapped = match (find_program(&["setpriv"], &["/usr/bin"]), user) {
        (Some(setpriv), user) => {
            let mut wrapped = Command::new(setpriv);
            wrapped.args(["--pdeathsig", death_signal]);
            if let Some(user) = user {
                wrapped.arg(format!("--reuid={user}")).arg(format!("--regid={user}"));
                wrapped.args(["--clear-groups", "--inh-caps=-all"]);
            }
            wrapped.arg("--").arg(command.get_program());
            wrapped
        }
        // Without setpriv (it is part of every Debian) the janitor alone ends the server.
        (None, None) => Command::new(command.get_program()),
        (None, Some(user)) => anyhow::bail!(
            "cannot become the user {user}: setpriv not found; install with: apt-get install util-linux"
        ),
    };
    wrapped.args(command.get_args());
    for (name, value) in command.get_envs() {
        match value {
            Some(value) => wrapped.env(name, value),
            None => wrapped.env_remove(name),
        };
    }
    if let Some(dir) = command.get_current_dir() {
        wrapped.current_dir(dir);
    }
    wrapped.stdin(Stdio::null());
    std::os::unix::process::CommandExt::process_group(&mut wrapped, 0);
    Ok(wrapped)
}
