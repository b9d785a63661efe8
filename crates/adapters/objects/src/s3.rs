//! S3, and what speaks its protocol.

use std::sync::Arc;

use http::header::{CONTENT_LENGTH, IF_NONE_MATCH};
use object_store::aws::{AmazonS3Builder, AmazonS3ConfigKey};
use outrigger_kernel::Clock;

use crate::bucket::{Bucket, retries};
use crate::connector::Connector;
use crate::presign::Presigner;
use crate::target::Target;

/// Region and keys are those of the environment: variables, the role of a task, of a pod or of the
/// machine. Without keys in variables, a server on this machine is given some that are not secret.
pub(crate) fn open(
    target: &Target,
    connector: Connector,
    clock: Arc<dyn Clock>,
) -> Result<Bucket, String> {
    let mut builder = AmazonS3Builder::from_env()
        .with_bucket_name(&target.bucket)
        .with_retry(retries())
        .with_disable_bulk_delete(true)
        .with_http_connector(connector);
    if let Some(region) = &target.region {
        builder = builder.with_region(region);
    }
    if let Some(endpoint) = &target.endpoint {
        builder = builder.with_endpoint(&endpoint.url);
    }
    if target.is_local() && builder.get_config_value(&AmazonS3ConfigKey::AccessKeyId).is_none() {
        builder = builder.with_access_key_id("test").with_secret_access_key("test");
    }
    let region = builder.get_config_value(&AmazonS3ConfigKey::Region);
    let region = region.unwrap_or_else(|| "us-east-1".to_owned());
    let s3 = Arc::new(builder.build().map_err(|error| error.to_string())?);
    Ok(Bucket {
        objects: s3.clone(),
        signer: Some(Arc::new(Presigner { s3, region, clock })),
        only_new: |size| vec![(IF_NONE_MATCH, "*".to_owned()), (CONTENT_LENGTH, size.to_string())],
        product: "S3",
        rights: ["s3:PutObject", "s3:GetObject", "s3:ListBucket", "s3:DeleteObject"],
    })
}
