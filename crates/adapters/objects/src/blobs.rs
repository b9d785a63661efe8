//! The port, on a bucket.

use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use http::{HeaderValue, Method};
use object_store::path::Path;
use object_store::signer::SignedUrlOptions;
use object_store::{Error, GetOptions, GetRange, ObjectStore, ObjectStoreExt};
use outrigger_kernel::{Clock, Random};
use outrigger_ports::blobs::{BlobError, BlobReader, BlobWriter, Blobs, SignedUpload, check_key};
use outrigger_ports::probe::Probed;
use tokio::sync::OnceCell;

use crate::bucket::Bucket;
use crate::error::{fault, found};
use crate::probe;
use crate::reader::Reader;
use crate::target::Target;
use crate::writer::Writer;

/// Keeps blobs as the objects of a bucket below a prefix. For one thread, whose runtime carries its
/// connections.
#[derive(Clone, Debug)]
pub struct ObjectBlobs {
    bucket: Bucket,
    target: Target,
    random: Arc<dyn Random>,
    /// Whether the server writes over what is there; asked once.
    overwrites: Arc<OnceCell<bool>>,
}

impl ObjectBlobs {
    /// In the bucket of this URL: `s3://BUCKET/PREFIX` or `gs://BUCKET/PREFIX`, with `?endpoint=URL` for
    /// another server than that of the cloud, and, of S3, `&region=NAME`. No connection is made.
    ///
    /// # Errors
    /// Says what is wrong with the URL or the environment.
    pub fn open(url: &str, clock: Arc<dyn Clock>, random: Arc<dyn Random>) -> Result<Self, String> {
        let target = Target::parse(url)?;
        let bucket = Bucket::open(&target, None, clock)?;
        Ok(Self { bucket, target, random, overwrites: Arc::default() })
    }

    /// The same as the service account of Google Cloud that this file has the key of, whatever the
    /// environment says.
    ///
    /// # Errors
    /// As [`ObjectBlobs::open`]; when it is no such file, or the bucket is not Google's.
    pub fn open_as(
        key_file: &std::path::Path,
        url: &str,
        clock: Arc<dyn Clock>,
        random: Arc<dyn Random>,
    ) -> Result<Self, String> {
        let target = Target::parse(url)?;
        let bucket = Bucket::open(&target, Some(key_file), clock)?;
        Ok(Self { bucket, target, random, overwrites: Arc::default() })
    }

    fn path(&self, key: &str) -> Result<Path, BlobError> {
        check_key(key)?;
        within(&self.target.prefix, key)
    }

    /// Whether an upload that was signed could be done again, with other bytes. Those of the clouds cannot.
    async fn may_overwrite(&self) -> Result<bool, BlobError> {
        if self.target.endpoint.is_none() {
            return Ok(false);
        }
        let ask = || probe::may_overwrite(&self.bucket, &self.target, self.random.as_ref());
        self.overwrites.get_or_try_init(ask).await.copied()
    }

    fn objects(&self) -> &Arc<dyn ObjectStore> {
        &self.bucket.objects
    }
}

/// The object of a key; no key begins with a dot, but what the probe writes does.
pub(crate) fn within(prefix: &str, key: &str) -> Result<Path, BlobError> {
    let whole = if prefix.is_empty() { key.to_owned() } else { format!("{prefix}/{key}") };
    Path::parse(whole).map_err(|error| BlobError::Key(error.to_string()))
}

#[async_trait]
impl Blobs for ObjectBlobs {
    async fn create(&self, key: &str) -> Result<Box<dyn BlobWriter>, BlobError> {
        Ok(Box::new(Writer::new(self.objects().clone(), self.path(key)?)))
    }

    async fn open_range(
        &self,
        key: &str,
        range: Range<u64>,
    ) -> Result<Option<Box<dyn BlobReader>>, BlobError> {
        let path = self.path(key)?;
        let nothing = || Box::new(Reader::of(None)) as Box<dyn BlobReader>;
        if range.is_empty() {
            return Ok(self.size(key).await?.map(|_| nothing()));
        }
        let wanted = match (range.start, range.end) {
            (0, u64::MAX) => None,
            (start, u64::MAX) => Some(GetRange::Offset(start)),
            (start, end) => Some(GetRange::Bounded(start..end)),
        };
        let options = GetOptions { range: wanted, ..GetOptions::default() };
        match self.objects().get_opts(&path, options).await {
            Ok(object) => Ok(Some(Box::new(Reader::of(Some(object.into_stream()))))),
            Err(Error::NotFound { .. }) => Ok(None),
            // A server refuses what begins beyond the end.
            Err(error) => match self.size(key).await? {
                Some(size) if range.start >= size => Ok(Some(nothing())),
                _ => Err(fault(error)),
            },
        }
    }

    async fn size(&self, key: &str) -> Result<Option<u64>, BlobError> {
        let object = found(self.objects().head(&self.path(key)?).await)?;
        Ok(object.map(|object| object.size))
    }

    async fn delete(&self, key: &str) -> Result<bool, BlobError> {
        // Not every server says whether there was something.
        if self.size(key).await?.is_none() {
            return Ok(false);
        }
        Ok(found(self.objects().delete(&self.path(key)?).await)?.is_some())
    }

    async fn clear(&self, key: &str) -> Result<bool, BlobError> {
        // First nobody can complete an upload any more. The blob goes even if that fails.
        let aborted = self.bucket.begun.abort(&self.path(key)?).await;
        let was_there = self.delete(key).await?;
        Ok(aborted? || was_there)
    }

    async fn sign_upload(
        &self,
        key: &str,
        size: u64,
        valid: Duration,
    ) -> Result<Option<SignedUpload>, BlobError> {
        let path = self.path(key)?;
        let Some(signer) = &self.bucket.signer else { return Ok(None) };
        if self.may_overwrite().await? {
            return Ok(None);
        }
        let headers = (self.bucket.only_new)(size);
        let mut options = SignedUrlOptions::new();
        for (name, value) in &headers {
            let value = HeaderValue::try_from(value);
            let value = value.map_err(|error| BlobError::Unavailable(error.into()))?;
            options = options.with_signed_header(name.clone(), value);
        }
        let signed = signer.signed_url_opts(Method::PUT, &path, valid, &options).await;
        let headers = headers.into_iter().map(|(name, value)| (name.as_str().to_owned(), value));
        let (url, headers) = (signed.map_err(fault)?.into(), headers.collect());
        Ok(Some(SignedUpload { method: "PUT", url, headers }))
    }

    async fn probe(&self) -> Result<Probed, BlobError> {
        probe::probe(&self.bucket, &self.target, self.random.as_ref()).await
    }
}
