//! Taking a file, piece by piece.

use aws_lc_rs::digest::{self, SHA256};
use bytes::{Bytes, BytesMut};
use futures_util::{Stream, StreamExt};
use outrigger_kernel::{Ctx, Error, ErrorKind, Result, Timestamp, id};
use outrigger_ports::blobs::BlobWriter;
use outrigger_ports::collection::Collection;
use outrigger_ports::store::{Batch, Precondition};

use super::model::{File, FileView, Loose, key, view};
use super::service::{Files, given_up};
use super::sniff::{self, HEAD_BYTES};
use super::{media_type, name};
use crate::idempotency::{self, Answer, Keyed};
use crate::rule::{self, Rule};

/// What a client says of a file that it sends.
#[derive(Clone, Debug, Default)]
pub struct NewFile {
    /// What it is called.
    pub name: Option<String>,
    /// What it is said to be; its bytes decide.
    pub media_type: Option<String>,
    /// Who may read it besides administrators; its owner unless said.
    pub read: Option<Rule>,
}

/// The note that a blob belongs to nobody yet.
struct Pending<'a> {
    files: &'a Files,
    id: &'a str,
    version: u64,
    until: Timestamp,
}

/// What has come so far.
struct Taken {
    head: BytesMut,
    size: u64,
    hash: digest::Context,
}

impl Files {
    /// Refuses who may not upload, before anything is read of what they send.
    ///
    /// # Errors
    /// `unauthenticated`, `forbidden`; `too_large` when what is announced is; `invalid` for a key that is
    /// none.
    pub fn check_upload(
        &self,
        ctx: &Ctx,
        size: Option<u64>,
        idempotency_key: Option<&str>,
    ) -> Result<()> {
        rule::check(&self.settings.create, ctx, ctx.user_id(), "file")?;
        if size.is_some_and(|size| size > self.settings.size_bytes_max) {
            return Err(self.too_large());
        }
        idempotency_key.map_or(Ok(()), idempotency::check_key)
    }

    /// Takes a file. With an idempotency key, once.
    ///
    /// # Errors
    /// As [`Files::check_upload`]; `unsupported_media_type`; what the body says; `unavailable`. Nothing
    /// is left of what is refused.
    pub async fn upload<B>(
        &self,
        ctx: &Ctx,
        new: NewFile,
        idempotency_key: Option<&str>,
        body: B,
    ) -> Result<FileView>
    where
        B: Stream<Item = Result<Bytes>> + Send + Unpin,
    {
        self.check_upload(ctx, None, idempotency_key)?;
        let id = self.ids.new_id("fil");
        let mut pending = Pending::begin(self, &id).await?;
        let made = self.take(ctx, new, idempotency_key, body, &mut pending).await;
        let is_over = match &made {
            // It was there already.
            Ok(file) => file.id != id,
            // The file may be there all the same; if it is not, the sweep removes its blob.
            Err(error) => !matches!(
                error.kind(),
                ErrorKind::Unavailable | ErrorKind::OutcomeUnknown | ErrorKind::Internal
            ),
        };
        if is_over && self.blobs.clear(&key(&id)).await.is_ok() {
            self.forget(&id).await;
        }
        made
    }

    async fn take<B>(
        &self,
        ctx: &Ctx,
        new: NewFile,
        idempotency_key: Option<&str>,
        mut body: B,
        pending: &mut Pending<'_>,
    ) -> Result<FileView>
    where
        B: Stream<Item = Result<Bytes>> + Send + Unpin,
    {
        let mut writer = self.blobs.create(&key(pending.id)).await?;
        let mut taken =
            Taken { head: BytesMut::new(), size: 0, hash: digest::Context::new(&SHA256) };
        let mut known = None;
        while let Some(piece) = body.next().await {
            let piece = piece?;
            taken.add(&piece);
            if taken.size > self.settings.size_bytes_max {
                return Err(self.too_large());
            }
            if known.is_none() && taken.head.len() >= HEAD_BYTES {
                known = Some(self.type_of(&taken.head, new.media_type.as_deref())?);
            }
            writer.write(piece).await?;
            pending.keep().await?;
        }
        let media_type = match known {
            Some(known) => known,
            None => self.type_of(&taken.head, new.media_type.as_deref())?,
        };
        let file = File {
            name: name::clean(new.name.as_deref().unwrap_or_default()),
            media_type,
            size: taken.size,
            sha256: Some(id::hex(taken.hash.finish().as_ref())),
            read: new.read.unwrap_or(Rule::Owner),
            owner: ctx.user_id().map(ToOwned::to_owned),
            created_at: self.clock.now(),
            signed_until: None,
        };
        self.finish(ctx, file, idempotency_key, writer, pending).await
    }

