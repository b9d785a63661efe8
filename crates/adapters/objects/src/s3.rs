//! S3, and what speaks its protocol.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use http::Method;
use http::header::{CONTENT_LENGTH, IF_NONE_MATCH};
use object_store::Result;
use object_store::aws::{AmazonS3, AmazonS3Builder, AmazonS3ConfigKey, S3ConditionalPut};
use object_store::client::{HttpRequest, HttpRequestBody};
use object_store::path::Path;
use object_store::signer::{SignedUrlOptions, Signer};
use outrigger_kernel::Clock;

use crate::begun::{Begun, Lists, failed};
use crate::bucket::{Bucket, Rights, retries};
use crate::connector::Connector;
use crate::presign::Presigner;
use crate::target::Target;

/// A list is asked for within this of having been signed for.
const LISTED_WITHIN: Duration = Duration::from_secs(60);

/// Region and keys are those of the environment: variables, the role of a task, of a pod or of the
/// machine. Without keys in variables, a server on this machine is given some that are not secret.
pub(crate) fn open(
    target: &Target,
    connector: Connector,
    clock: Arc<dyn Clock>,
) -> std::result::Result<Bucket, String> {
    let mut builder = AmazonS3Builder::from_env()
        .with_bucket_name(&target.bucket)
        .with_retry(retries())
        .with_conditional_put(S3ConditionalPut::ETagMatch)
        .with_disable_bulk_delete(true)
        .with_http_connector(connector.clone());
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
        begun: Begun { connector, lists: s3.clone(), uploads: s3.clone() },
        signer: Some(Arc::new(Presigner { s3, region, clock })),
        only_new: |size| vec![(IF_NONE_MATCH, "*".to_owned()), (CONTENT_LENGTH, size.to_string())],
        product: "S3",
        rights: Rights {
            write: "s3:PutObject",
            read: "s3:GetObject",
            list: "s3:ListBucket",
            delete: "s3:DeleteObject",
            begin: "s3:PutObject",
            list_begun: "s3:ListBucketMultipartUploads",
            abort: "s3:AbortMultipartUpload",
        },
    })
}

#[async_trait]
impl Lists for AmazonS3 {
    async fn request(&self, prefix: &Path) -> Result<HttpRequest> {
        let query =
            SignedUrlOptions::new().with_query([("uploads", ""), ("prefix", prefix.as_ref())]);
        let url = self.signed_url_opts(Method::GET, &Path::ROOT, LISTED_WITHIN, &query).await?;
        http::Request::get(url.as_str()).body(HttpRequestBody::empty()).map_err(failed)
    }
}
