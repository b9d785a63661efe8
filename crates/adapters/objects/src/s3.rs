//! S3, and what speaks its protocol.

use std::sync::Arc;

use http::header::IF_NONE_MATCH;
use object_store::aws::{AmazonS3Builder, AmazonS3ConfigKey};

use crate::bucket::{Bucket, retries};
use crate::connector::Connector;
use crate::target::Target;

/// Region and keys are those of the environment: variables, the role of a task, of a pod or of the
/// machine. Without keys in variables, a server on this machine is given some that are not secret.
pub(crate) fn open(target: &Target, connector: Connector) -> Result<Bucket, String> {
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
    let s3 = Arc::new(builder.build().map_err(|error| error.to_string())?);
    Ok(Bucket {
        objects: s3.clone(),
        signer: Some(s3),
        only_new: |_size| vec![(IF_NONE_MATCH, "*".to_owned())],
        product: "S3",
        rights: ["s3:PutObject", "s3:GetObject", "s3:ListBucket", "s3:DeleteObject"],
    })
}
