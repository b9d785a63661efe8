//! One reference, and how it is followed.

use std::path::PathBuf;

use anyhow::{Context, Result, bail};
use outrigger_kernel::Secret;

/// Where a secret stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Reference {
    /// In a file.
    File(PathBuf),
    /// In AWS Secrets Manager, under this name.
    #[cfg(feature = "aws-sm")]
    Aws(Part),
    /// In Google's Secret Manager, under this project and name.
    #[cfg(feature = "gcp-sm")]
    Gcp(Part, Google),
}

/// A secret, or one member of it.
#[cfg(any(feature = "aws-sm", feature = "gcp-sm"))]
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Part {
    name: String,
    member: Option<String>,
}

/// What the environment says of Google Cloud.
#[cfg(feature = "gcp-sm")]
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Google {
    endpoint: Option<String>,
    metadata_host: Option<String>,
    key_file: Option<PathBuf>,
}

impl Reference {
    /// What the text refers to; `None` when it is the secret itself.
    #[cfg_attr(not(feature = "gcp-sm"), expect(unused_variables, reason = "it speaks of Google"))]
    pub(super) fn parse(text: &str, environment: &[(String, String)]) -> Option<Result<Self>> {
        let (scheme, rest) = text.split_once("://")?;
        match scheme {
            "file" => Some(Ok(Self::File(PathBuf::from(rest)))),
            #[cfg(feature = "aws-sm")]
            "aws-sm" => Some(Part::parse(rest).map(Self::Aws)),
            #[cfg(feature = "gcp-sm")]
            "gcp-sm" => {
                Some(Part::parse(rest).map(|part| Self::Gcp(part, Google::of(environment))))
            }
            #[cfg(not(feature = "aws-sm"))]
            "aws-sm" => Some(absent(scheme)),
            #[cfg(not(feature = "gcp-sm"))]
            "gcp-sm" => Some(absent(scheme)),
            _ => None,
        }
    }

    /// The secret as it is there now.
    ///
    /// # Errors
    /// Says which one cannot be had, and why.
    #[cfg_attr(
        not(any(feature = "aws-sm", feature = "gcp-sm")),
        expect(clippy::unused_async, reason = "secrets of a cloud are asked for over the network")
    )]
    pub(super) async fn read(&self) -> Result<Secret> {
        match self {
            Self::File(path) => {
                let path = path.display();
                let value = std::fs::read_to_string(path.to_string())
                    .with_context(|| format!("cannot read the secret in the file {path}"))?;
                Ok(Secret::from(value.trim_end_matches(['\n', '\r']).to_owned()))
            }
            #[cfg(feature = "aws-sm")]
            Self::Aws(part) => {
                use std::sync::Arc;
                let clock = Arc::new(outrigger_kernel::SystemClock);
                let secrets = outrigger_cloud::AwsSecrets::open(clock).await;
                let secrets = secrets.with_context(|| format!("aws-sm://{}", part.name))?;
                part.read(&secrets, "aws-sm").await
            }
            #[cfg(feature = "gcp-sm")]
            Self::Gcp(part, google) => {
                let clock = std::sync::Arc::new(outrigger_kernel::SystemClock);
                let Google { endpoint, metadata_host, key_file } = google.clone();
                let options = outrigger_cloud::GcpOptions { endpoint, metadata_host, key_file };
                let secrets = outrigger_cloud::GcpSecrets::new(options, clock);
                part.read(&secrets, "gcp-sm").await
            }
        }
    }
}

#[cfg(not(all(feature = "aws-sm", feature = "gcp-sm")))]
fn absent(scheme: &str) -> Result<Reference> {
    bail!(
        "this binary is built without references {scheme}://: use the released image, or build it with \
         `--features {scheme}`; or use file://"
    )
}

#[cfg(feature = "gcp-sm")]
impl Google {
    fn of(environment: &[(String, String)]) -> Self {
        let value = |name: &str| {
            let found =
                environment.iter().find(|(known, value)| known == name && !value.is_empty());
            found.map(|(_, value)| value.clone())
        };
        Self {
            endpoint: value("CLOUDSDK_API_ENDPOINT_OVERRIDES_SECRETMANAGER"),
            metadata_host: value("GCE_METADATA_HOST"),
            key_file: value("GOOGLE_APPLICATION_CREDENTIALS").map(PathBuf::from),
        }
    }
}

#[cfg(any(feature = "aws-sm", feature = "gcp-sm"))]
impl Part {
    fn parse(text: &str) -> Result<Self> {
        let (name, member) = match text.split_once('#') {
            Some((name, member)) => (name, Some(member)),
            None => (text, None),
        };
        if name.is_empty() || member == Some("") {
            bail!(
                "a reference is aws-sm://NAME, gcp-sm://PROJECT/NAME, and perhaps #MEMBER of JSON"
            );
        }
        Ok(Self { name: name.to_owned(), member: member.map(str::to_owned) })
    }

    async fn read(
        &self,
        secrets: &dyn outrigger_ports::secrets::Secrets,
        scheme: &str,
    ) -> Result<Secret> {
        use outrigger_kernel::secret::ExposeSecret as _;
        let name = &self.name;
        let whole = secrets.read(name).await.with_context(|| format!("{scheme}://{name}"))?;
        let Some(member) = &self.member else {
            let text = whole.expose_secret().trim_end_matches(['\n', '\r']);
            return Ok(Secret::from(text.to_owned()));
        };
        // What is wrong with it may hold parts of it, and is not said.
        let json: serde_json::Value =
            serde_json::from_str(whole.expose_secret()).ok().with_context(|| {
                format!("{scheme}://{name} is no JSON, of which #{member} could be a part")
            })?;
        match json.get(member) {
            Some(serde_json::Value::String(text)) => Ok(Secret::from(text.clone())),
            Some(value @ serde_json::Value::Number(_)) => Ok(Secret::from(value.to_string())),
            _ => bail!("{scheme}://{name} has no text or number #{member}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Option<Result<Reference>> {
        Reference::parse(text, &[])
    }

    #[test]
    fn values_are_no_references() {
        for text in ["", "hunter2", "postgres://u:p@h/d", "aws-sm:x"] {
            assert!(parse(text).is_none(), "{text}");
        }
        assert!(matches!(parse("file:///run/x"), Some(Ok(Reference::File(_)))));
    }

    #[test]
    #[cfg(not(feature = "aws-sm"))]
    fn what_is_not_compiled_in_is_said() {
        let said = parse("aws-sm://x").unwrap().unwrap_err().to_string();
        assert!(
            said.contains("without references aws-sm://") && said.contains("--features"),
            "{said}"
        );
    }

    #[test]
    #[cfg(all(feature = "aws-sm", feature = "gcp-sm"))]
    fn references_name_a_secret_and_perhaps_a_member() {
        let part = |name: &str, member: Option<&str>| Part {
            name: name.to_owned(),
            member: member.map(str::to_owned),
        };
        let parsed = |text| parse(text).unwrap().ok();
        assert_eq!(parsed("aws-sm://a/b#url"), Some(Reference::Aws(part("a/b", Some("url")))));
        assert_eq!(parsed("aws-sm://a"), Some(Reference::Aws(part("a", None))));
        assert_eq!(parsed("aws-sm://#a"), None);
        assert_eq!(parsed("gcp-sm://p/n#"), None);
        assert!(matches!(parsed("gcp-sm://p/n"), Some(Reference::Gcp(..))));
    }
}
