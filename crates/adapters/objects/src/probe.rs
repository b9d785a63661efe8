//! Writes, reads and deletes an object, and says which right lacks.

use std::time::Instant;

use object_store::{Error, ObjectStoreExt, PutPayload};
use outrigger_kernel::{Random, id};
use outrigger_ports::blobs::BlobError;
use outrigger_ports::probe::{Finding, Probed, Severity};

use crate::blobs::within;
use crate::bucket::Bucket;
use crate::error::{fault, is_refusal};
use crate::target::Target;

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
    let mut mark = [0_u8; 12];
    random.fill(&mut mark);
    let path = within(&target.prefix, &format!(".probe/{}", id::hex(&mark)))?;
    let objects = &bucket.objects;
    let [write, read, list, delete] = bucket.rights;
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
    if is_written && !granted(objects.delete(&path).await)? {
        lacking.push((delete, "so files stay for ever, and the object of this probe does"));
    }
    let mut facts = vec![("bucket", target.bucket.clone())];
    facts.extend(Some(&target.prefix).filter(|it| !it.is_empty()).map(|it| ("prefix", it.clone())));
    facts.extend(target.endpoint.iter().map(|endpoint| ("endpoint", endpoint.url.clone())));
    let findings = lacking.into_iter().map(|(right, consequence)| Finding {
        severity: Severity::Error,
        message: format!("the right {right} lacks on {}, {consequence}: grant it", target.bucket),
    });
    Ok(Probed {
        latency: start.elapsed(),
        version: bucket.product.to_owned(),
        facts,
        findings: findings.collect(),
    })
}

/// Whether it was allowed.
fn granted<T>(result: Result<T, Error>) -> Result<bool, BlobError> {
    match result {
        Ok(_) => Ok(true),
        Err(error) if is_refusal(&error) => Ok(false),
        Err(error) => Err(fault(error)),
    }
}