    async fn finish(
        &self,
        ctx: &Ctx,
        file: File,
        idempotency_key: Option<&str>,
        writer: Box<dyn BlobWriter>,
        pending: &Pending<'_>,
    ) -> Result<FileView> {
        let asked = serde_json::to_vec(&(&file.name, &file.media_type, &file.sha256, &file.read));
        let asked = asked.map_err(Error::internal)?;
        let keyed = idempotency_key.map(|key| Keyed::new(ctx, "create file", key, &asked));
        let keyed = keyed.transpose()?;
        if let Some(first) = self.first_answer(keyed.as_ref()).await? {
            return Ok(first);
        }
        writer.finish().await?;
        let mut batch = Batch::of(self.creation(ctx, pending.id, &file, pending.version)?);
        let view = view(pending.id, file);
        if let Some(keyed) = &keyed {
            batch.writes.push(self.idempotency.keep(keyed, answer(&view)?)?);
        }
        if self.commit(batch).await? {
            return Ok(view);
        }
        // The same request came twice at the same time, it took too long, or its user is no more.
        match self.first_answer(keyed.as_ref()).await? {
            Some(first) => Ok(first),
            None => Err(self.refusal(view.owner.as_deref()).await),
        }
    }

    async fn first_answer(&self, keyed: Option<&Keyed>) -> Result<Option<FileView>> {
        let Some(keyed) = keyed else { return Ok(None) };
        let Some(answer) = self.idempotency.replay(keyed).await? else { return Ok(None) };
        serde_json::from_str(&answer.body).map(Some).map_err(Error::internal)
    }

    /// What the bytes are.
    ///
    /// # Errors
    /// `unsupported_media_type` when that is not taken.
    pub(super) fn type_of(&self, head: &[u8], declared: Option<&str>) -> Result<String> {
        let found = sniff::media_type(head, declared);
        media_type::check(&self.settings.types, &found)?;
        Ok(found)
    }

    pub(super) fn too_large(&self) -> Error {
        let most = self.settings.size_bytes_max;
        let message = format!("the file is larger than {most} bytes");
        Error::new(ErrorKind::TooLarge, "file_too_large", message)
    }
}

impl<'a> Pending<'a> {
    async fn begin(files: &'a Files, id: &'a str) -> Result<Self> {
        let mut pending = Self { files, id, version: 0, until: files.clock.now() };
        pending.put(Precondition::Absent).await?;
        Ok(pending)
    }

    /// Says from time to time that the upload goes on.
    async fn keep(&mut self) -> Result<()> {
        let left = self.until.since(self.files.clock.now());
        if left > self.files.settings.unfinished / 2 {
            return Ok(());
        }
        self.put(Precondition::Version(self.version)).await
    }

    async fn put(&mut self, precondition: Precondition) -> Result<()> {
        let until = self.files.clock.now().plus(self.files.settings.unfinished);
        let note = Loose { until, doomed: false, begun: true, promised: None };
        let write = Collection::put(self.id, &note, precondition)?;
        if !self.files.commit(Batch::of([write])).await? {
            return Err(given_up());
        }
        self.until = until;
        self.version += 1;
        Ok(())
    }
}

impl Taken {
    fn add(&mut self, piece: &Bytes) {
        let wanted = HEAD_BYTES.saturating_sub(self.head.len()).min(piece.len());
        self.head.extend_from_slice(&piece[..wanted]);
        self.size += piece.len() as u64;
        metrics::counter!("outrigger_files_bytes_total", "direction" => "in")
            .increment(piece.len() as u64);
        self.hash.update(piece);
    }
}

fn answer(view: &FileView) -> Result<Answer> {
    let body = serde_json::to_string(view).map_err(Error::internal)?;
    Ok(Answer { etag: None, location: Some(view.id.clone()), body })
}
