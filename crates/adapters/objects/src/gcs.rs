//! Google Cloud Storage, by its XML protocol.

use std::sync::Arc;

use async_trait::async_trait;
use http::HeaderName;
use http::header::AUTHORIZATION;
use object_store::client::{HttpRequest, HttpRequestBody};
use object_store::gcp::{
    GcpCredential, GoogleCloudStorage, GoogleCloudStorageBuilder, GoogleConfigKey,
};
use object_store::path::Path;
use object_store::{Result, StaticCredentialProvider};
use url::Url;

use crate::begun::{Begun, Lists, failed};
use crate::bucket::{Bucket, Rights, retries};
use crate::connector::Connector;
use crate::target::Target;

/// Says that there is no object yet: of it there was no generation.
const IF_GENERATION: HeaderName = HeaderName::from_static("x-goog-if-generation-match");
/// The least and the most bytes that it may have.
const IF_LENGTH: HeaderName = HeaderName::from_static("x-goog-content-length-range");

/// Where buckets are.
const SERVER: &str = "https://storage.googleapis.com";

/// Without a key of a service account, keys are those of the environment: the file of one, or the identity
/// of the machine or pod. A server on this machine is sent none of these, and nothing is signed for it.
pub(crate) fn open(
    target: &Target,
    connector: Connector,
    key: Option<&std::path::Path>,
) -> std::result::Result<Bucket, String> {
    let mut builder = GoogleCloudStorageBuilder::from_env()
        .with_bucket_name(&target.bucket)
        .with_retry(retries())
        .with_http_connector(connector.clone());
    if let Some(endpoint) = &target.endpoint {
        builder = builder.with_config(GoogleConfigKey::BaseUrl, &endpoint.url);
    }
    let is_nobody = key.is_none() && target.is_local();
    if let Some(key) = key {
        builder = builder.with_application_credentials(key.to_string_lossy());
    } else if is_nobody {
        let none = GcpCredential { bearer: String::new() };
        builder = builder.with_credentials(Arc::new(StaticCredentialProvider::new(none)));
    }
    let server = builder.get_config_value(&GoogleConfigKey::BaseUrl);
    let bucket = format!("{}/{}", server.as_deref().unwrap_or(SERVER), target.bucket);
    let bucket = Url::parse(&bucket).map_err(|error| error.to_string())?;
    let gcs = Arc::new(builder.build().map_err(|error| error.to_string())?);
    Ok(Bucket {
        objects: gcs.clone(),
        begun: Begun {
            connector,
            lists: Arc::new(Uploads { gcs: gcs.clone(), bucket }),
            uploads: gcs.clone(),
        },
        signer: (!is_nobody).then_some(gcs as _),
        only_new: |size| {
            vec![(IF_GENERATION, "0".to_owned()), (IF_LENGTH, format!("{size},{size}"))]
        },
        product: "Google Cloud Storage",
        rights: Rights {
            write: "storage.objects.create",
            read: "storage.objects.get",
            list: "storage.objects.list",
            delete: "storage.objects.delete",
            begin: "storage.multipartUploads.create",
            list_begun: "storage.multipartUploads.list",
            abort: "storage.multipartUploads.abort",
        },
    })
}

/// The uploads of the bucket with this address.
#[derive(Debug)]
struct Uploads {
    gcs: Arc<GoogleCloudStorage>,
    bucket: Url,
}

#[async_trait]
impl Lists for Uploads {
    async fn request(&self, prefix: &Path) -> Result<HttpRequest> {
        let mut url = self.bucket.clone();
        let query = [("uploads", ""), ("prefix", prefix.as_ref())];
        url.query_pairs_mut().extend_pairs(query);
        let mut request = http::Request::get(url.as_str());
        let keys = self.gcs.credentials().get_credential().await?;
        if !keys.bearer.is_empty() {
            request = request.header(AUTHORIZATION, format!("Bearer {}", keys.bearer));
        }
        request.body(HttpRequestBody::empty()).map_err(failed)
    }
}
