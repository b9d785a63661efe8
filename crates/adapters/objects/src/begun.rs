//! Uploads in parts that were begun and neither completed nor taken back: those of killed processes.
//!
//! They are looked for in the bucket, by key. An id that was remembered would have a window: a process
//! may be killed between the answer that brings it and the note of it, and a request to begin that is
//! tried again after a lost answer leaves an id that nobody has heard of.

use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use http::StatusCode;
use http_body_util::BodyExt;
use object_store::client::{HttpRequest, HttpService};
use object_store::multipart::MultipartStore;
use object_store::path::Path;
use object_store::{Error, Result};
use outrigger_ports::blobs::BlobError;
use serde::Deserialize;

use crate::connector::Connector;
use crate::error::{fault, found};

/// How often it is looked whether some are left: a page of the list has 1,000.
const ROUNDS_MAX: usize = 10;

/// Knows the address of a bucket and has the keys to it.
#[async_trait]
pub(crate) trait Lists: fmt::Debug + Send + Sync {
    /// The signed request for the uploads that were begun and whose keys begin with this.
    async fn request(&self, prefix: &Path) -> Result<HttpRequest>;
}

/// Finds uploads and takes them back.
#[derive(Clone)]
pub(crate) struct Begun {
    pub(crate) connector: Connector,
    pub(crate) lists: Arc<dyn Lists>,
    pub(crate) uploads: Arc<dyn MultipartStore>,
}

/// The answer, as both clouds give it.
#[derive(Debug, Deserialize)]
struct Listed {
    #[serde(rename = "Upload", default)]
    uploads: Vec<Upload>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Upload {
    key: String,
    upload_id: String,
}

impl fmt::Debug for Begun {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Begun").field("lists", &self.lists).finish_non_exhaustive()
    }
}

impl Begun {
    /// Takes back all uploads to this object; says whether there were any.
    pub(crate) async fn abort(&self, path: &Path) -> Result<bool, BlobError> {
        for round in 0..ROUNDS_MAX {
            let ids = match self.list(path).await {
                Ok(ids) => ids,
                // What was begun is left to the bucket's own rule, as doctor says: to try again for ever
                // would keep others from being looked after.
                Err(error @ (Error::PermissionDenied { .. } | Error::NotSupported { .. })) => {
                    tracing::warn!(%error, "uploads that were cut off cannot be found");
                    return Ok(false);
                }
                Err(error) => return Err(fault(error)),
            };
            if ids.is_empty() {
                return Ok(round > 0);
            }
            for id in ids {
                found(self.uploads.abort_multipart(path, &id).await)?;
            }
        }
        Err(BlobError::Unavailable("uploads that were taken back are still there".into()))
    }

    /// The ids of uploads to this object, if there are many: some. They come in the order of their
    /// keys, and of keys that begin with this one it is the first: one page is enough.
    pub(crate) async fn list(&self, path: &Path) -> Result<Vec<String>> {
        let request = self.lists.request(path).await?;
        let answer = self.connector.call(request).await.map_err(failed)?;
        let (status, body) = (answer.status(), answer.into_body());
        let body = body.collect().await.map_err(failed)?.to_bytes();
        let text = String::from_utf8_lossy(&body);
        if !status.is_success() {
            return Err(refused(path, status, &text));
        }
        let listed: Listed = quick_xml::de::from_str(&text).map_err(failed)?;
        let here = listed.uploads.into_iter().filter(|upload| upload.key == path.as_ref());
        Ok(here.map(|upload| upload.upload_id).collect())
    }
}

fn refused(path: &Path, status: StatusCode, text: &str) -> Error {
    let source = format!("the list of uploads was answered {status}: {}", said(text)).into();
    let path = path.to_string();
    match status {
        StatusCode::UNAUTHORIZED => Error::Unauthenticated { path, source },
        StatusCode::FORBIDDEN => Error::PermissionDenied { path, source },
        StatusCode::METHOD_NOT_ALLOWED | StatusCode::NOT_IMPLEMENTED => {
            Error::NotSupported { source }
        }
        _ => Error::Generic { store: "the bucket", source },
    }
}

/// What both clouds say of an error, without what else stands there: it may repeat keys.
fn said(text: &str) -> String {
    let part = |name: &str| {
        let (_, rest) = text.split_once(&format!("<{name}>"))?;
        let (part, _) = rest.split_once("</")?;
        Some(part.chars().take(200).collect::<String>())
    };
    [part("Code"), part("Message")].into_iter().flatten().collect::<Vec<_>>().join(": ")
}

/// What went wrong on the way.
pub(crate) fn failed(error: impl std::error::Error + Send + Sync + 'static) -> Error {
    Error::Generic { store: "the bucket", source: Box::new(error) }
}
