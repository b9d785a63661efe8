//! One temporary folder for all that a run of tests keeps on disk, and the proof that nothing is
//! left of it: no process that was started below it, no file in it.
//!
//! The folder is the kit's, so it is removed in whatever way this program ends, also by Ctrl-C.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Result, bail};
use outrigger_testkit::{TempDir, eventually, find_program};

/// How long those who clean up behind the tests may take: servers get twenty seconds to end.
const END_WITHIN: Duration = Duration::from_secs(120);

/// The folder that children get as `TMPDIR`.
#[derive(Debug)]
pub(crate) struct Scratch(TempDir);

impl Scratch {
    /// Makes it. The name is short because paths of sockets below it are bounded.
    pub(crate) fn new() -> Result<Self> {
        Ok(Self(TempDir::new("t")?))
    }

    /// Where it is.
    pub(crate) fn path(&self) -> &Path {
        self.0.path()
    }

    /// A command that keeps everything temporary in the folder, and that gets `signal` when this
    /// program ends first, in whatever way.
    pub(crate) fn command(&self, program: impl AsRef<OsStr>, signal: &str) -> Command {
        let mut command = match setpriv() {
            Some(setpriv) => {
                let mut command = Command::new(setpriv);
                command.args(["--pdeathsig", signal, "--"]).arg(program);
                command
            }
            None => Command::new(program),
        };
        command.env("TMPDIR", self.path());
        command
    }

    /// Waits until the last process of the run has ended and nothing is left in the folder.
    ///
    /// # Errors
    /// Names what is left.
    pub(crate) fn must_be_left_clean(&self) -> Result<()> {
        eventually("the end of everything that the tests started", END_WITHIN, || {
            let running = self.running();
            if !running.is_empty() {
                bail!("still running: {}", running.join(", "));
            }
            let files = self.files();
            if !files.is_empty() {
                bail!("still there: {}", files.join(", "));
            }
            Ok(())
        })
    }

    /// Processes that have the folder as their `TMPDIR`, in their arguments, or that work in it.
    fn running(&self) -> Vec<String> {
        let mark = self.path().to_string_lossy().into_owned();
        let processes = std::fs::read_dir("/proc").into_iter().flatten().flatten();
        let mut running = Vec::new();
        for process in processes {
            let folder = process.path();
            let read = |name: &str| {
                let bytes = std::fs::read(folder.join(name)).unwrap_or_default();
                String::from_utf8_lossy(&bytes).replace('\0', " ")
            };
            let works_in =
                std::fs::read_link(folder.join("cwd")).unwrap_or_else(|_| PathBuf::new());
            let arguments = read("cmdline");
            let ours = arguments.contains(&mark)
                || works_in.starts_with(self.path())
                || read("environ").contains(&mark);
            if ours {
                let id = process.file_name().to_string_lossy().into_owned();
                running.push(format!("{id} ({})", arguments.trim()));
            }
        }
        running
    }

    fn files(&self) -> Vec<String> {
        let entries = std::fs::read_dir(self.path()).into_iter().flatten().flatten();
        entries.map(|entry| entry.path().to_string_lossy().into_owned()).collect()
    }
}

/// What ties a child to its parent's life. A part of every Debian; without it a child may outlive
/// a killed xtask for a while.
pub(crate) fn setpriv() -> Option<PathBuf> {
    find_program(&["setpriv"], &["/usr/bin"])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_process_and_a_file_of_the_run_are_seen() {
        let scratch = Scratch::new().unwrap();
        assert!(scratch.running().is_empty());
        let mut child = scratch.command("sleep", "KILL").arg("60").spawn().unwrap();
        let seen = eventually("the child in /proc", Duration::from_secs(60), || {
            let running = scratch.running();
            if running.is_empty() {
                bail!("nothing");
            }
            Ok(running)
        });
        child.kill().unwrap();
        child.wait().unwrap();
        assert!(seen.unwrap()[0].contains("sleep 60"));
        assert!(scratch.running().is_empty());
        std::fs::write(scratch.path().join("left"), "").unwrap();
        assert_eq!(scratch.files().len(), 1);
    }
}
