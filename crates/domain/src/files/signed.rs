//! Uploads that do not come through here: a client is given a request with which it writes to the
//! object storage itself, and says when it has.

use std::collections::BTreeMap;
use std::time::Duration;

use outrigger_kernel::{Ctx, Error, ErrorKind, Result, Timestamp, id};
use outrigger_ports::collection::{Collection, Stored};
use outrigger_ports::store::{Batch, Precondition};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::model::{File, FileView, Loose, key, view};
use super::name;
use super::service::{Files, given_up};
use super::sniff::HEAD_BYTES;
use crate::idempotency::{Answer, Keyed};
use crate::rule::Rule;

/// Largest file that S3 takes with one request, in bytes.
const SIGNED_BYTES_MAX: u64 = 5 * 1024 * 1024 * 1024;
/// The request must have begun within this.
const VALID_FOR: Duration = Duration::from_secs(15 * 60);
/// It must have ended, and been told of, within this.
const COMPLETE_WITHIN: Duration = Duration::from_secs(6 * 3_600);

/// A file that a client is going to upload by itself.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct NewUpload {
    /// What it is called.
    #[serde(default)]
    #[schemars(length(max = 1_000))]
    pub name: Option<String>,
    /// Its size in bytes, at most 5 GiB; another one is refused.
    pub size: u64,
    /// What it is said to be; its bytes decide.
    #[serde(default)]
    #[schemars(length(max = 255))]
    pub media_type: Option<String>,
    /// Who may read it besides administrators; its owner unless said.
    #[serde(default)]
    pub read: Option<Rule>,
}

/// A request that the client is to send.
#[derive(Clone, Debug, Serialize, JsonSchema)]
#[schemars(rename = "Upload")]
pub struct UploadView {
    /// The id that the file will have.
    pub id: String,
    /// The method of the request.
    pub method: String,
    /// Its URL; who knows it may upload.
    pub url: String,
    /// Headers that it must have.
    pub headers: BTreeMap<String, String>,
    /// When it must have begun, RFC 3339.
    #[schemars(with = "String", extend("format" = "date-time"))]
    pub expires_at: Timestamp,
}

impl Files {
    /// Gives the client a request with which it uploads a file to the object storage. With an
    /// idempotency key, that of one upload, as long as it can be sent.
    ///
    /// # Errors
    /// As [`Files::check_upload`], also for more than one request can carry; `conflict` when files are
    /// kept where clients cannot write, and when the request of an earlier call has run out.
    pub async fn sign(
        &self,
        ctx: &Ctx,
        new: NewUpload,
        idempotency_key: Option<&str>,
    ) -> Result<UploadView> {
        self.check_upload(ctx, Some(new.size), idempotency_key)?;
        if new.size > SIGNED_BYTES_MAX {
            let message = format!(
                "a request to the object storage carries at most {SIGNED_BYTES_MAX} bytes: send the \
                 file itself, with POST /api/v1/files"
            );
            return Err(Error::new(ErrorKind::TooLarge, "upload_too_large", message));
        }
        let asked = serde_json::to_vec(&new).map_err(Error::internal)?;
        let keyed = idempotency_key.map(|key| Keyed::new(ctx, "sign upload", key, &asked));
        let keyed = keyed.transpose()?;
        if let Some(first) = self.signed_before(keyed.as_ref(), new.size).await? {
            return Ok(first);
        }
        let (id, now) = (self.ids.new_id("fil"), self.clock.now());
        let (size, expires_at) = (new.size, now.plus(VALID_FOR));
        let until = now.plus(COMPLETE_WITHIN);
        let promised = File {
            name: name::clean(new.name.as_deref().unwrap_or_default()),
            media_type: new.media_type.unwrap_or_default(),
            size: new.size,
            sha256: None,
            read: new.read.unwrap_or(Rule::Owner),
            owner: ctx.user_id().map(ToOwned::to_owned),
            created_at: now,
            signed_until: Some(until),
        };
        let view = self.request(&id, size, expires_at).await?;
        let note = Loose { until, doomed: false, begun: false, promised: Some(promised) };
        let mut batch = Batch::of([Collection::put(&id, &note, Precondition::Absent)?]);
        if let Some(keyed) = &keyed {
            // Not the request itself: who knows it may upload.
            let body = serde_json::to_string(&expires_at).map_err(Error::internal)?;
            let answer = Answer { etag: None, location: Some(id), body };
            batch.writes.push(self.idempotency.keep(keyed, answer)?);
        }
        if self.commit(batch).await? {
            return Ok(view);
        }
        // The same request came twice at the same time.
        self.signed_before(keyed.as_ref(), size).await?.ok_or_else(given_up)
    }

