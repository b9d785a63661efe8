//! Where files are kept: what `blobs.url` names.

use std::sync::Arc;

use anyhow::{Result, bail};
use outrigger_embedded::FolderBlobs;
use outrigger_kernel::{SystemClock, SystemRandom};
use outrigger_ports::blobs::Blobs;

use crate::config::Config;

/// What is known, whether or not this binary has it.
const FORMS: &str = "file://FOLDER, s3://BUCKET/PREFIX or gs://BUCKET/PREFIX";

/// For the calling thread, on whose runtime connections are made.
///
/// # Errors
/// Says what is wrong with the URL, or that this binary has not got what it needs.
pub(crate) fn open(config: &Config) -> Result<Arc<dyn Blobs>> {
    match config.blobs.url.split_once("://") {
        Some(("file", folder)) if !folder.is_empty() => {
            let (clock, random) = (Arc::new(SystemClock), Arc::new(SystemRandom));
            Ok(Arc::new(FolderBlobs::new(folder, clock, random)))
        }
        #[cfg(feature = "s3")]
        Some(("s3", _)) => bucket(&config.blobs.url),
        #[cfg(feature = "gcs")]
        Some(("gs", _)) => bucket(&config.blobs.url),
        #[cfg(not(feature = "s3"))]
        Some(("s3", _)) => bail!("{}", absent("S3", "s3")),
        #[cfg(not(feature = "gcs"))]
        Some(("gs", _)) => bail!("{}", absent("Google Cloud Storage", "gcs")),
        Some((scheme, _)) if scheme != "file" => {
            bail!("blobs.url: {scheme}:// is no place for files that is known; use {FORMS}")
        }
        _ => bail!("blobs.url: expected {FORMS}"),
    }
}

#[cfg(any(feature = "s3", feature = "gcs"))]
fn bucket(url: &str) -> Result<Arc<dyn Blobs>> {
    let blobs =
        outrigger_objects::ObjectBlobs::open(url, Arc::new(SystemClock), Arc::new(SystemRandom));
    Ok(Arc::new(blobs.map_err(|what| anyhow::anyhow!("blobs.url: {what}"))?))
}

#[cfg(not(all(feature = "s3", feature = "gcs")))]
fn absent(what: &str, feature: &str) -> String {
    format!(
        "blobs.url: this binary is built without {what}: use the released image, or build it with `--features {feature}`"
    )
}
