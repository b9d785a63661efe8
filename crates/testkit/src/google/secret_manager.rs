//! Secret Manager: an emulator of it (drongo, from PyPI), which looks at no tokens, behind a server that gives
//! them out as Google does and passes on only what comes with one.

use std::path::PathBuf;
use std::process::Command;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use anyhow::{Result, ensure};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use super::passing::{Answer, pass, serve};
use super::{GoogleFault, ServiceAccount};
use crate::emulator::{self, Emulator};
use crate::{Interposer, Received, http_get};

const SCOPE: &str = "https://www.googleapis.com/auth/cloud-platform";
const GRANT: &str = "grant_type=urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Ajwt-bearer&assertion=";
const OF_MACHINE: &str = "/computeMetadata/v1/instance/service-accounts/default/token";

/// A Secret Manager on 127.0.0.1 for one service account, with the servers that give it tokens: for its key
/// at `/token`, and as the metadata server of a machine. The operation that can be made to fail is `access`.
#[derive(Debug)]
pub struct SecretManager {
    /// Makes requests fail.
    pub faults: Interposer<GoogleFault>,
    /// The key of the account: what `GOOGLE_APPLICATION_CREDENTIALS` is set to.
    pub key_file: PathBuf,
    emulator: Emulator,
}

#[derive(Debug)]
struct Door {
    behind: u16,
    account: ServiceAccount,
    given: Mutex<Vec<String>>,
}

impl SecretManager {
    /// Its program, and the name of the folder that `cargo xtask test` installs it in.
    pub const PROGRAM: &str = "drongo";
    /// What `pip install --requirement` is given: the emulator and all that it needs, pinned.
    pub const REQUIREMENTS: &str = include_str!("requirements.txt");

    /// Where it is, once `cargo xtask test` has installed it.
    ///
    /// # Errors
    /// Says how to install it.
    pub fn program() -> Result<PathBuf> {
        emulator::from_pip(Self::PROGRAM, "google")
    }

    /// Starts one.
    ///
    /// # Errors
    /// When it is not installed (says how to) or does not start (holds its log).
    pub fn start() -> Result<Self> {
        let emulator = Emulator::new("drongo")?;
        let mut command = Command::new(Self::program()?);
        command.args(["server", "--host", "127.0.0.1", "--port"]);
        command.arg(emulator.port.to_string());
        emulator.start(&command, || {
            let (status, _) = http_get(([127, 0, 0, 1], emulator.port).into(), "/drongo/health")?;
            ensure!(status == 200, "it answers {status}");
            Ok(())
        })?;
        let (behind, account) = (emulator.port, ServiceAccount::new()?);
        let door = Arc::new(Door { behind, account, given: Mutex::default() });
        let serving = door.clone();
        let faults = Interposer::start(move |faults: &Interposer<GoogleFault>, stream| {
            serve(&stream, |request| serving.answer(faults, &request));
        })?;
        let token_uri = format!("http://127.0.0.1:{}/token", faults.port());
        Ok(Self { faults, key_file: door.account.write_key(&token_uri)?, emulator })
    }

    /// The one of this process, started on first use. Tests have secrets of their own in it.
    ///
    /// # Errors
    /// As [`SecretManager::start`].
    pub fn shared() -> Result<&'static Self> {
        static SHARED: OnceLock<Result<SecretManager, String>> = OnceLock::new();
        emulator::shared(&SHARED, Self::start)
    }

    /// Its address.
    pub fn url(&self) -> String {
        format!("http://{}", self.metadata_host())
    }

    /// What `GCE_METADATA_HOST` is set to.
    pub fn metadata_host(&self) -> String {
        format!("127.0.0.1:{}", self.faults.port())
    }

    /// Gives a secret its next version, the first if it is not there.
    ///
    /// # Errors
    /// When the emulator refuses it.
    pub fn add_version(&self, project: &str, name: &str, value: &[u8]) -> Result<()> {
        // That it is there already is no fault.
        let secrets = format!("/v1/projects/{project}/secrets");
        let made = self.post(&format!("{secrets}?secretId={name}"), &json!({"replication": {}}))?;
        ensure!(matches!(made, 200 | 409), "the secret {name} was not made: {made}");
        let payload = json!({"payload": {"data": STANDARD.encode(value)}});
        let added = self.post(&format!("{secrets}/{name}:addVersion"), &payload)?;
        ensure!(added == 200, "the secret {name} has no new version: {added}");
        Ok(())
    }

    fn post(&self, path: &str, body: &Value) -> Result<u16> {
        let request = Received {
            method: "POST".to_owned(),
            path: path.to_owned(),
            headers: vec![("content-type".to_owned(), "application/json".to_owned())],
            body: body.to_string().into_bytes(),
        };
        Ok(pass(self.emulator.port, &request)?.status)
    }
}

impl Door {
    fn answer(&self, faults: &Interposer<GoogleFault>, request: &Received) -> Result<Answer> {
        let (method, path) = (&*request.method, &*request.path);
        if path == "/token" {
            return Ok(if self.is_claim(request) { self.token() } else { no_grant() });
        }
        if path == OF_MACHINE {
            let is_meant = method == "GET" && request.header("metadata-flavor") == "Google";
            return Ok(if is_meant { self.token() } else { refusal(403, "PERMISSION_DENIED") });
        }
        let token = request.header("authorization").strip_prefix("Bearer ").unwrap_or_default();
        if !self.given.lock().unwrap_or_else(PoisonError::into_inner).iter().any(|it| it == token) {
            return Ok(refusal(401, "UNAUTHENTICATED"));
        }
        match faults.fault(|operation| path.ends_with(&format!(":{operation}"))) {
            Some(GoogleFault(status, name)) => Ok(refusal(status, name)),
            None => pass(self.behind, request),
        }
    }

    /// Whether it is a claim (RFC 7523) of the account for a token from here.
    fn is_claim(&self, request: &Received) -> bool {
        let form = request.header("content-type") == "application/x-www-form-urlencoded";
        let body = std::str::from_utf8(&request.body).unwrap_or_default();
        let claims = body.strip_prefix(GRANT).and_then(|claim| self.account.claims(claim));
        let here = format!("http://{}/token", request.header("host"));
        form && claims.is_some_and(|claims| claims["aud"] == *here && claims["scope"] == SCOPE)
    }

    fn token(&self) -> Answer {
        let mut given = self.given.lock().unwrap_or_else(PoisonError::into_inner);
        let token = format!("ya29.{}", given.len());
        given.push(token.clone());
        let token = json!({"access_token": token, "expires_in": 3599, "token_type": "Bearer"});
        Answer::new(200, "application/json", token.to_string())
    }
}

fn refusal(status: u16, name: &str) -> Answer {
    let error = json!({"error": {"code": status, "message": name, "status": name}});
    Answer::new(status, "application/json", error.to_string())
}

/// As a token endpoint says it (RFC 6749, 5.2).
fn no_grant() -> Answer {
    let error = json!({"error": "invalid_grant", "error_description": "Invalid JWT Signature."});
    Answer::new(400, "application/json", error.to_string())
}