    /// What an earlier such request was answered, signed anew.
    async fn signed_before(&self, keyed: Option<&Keyed>, size: u64) -> Result<Option<UploadView>> {
        let Some(keyed) = keyed else { return Ok(None) };
        let Some(answer) = self.idempotency.replay(keyed).await? else { return Ok(None) };
        let expires_at = serde_json::from_str(&answer.body).map_err(Error::internal)?;
        if self.clock.now() >= expires_at {
            let message = "the request of this upload can no longer be sent: use a new key";
            return Err(Error::conflict("upload_expired", message));
        }
        let id = answer.location.unwrap_or_default();
        self.request(&id, size, expires_at).await.map(Some)
    }

    async fn request(&self, id: &str, size: u64, expires_at: Timestamp) -> Result<UploadView> {
        let valid = expires_at.since(self.clock.now());
        let Some(signed) = self.blobs.sign_upload(&key(id), size, valid).await? else {
            let message = "nothing is uploaded past this server here: send the file itself, with POST /api/v1/files";
            return Err(Error::conflict("no_signed_uploads", message));
        };
        Ok(UploadView {
            id: id.to_owned(),
            method: signed.method.to_owned(),
            url: signed.url,
            headers: signed.headers.into_iter().collect(),
            expires_at,
        })
    }

    /// Makes a file of what the client has uploaded. Doing it again gives the same file.
    ///
    /// # Errors
    /// `not_found` (also for another's upload), `conflict` (`not_uploaded`: there is nothing yet),
    /// `invalid` (another size), `unsupported_media_type`. What is refused for its bytes is removed.
    pub async fn complete(&self, ctx: &Ctx, id: &str) -> Result<FileView> {
        let not_found = || Error::not_found("upload");
        if !id::is_valid_name(id) {
            return Err(not_found());
        }
        let is_own = |file: &File| ctx.is_admin() || file.owner.as_deref() == ctx.user_id();
        let Some(note) = self.loose.find(id).await? else {
            let made = self.stored.find(id).await?;
            let made = made.filter(|file| is_own(&file.value) && file.value.signed_until.is_some());
            return made.map(|file| view(id, file.value)).ok_or_else(not_found);
        };
        let promised = note.value.promised.clone().filter(is_own);
        let promised = promised.filter(|_| !note.value.doomed).ok_or_else(not_found)?;
        let Some(size) = self.blobs.size(&key(id)).await? else {
            let message = "nothing was uploaded yet: send the request of the upload first";
            return Err(Error::conflict("not_uploaded", message));
        };
        match self.checked(id, promised, size).await {
            Ok(file) => self.make(ctx, id, file, note.version).await,
            Err(error) => {
                if matches!(error.kind(), ErrorKind::Invalid | ErrorKind::UnsupportedMediaType) {
                    self.doom(note).await?;
                }
                Err(error)
            }
        }
    }

    async fn checked(&self, id: &str, promised: File, size: u64) -> Result<File> {
        if size != promised.size {
            let message = format!("{size} bytes were uploaded, {} were announced", promised.size);
            return Err(Error::invalid(&["body", "size"], "size_differs", message));
        }
        let head = self.blobs.open_range(&key(id), 0..HEAD_BYTES as u64).await?;
        let mut head = head.ok_or_else(|| Error::not_found("upload"))?;
        let mut bytes = Vec::new();
        while let Some(piece) = head.next().await? {
            bytes.extend_from_slice(&piece);
        }
        let media_type = self.type_of(&bytes, Some(&promised.media_type))?;
        Ok(File { media_type, created_at: self.clock.now(), ..promised })
    }

    async fn make(&self, ctx: &Ctx, id: &str, file: File, version: u64) -> Result<FileView> {
        let batch = Batch::of(self.creation(ctx, id, &file, version)?);
        if self.commit(batch).await? {
            return Ok(view(id, file));
        }
        // It was completed by another request, given up, or its user is no more.
        match self.stored.find(id).await? {
            Some(made) => Ok(view(id, made.value)),
            None => Err(self.refusal(file.owner.as_deref()).await),
        }
    }

    async fn doom(&self, note: Stored<Loose>) -> Result<()> {
        let doomed = Loose { doomed: true, ..note.value };
        let write = Collection::put(&note.id, &doomed, Precondition::Version(note.version))?;
        if self.commit(Batch::of([write])).await? {
            // Its request may come once more: the note stays until it cannot.
            self.discard(&note.id, false).await;
        }
        Ok(())
    }
}
