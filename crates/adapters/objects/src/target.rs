//! What a URL says: which prefix in which bucket on which server.

use outrigger_cloud::Endpoint;
use url::Url;

/// Where blobs are kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Target {
    pub(crate) service: Service,
    pub(crate) bucket: String,
    /// Without `/` at its ends; empty for the whole bucket.
    pub(crate) prefix: String,
    /// Another server than that of the cloud.
    pub(crate) endpoint: Option<Endpoint>,
    /// Where the environment names none.
    pub(crate) region: Option<String>,
}

/// Whose protocol is spoken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Service {
    /// `s3://`
    S3,
    /// `gs://`
    Gcs,
}

impl Target {
    /// Reads the URL.
    ///
    /// # Errors
    /// Says what is wrong with it.
    pub(crate) fn parse(url: &str) -> Result<Self, String> {
        Self::read(url)
            .map_err(|what| format!("{what}; expected s3://BUCKET/PREFIX or gs://BUCKET/PREFIX"))
    }

    /// Whether the server is on this machine.
    pub(crate) fn is_local(&self) -> bool {
        self.endpoint.as_ref().is_some_and(|endpoint| endpoint.is_local)
    }

    fn read(url: &str) -> Result<Self, String> {
        let url = Url::parse(url).map_err(|error| error.to_string())?;
        let service = match url.scheme() {
            "s3" => Service::S3,
            "gs" => Service::Gcs,
            other => return Err(format!("{other}:// is no object storage that is known")),
        };
        if !url.username().is_empty() || url.password().is_some() || url.port().is_some() {
            return Err("keys and ports have no place in it".to_owned());
        }
        let bucket = url.host_str().unwrap_or_default().to_owned();
        if bucket.is_empty() {
            return Err("it names no bucket".to_owned());
        }
        let prefix = url.path().trim_matches('/').to_owned();
        if !prefix.is_empty() && outrigger_ports::blobs::check_key(&prefix).is_err() {
            return Err("the prefix is names of A-Z a-z 0-9 _ . - with / between them".to_owned());
        }
        let mut target = Self { service, bucket, prefix, endpoint: None, region: None };
        for (name, value) in url.query_pairs() {
            match (&*name, service) {
                ("endpoint", _) => target.endpoint = Some(Endpoint::parse(&value)?),
                ("region", Service::S3) => target.region = Some(value.into_owned()),
                (other, _) => return Err(format!("{other} is not known")),
            }
        }
        Ok(target)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_names_bucket_and_perhaps_prefix_and_server() {
        let target = Target::parse("s3://shop-files/prod/eu/?region=eu-central-1").unwrap();
        assert_eq!((&*target.bucket, &*target.prefix), ("shop-files", "prod/eu"));
        assert_eq!(target.region.as_deref(), Some("eu-central-1"));
        assert_eq!((target.service, target.endpoint), (Service::S3, None));
        let target = Target::parse("gs://shop.example.com?endpoint=http://127.0.0.1:9/").unwrap();
        assert_eq!((target.service, &*target.prefix), (Service::Gcs, ""));
        let endpoint = target.endpoint.unwrap();
        assert_eq!((&*endpoint.url, endpoint.is_local), ("http://127.0.0.1:9", true));
    }

    #[test]
    fn what_is_wrong_with_a_url_is_said() {
        for (url, words) in [
            ("s3:///x", "bucket"),
            ("s3://key:secret@bucket/x", "keys and ports"),
            ("s3://bucket/a/../.b", "prefix"),
            ("s3://bucket/a%20b", "prefix"),
            ("s3://bucket?regoin=x", "regoin is not known"),
            ("gs://bucket?region=x", "region is not known"),
            ("s3://bucket?endpoint=http://10.0.0.1:8000", "must be https"),
            ("az://bucket", "az:// is no object storage"),
        ] {
            let said = Target::parse(url).unwrap_err();
            assert!(said.contains(words) && !said.contains("secret"), "{url}: {said}");
        }
    }
}
