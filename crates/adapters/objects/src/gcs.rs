//! Google Cloud Storage, by its XML protocol.

use std::sync::Arc;

use http::HeaderName;
use object_store::StaticCredentialProvider;
use object_store::gcp::{GcpCredential, GoogleCloudStorageBuilder, GoogleConfigKey};

use crate::bucket::{Bucket, retries};
use crate::connector::Connector;
use crate::target::Target;

/// Says that there is no object yet: of it there was no generation.
const IF_GENERATION: HeaderName = HeaderName::from_static("x-goog-if-generation-match");
/// The least and the most bytes that it may have.
const IF_LENGTH: HeaderName = HeaderName::from_static("x-goog-content-length-range");

/// Keys are those of the environment: a service account's file, or the identity of the machine or pod.
/// A server on this machine is sent no keys, and nothing is signed for it.
pub(crate) fn open(target: &Target, connector: Connector) -> Result<Bucket, String> {
    let mut builder = GoogleCloudStorageBuilder::from_env()
        .with_bucket_name(&target.bucket)
        .with_retry(retries())
        .with_http_connector(connector);
    if let Some(endpoint) = &target.endpoint {
        builder = builder.with_config(GoogleConfigKey::BaseUrl, &endpoint.url);
    }
    if target.is_local() {
        let none = GcpCredential { bearer: String::new() };
        builder = builder.with_credentials(Arc::new(StaticCredentialProvider::new(none)));
    }
    let gcs = Arc::new(builder.build().map_err(|error| error.to_string())?);
    Ok(Bucket {
        objects: gcs.clone(),
        signer: (!target.is_local()).then_some(gcs as _),
        only_new: |size| {
            vec![(IF_GENERATION, "0".to_owned()), (IF_LENGTH, format!("{size},{size}"))]
        },
        product: "Google Cloud Storage",
        rights: [
            "storage.objects.create",
            "storage.objects.get",
            "storage.objects.list",
            "storage.objects.delete",
        ],
    })
}
