//! A real browser, Chromium without a window, told what to do over its own protocol (CDP).

mod axe;
mod page;
mod pipe;

pub use axe::Axe;
pub use page::Page;

use std::path::PathBuf;
use std::process::Command;
use std::sync::Mutex;

use anyhow::{Context, Result};
use serde_json::json;

use crate::program::{Program, missing};
use crate::{TempDir, find_program, spawner};
use pipe::Pipe;

/// What the shell does for a protocol that speaks on two further files: no port is open meanwhile.
const START: &str = r#"exec "$@" 3<&0 4>&1 1>&2 2>"$LOG""#;

/// A browser with a profile of its own, gone with its value.
#[derive(Debug)]
pub struct Browser {
    pipe: Mutex<Pipe>,
    // After the pipe, whose end is the browser's: fields are dropped in this order.
    _profile: TempDir,
}

impl Browser {
    /// Where it is.
    ///
    /// # Errors
    /// Says how to install one.
    pub fn program() -> Result<PathBuf> {
        let names = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"];
        find_program(&names, &[]).with_context(|| missing(&[Program::CHROMIUM]))
    }

    /// Starts one.
    ///
    /// # Errors
    /// When it is not installed (names the package) or does not start.
    pub fn start() -> Result<Self> {
        let profile = TempDir::new("browser")?;
        let mut command = Command::new("sh");
        command.args(["-c", START, "sh"]).arg(Self::program()?);
        command.args([
            "--headless=new",
            "--no-sandbox",
            "--disable-gpu",
            "--disable-dev-shm-usage",
            // A name that is not localhost, for what browsers do only there or only elsewhere.
            "--host-resolver-rules=MAP console.test 127.0.0.1",
        ]);
        command.args(["--hide-scrollbars", "--no-first-run", "--remote-debugging-pipe"]);
        command.arg(format!("--user-data-dir={}", profile.path().display())).arg("about:blank");
        command.env("LOG", profile.join("log"));
        let child = spawner::spawn(spawner::piped(&command)?).context("cannot start chromium")?;
        let mut pipe = Pipe::of(child)?;
        pipe.call("Browser.getVersion", None, &json!({}))
            .with_context(|| std::fs::read_to_string(profile.join("log")).unwrap_or_default())?;
        Ok(Self { pipe: Mutex::new(pipe), _profile: profile })
    }

    /// A page of its own: no other has its cookies.
    ///
    /// # Errors
    /// When the browser has ended.
    pub fn page(&self) -> Result<Page<'_>> {
        Page::open(&self.pipe)
    }
}
