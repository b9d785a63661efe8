//! A real mail server, aiosmtpd, that keeps what it takes and refuses as it is told.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result, bail};

use crate::program::{Program, require};
use crate::{Process, TempDir, Tls, free_port, net, wait};

const START_TIMEOUT: Duration = Duration::from_secs(180);
const SCRIPT: &str = include_str!("server.py");

/// How connections to it are secured.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum SmtpTls {
    /// Not at all.
    #[default]
    None,
    /// With STARTTLS, before anything else.
    StartTls,
    /// From the first byte.
    Smtps,
}

/// What it is like.
#[derive(Clone, Debug, Default)]
pub struct SmtpServerOptions {
    /// How connections are secured.
    pub tls: SmtpTls,
    /// Who must sign in: user and password.
    pub user: Option<(String, String)>,
}

/// A message that it took.
#[derive(Clone, Debug)]
pub struct TakenMail(String);

impl TakenMail {
    /// The value of the first header of this name, on one line; or nothing. `X-Envelope-To` has the
    /// recipients, `X-Encrypted` is `True` behind TLS, `X-User` is who signed in.
    pub fn header(&self, name: &str) -> String {
        let head = self.0.split("\r\n\r\n").next().unwrap_or_default().replace("\r\n ", " ");
        let mut lines = head.lines().filter_map(|line| line.split_once(": "));
        let found = lines.find(|(known, _)| known.eq_ignore_ascii_case(name));
        found.map(|(_, value)| value.to_owned()).unwrap_or_default()
    }

    /// All of it.
    pub fn text(&self) -> &str {
        &self.0
    }
}

/// A mail server on 127.0.0.1 for `localhost`, gone with its value.
#[derive(Debug)]
pub struct SmtpServer {
    process: Option<Process>,
    port: u16,
    options: SmtpServerOptions,
    tls: Tls,
    dir: TempDir,
}

impl SmtpServer {
    /// Starts one.
    ///
    /// # Errors
    /// When it is not installed (names the package) or does not start (holds its log).
    pub fn start(options: SmtpServerOptions) -> Result<Self> {
        require(&[Program::SYSTEM_PYTHON, Program::AIOSMTPD])?;
        let (dir, tls, port) = (TempDir::new("smtp")?, Tls::generate()?, free_port()?);
        std::fs::write(dir.join("server.py"), SCRIPT)?;
        std::fs::create_dir(dir.join("mail"))?;
        let mut server = Self { process: None, port, options, tls, dir };
        server.start_again()?;
        Ok(server)
    }

    /// Starts it again after [`SmtpServer::stop`], on the same port; it still has its messages.
    ///
    /// # Errors
    /// When it does not start.
    pub fn start_again(&mut self) -> Result<()> {
        let mut command = Command::new(Program::SYSTEM_PYTHON.path()?);
        command.arg(self.dir.join("server.py"));
        command.args(["--port", &self.port.to_string(), "--folder"]).arg(self.folder());
        command.args(["--tls", self.options.tls.as_str()]);
        command.arg("--cert").arg(self.tls.cert_path()).arg("--key").arg(self.tls.key_path());
        if let Some((user, password)) = &self.options.user {
            command.args(["--user", user, "--password", password]);
        }
        let process = Process::spawn("aiosmtpd", &command, &self.dir.join("log"))?;
        wait::eventually("a mail server that answers", START_TIMEOUT, || {
            if let Err(ended) = process.check_running() {
                return Ok(Err(ended));
            }
            if net::accepts(self.port) { Ok(Ok(())) } else { bail!("no connection") }
        })
        .and_then(|answer| answer)
        .with_context(|| format!("aiosmtpd on port {}\n{}", self.port, process.log_end()))?;
        self.process = Some(process);
        Ok(())
    }

    /// Ends it at once; new connections are refused.
    pub fn stop(&mut self) {
        self.process = None;
    }

    /// Its port.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// The authority that has signed its certificate, which is for `localhost` and `127.0.0.1`.
    pub fn ca_path(&self) -> PathBuf {
        self.tls.ca_path()
    }

    /// From now on each recipient is answered with this, such as `451 try later`; with nothing, it
    /// is taken.
    ///
    /// # Errors
    /// When that cannot be written down.
    pub fn refuse(&self, answer: Option<&str>) -> Result<()> {
        let file = self.folder().join("refuse");
        match answer {
            Some(answer) => replace(&file, answer),
            None => Ok(std::fs::remove_file(file)?),
        }
    }

    /// Keeps the next message, but closes the connection instead of saying so.
    ///
    /// # Errors
    /// When that cannot be written down.
    pub fn lose_next_answer(&self) -> Result<()> {
        replace(&self.folder().join("silent"), "")
    }

    /// The messages that it took so far, the first first.
    ///
    /// # Errors
    /// When they cannot be read.
    pub fn taken(&self) -> Result<Vec<TakenMail>> {
        let entries = std::fs::read_dir(self.folder())?.filter_map(Result::ok);
        let mut files: Vec<PathBuf> = entries.map(|entry| entry.path()).collect();
        files.retain(|file| file.extension().is_some_and(|extension| extension == "eml"));
        files.sort_unstable();
        let read = |file: &PathBuf| Ok(TakenMail(std::fs::read_to_string(file)?));
        files.iter().map(read).collect()
    }

    fn folder(&self) -> PathBuf {
        self.dir.join("mail")
    }
}

impl SmtpTls {
    fn as_str(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::StartTls => "starttls",
            Self::Smtps => "smtps",
        }
    }
}

/// Written whole or not at all: the server may look at any instant.
fn replace(file: &Path, text: &str) -> Result<()> {
    let unfinished = file.with_extension("new");
    std::fs::write(&unfinished, text)?;
    Ok(std::fs::rename(&unfinished, file)?)
}
