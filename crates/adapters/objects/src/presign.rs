//! Signs requests of others to S3 with all of their headers (Signature Version 4): the signer of
//! `object_store` leaves out the length.

use std::sync::Arc;
use std::time::{Duration, UNIX_EPOCH};

use async_trait::async_trait;
use aws_credential_types::Credentials;
use aws_sigv4::http_request::{
    PercentEncodingMode, SignableBody, SignableRequest, SignatureLocation, SigningSettings,
    UriPathNormalizationMode, sign,
};
use aws_sigv4::sign::v4::SigningParams;
use http::Method;
use object_store::aws::AmazonS3;
use object_store::path::Path;
use object_store::signer::{SignedUrlOptions, Signer};
use object_store::{Error, Result};
use outrigger_kernel::Clock;
use url::{Position, Url};

#[derive(Debug)]
pub(crate) struct Presigner {
    pub(crate) s3: Arc<AmazonS3>,
    pub(crate) region: String,
    pub(crate) clock: Arc<dyn Clock>,
}

#[async_trait]
impl Signer for Presigner {
    async fn signed_url(&self, method: Method, path: &Path, valid: Duration) -> Result<Url> {
        self.signed_url_opts(method, path, valid, &SignedUrlOptions::new()).await
    }

    async fn signed_url_opts(
        &self,
        method: Method,
        path: &Path,
        valid: Duration,
        options: &SignedUrlOptions,
    ) -> Result<Url> {
        // Only the client of S3 knows where the object is.
        let mut url = self.s3.signed_url(method.clone(), path, valid).await?;
        url.set_query(None);
        let keys = self.s3.credentials().get_credential().await?;
        let keys =
            Credentials::new(&keys.key_id, &keys.secret_key, keys.token.clone(), None, "S3").into();
        let micros = u64::try_from(self.clock.now().as_micros()).unwrap_or_default();
        let mut settings = SigningSettings::default();
        settings.signature_location = SignatureLocation::QueryParams;
        settings.expires_in = Some(valid);
        settings.percent_encoding_mode = PercentEncodingMode::Single;
        settings.uri_path_normalization_mode = UriPathNormalizationMode::Disabled;
        let params = SigningParams::builder()
            .identity(&keys)
            .region(&self.region)
            .name("s3")
            .time(UNIX_EPOCH + Duration::from_micros(micros))
            .settings(settings)
            .build()
            .map_err(failed)?
            .into();
        let host = url[Position::BeforeHost..Position::AfterPort].to_owned();
        let headers = options.signed_headers.iter();
        let headers =
            headers.filter_map(|(name, value)| Some((name.as_str(), value.to_str().ok()?)));
        let headers = headers.chain([("host", host.as_str())]);
        let request = SignableRequest::new(
            method.as_str(),
            url.as_str(),
            headers,
            SignableBody::UnsignedPayload,
        );
        let (signature, _) = request.and_then(|it| sign(it, &params)).map_err(failed)?.into_parts();
        let mut query = Vec::new();
        for (name, value) in signature.params() {
            query.push((*name, value.to_string()));
        }
        url.query_pairs_mut().extend_pairs(query);
        Ok(url)
    }
}

fn failed(error: impl std::error::Error + Send + Sync + 'static) -> Error {
    Error::Generic { store: "S3", source: Box::new(error) }
}
