//! Cloud Storage, as far as its XML protocol is that of S3: the emulator of AWS keeps the objects. Tokens,
//! signed requests, generations, lengths and errors are looked at here, by Google's documentation.

use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};

use anyhow::Result;

use super::passing::{Answer, pass, serve};
use super::{GoogleFault, ServiceAccount, signed};
use crate::{Aws, Interposer, Received, emulator};

/// With either of these a token may read and write.
const SCOPES: [&str; 2] = [
    "https://www.googleapis.com/auth/cloud-platform",
    "https://www.googleapis.com/auth/devstorage.read_write",
];
const NOBODY: GoogleFault = GoogleFault(401, "AuthenticationRequired");
const UNKNOWN: GoogleFault = GoogleFault(400, "InvalidArgument");

/// A server on 127.0.0.1 that speaks as Cloud Storage, to one service account; it runs until the process
/// ends. Operations that can be made to fail are the methods of HTTP.
#[derive(Clone, Debug)]
pub struct CloudStorage {
    /// Makes requests fail.
    pub faults: Interposer<GoogleFault>,
    /// What `GOOGLE_APPLICATION_CREDENTIALS` is set to.
    pub key_file: PathBuf,
    aws: &'static Aws,
}

impl CloudStorage {
    /// Starts one.
    ///
    /// # Errors
    /// When the emulator is not installed (says how to) or does not start.
    pub fn start() -> Result<Self> {
        let aws = Aws::shared()?;
        let account = Arc::new(ServiceAccount::new()?);
        let key_file = account.write_key("https://oauth2.googleapis.com/token")?;
        let faults = Interposer::start(move |faults: &Interposer<GoogleFault>, stream| {
            serve(&stream, |request| answer(faults, &account, aws.port(), request));
        })?;
        Ok(Self { faults, key_file, aws })
    }

    /// The one of this process, started on first use. Tests have buckets of their own in it.
    ///
    /// # Errors
    /// As [`CloudStorage::start`].
    pub fn shared() -> Result<&'static Self> {
        static SHARED: OnceLock<Result<CloudStorage, String>> = OnceLock::new();
        emulator::shared(&SHARED, Self::start)
    }

    /// The URL of a bucket that nobody else uses: `gs://BUCKET/files?endpoint=URL`.
    ///
    /// # Errors
    /// When the emulator refuses it.
    pub fn fresh_blob_url(&self) -> Result<String> {
        let bucket = self.aws.fresh_bucket()?;
        Ok(format!("gs://{bucket}/files?endpoint=http://127.0.0.1:{}", self.faults.port()))
    }
}

fn answer(
    faults: &Interposer<GoogleFault>,
    account: &ServiceAccount,
    behind: u16,
    request: Received,
) -> Result<Answer> {
    let fault = faults.fault(|method| method == request.method);
    match fault.map_or_else(|| check(account, &request), Err) {
        Err(fault) => Ok(refusal(fault)),
        Ok(()) => keep(behind, request),
    }
}

/// Whether Google would do it.
fn check(account: &ServiceAccount, request: &Received) -> Result<(), GoogleFault> {
    match request.header("authorization").strip_prefix("Bearer ") {
        Some(token) => {
            let claims = account.claims(token).ok_or(NOBODY)?;
            // A token that the account has signed itself (AIP-4111) has a scope, or an audience.
            let scope = claims["scope"].as_str().unwrap_or_default();
            if claims["sub"] != ServiceAccount::EMAIL || !SCOPES.contains(&scope) {
                return Err(NOBODY);
            }
        }
        None if signed::is_signed(request) => signed::check(account, request)?,
        None => return Err(NOBODY),
    }
    if request.headers.iter().any(|(name, _)| name.starts_with("x-amz-")) {
        return Err(UNKNOWN);
    }
    if !matches!(request.header("x-goog-if-generation-match"), "" | "0") {
        return Err(UNKNOWN);
    }
    let range = request.header("x-goog-content-length-range");
    if range.is_empty() {
        return Ok(());
    }
    let (least, most) = range.split_once(',').ok_or(UNKNOWN)?;
    let number = |text: &str| text.parse::<usize>().map_err(|_| UNKNOWN);
    if request.body.len() < number(least)? {
        return Err(GoogleFault(400, "EntityTooSmall"));
    }
    if request.body.len() > number(most)? {
        return Err(GoogleFault(400, "EntityTooLarge"));
    }
    Ok(())
}

/// Does it in the words of S3.
fn keep(behind: u16, mut request: Received) -> Result<Answer> {
    static GENERATION: AtomicU64 = AtomicU64::new(1_700_000_000_000_000);
    let is_upload = request.path.contains("uploadId=") || request.path.ends_with("?uploads=");
    if request.header("x-goog-if-generation-match") == "0" {
        request.headers.push(("if-none-match".to_owned(), "*".to_owned()));
    }
    request.headers.retain(|(name, _)| !name.starts_with("x-goog-") && name != "authorization");
    if signed::is_signed(&request) {
        request.path.truncate(request.path.find('?').unwrap_or_default());
    }
    // S3 does not say whether there was something.
    if request.method == "DELETE" && !is_upload {
        let head = Received { method: "HEAD".to_owned(), body: Vec::new(), ..request.clone() };
        if pass(behind, &head)?.status == 404 {
            return Ok(refusal(GoogleFault(404, "NoSuchKey")));
        }
    }
    let answer = pass(behind, &request)?;
    let generation = GENERATION.fetch_add(1, Ordering::Relaxed).to_string();
    Ok(match answer.status {
        200 if request.method == "PUT" => answer.with("x-goog-generation", &generation),
        _ => answer,
    })
}

fn refusal(GoogleFault(status, code): GoogleFault) -> Answer {
    let body = format!(
        "<?xml version='1.0' encoding='UTF-8'?><Error><Code>{code}</Code><Message>{code}</Message></Error>"
    );
    Answer::new(status, "application/xml; charset=UTF-8", body)
}
