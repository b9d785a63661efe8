//! Writes, reads and deletes an object, and says which right lacks; and whether an upload that is signed for
//! a client can be done once only.

use std::time::Instant;

use object_store::path::Path;
use object_store::{Error, ObjectStore, ObjectStoreExt, PutMode, PutPayload};
use outrigger_kernel::{Random, id};
use outrigger_ports::blobs::BlobError;
use outrigger_ports::probe::{Finding, Probed, Severity};

use crate::blobs::within;
use crate::bucket::{Bucket, Rights};
use crate::error::{fault, is_refusal};
use crate::target::Target;

/// A right, and what its lack means.
type Lacking = (&'static str, &'static str);

const TEXT: &[u8] = b"outrigger doctor";

/// What the bucket lets us do.
///
/// # Errors
/// When it cannot be asked, or is not there.
pub(crate) async fn probe(
    bucket: &Bucket,
    target: &Target,
    random: &dyn Random,
) -> Result<Probed, BlobError> {
    let start = Instant::now();
    let path = unused(target, random)?;
    let objects = &bucket.objects;
    let Rights { write, read, list, delete, .. } = bucket.rights;
    let mut lacking = Vec::new();
    let before = objects.head(&path).await;
    let is_hidden = matches!(&before, Err(error) if is_refusal(error));
    if is_hidden {
        lacking.push((list, "so nobody can tell what is not there from what is forbidden"));
    } else if let Err(error) = before
        && !matches!(error, Error::NotFound { .. })
    {
        return Err(fault(error));
    }
    let is_written = granted(objects.put(&path, PutPayload::from_static(TEXT)).await)?;
    if !is_written {
        lacking.push((write, "so no file can be kept"));
    }
    // Without a right to list, an object that is not there looks like a forbidden one.
    if is_written && !granted(async { objects.get(&path).await?.bytes().await }.await)? {
        lacking.push((read, "so no file can be read"));
    }
    let overwrites =
        is_written && bucket.signer.is_some() && overwrites(objects.as_ref(), &path).await?;
    if is_written && !granted(objects.delete(&path).await)? {
        lacking.push((delete, "so files stay for ever, and the object of this probe does"));
    }
    lacking.extend(probe_parts(bucket, &path).await?);
    let mut facts = vec![("bucket", target.bucket.clone())];
    facts.extend(Some(&target.prefix).filter(|it| !it.is_empty()).map(|it| ("prefix", it.clone())));
    facts.extend(target.endpoint.iter().map(|endpoint| ("endpoint", endpoint.url.clone())));
    let rights = lacking.into_iter().map(|(right, consequence)| {
        format!("the right {right} lacks on {}, {consequence}: grant it", target.bucket)
    });
    let overwritten = overwrites.then(|| {
        let name = &target.bucket;
        format!(
            "the server of {name} writes over what is there although it is told not to (If-None-Match), so \
             clients are not offered to upload past this server: use one that heeds it"
        )
    });
    let findings = rights.chain(overwritten);
    let findings = findings.map(|message| Finding { severity: Severity::Error, message });
    Ok(Probed {
        latency: start.elapsed(),
        version: bucket.product.to_owned(),
        facts,
        findings: findings.collect(),
    })
}

/// Begins an upload in parts, asks for the list of such, and takes it back; the rights that lack, and what
/// follows.
async fn probe_parts(bucket: &Bucket, path: &Path) -> Result<Vec<Lacking>, BlobError> {
    let (begun, Rights { begin, list_begun, abort, .. }) = (&bucket.begun, bucket.rights);
    let Some(id) = allowed(begun.uploads.create_multipart(path).await)? else {
        return Ok(vec![(begin, "so no large file can be kept")]);
    };
    let listed = begun.list(path).await;
    let is_aborted = allowed(begun.uploads.abort_multipart(path, &id).await)?.is_some();
    let is_listed = allowed(listed)?.is_some();
    let stays = "so what uploads that were cut off have sent stays, and is paid for";
    let lacking = [(is_listed, list_begun), (is_aborted, abort)];
    Ok(lacking.into_iter().filter(|(is, _)| !is).map(|(_, right)| (right, stays)).collect())
}

/// Whether a server other than those of the clouds lets a signed request be sent again, with other bytes.
///
/// # Errors
/// When it cannot be asked.
pub(crate) async fn may_overwrite(
    bucket: &Bucket,
    target: &Target,
    random: &dyn Random,
) -> Result<bool, BlobError> {
    let (objects, path) = (&bucket.objects, unused(target, random)?);
    objects.put(&path, PutPayload::from_static(TEXT)).await.map_err(fault)?;
    let overwrites = overwrites(objects.as_ref(), &path).await;
    // What it leaves, if it may not delete, is told by doctor.
    granted(objects.delete(&path).await)?;
    overwrites
}

/// A place for an object of the probe.
fn unused(target: &Target, random: &dyn Random) -> Result<Path, BlobError> {
    let mut mark = [0_u8; 12];
    random.fill(&mut mark);
    within(&target.prefix, &format!(".probe/{}", id::hex(&mark)))
}

/// Whether what is there is written over by a request that says not to.
async fn overwrites(objects: &dyn ObjectStore, path: &Path) -> Result<bool, BlobError> {
    let again = objects.put_opts(path, PutPayload::from_static(TEXT), PutMode::Create.into());
    match again.await {
        Ok(_) => Ok(true),
        Err(Error::AlreadyExists { .. } | Error::Precondition { .. }) => Ok(false),
        Err(error) => Err(fault(error)),
    }
}

/// Whether it was allowed.
fn granted<T>(result: Result<T, Error>) -> Result<bool, BlobError> {
    Ok(allowed(result)?.is_some())
}

/// What came of it, if it was allowed.
fn allowed<T>(result: Result<T, Error>) -> Result<Option<T>, BlobError> {
    match result {
        Ok(value) => Ok(Some(value)),
        Err(error) if is_refusal(&error) => Ok(None),
        Err(error) => Err(fault(error)),
    }
}
