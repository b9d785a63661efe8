//! Who is asked for secrets: files, and one client for each cloud, which is opened for the first reference
//! to it and keeps its keys.

use anyhow::{Context, Result};
use outrigger_kernel::Secret;
#[cfg(any(feature = "aws-sm", feature = "gcp-sm"))]
use outrigger_ports::secrets::Secrets as _;

use super::reference::Place;

/// All places that a process knows.
#[derive(Debug, Default)]
pub(super) struct Places {
    #[cfg(feature = "aws-sm")]
    aws: tokio::sync::OnceCell<outrigger_cloud::AwsSecrets>,
    #[cfg(feature = "gcp-sm")]
    gcp: std::sync::OnceLock<outrigger_cloud::GcpSecrets>,
    #[cfg(feature = "gcp-sm")]
    environment: Vec<(String, String)>,
}

impl Places {
    /// With what this environment says of the clouds.
    #[cfg_attr(not(feature = "gcp-sm"), expect(unused_variables, reason = "it speaks of Google"))]
    pub(super) fn of(environment: &[(String, String)]) -> Self {
        Self {
            #[cfg(feature = "aws-sm")]
            aws: tokio::sync::OnceCell::new(),
            #[cfg(feature = "gcp-sm")]
            gcp: std::sync::OnceLock::new(),
            #[cfg(feature = "gcp-sm")]
            environment: environment.to_vec(),
        }
    }

    /// What stands there now.
    ///
    /// # Errors
    /// Says which secret cannot be had, and why; that of a cloud is a `SecretFault`.
    #[cfg_attr(
        not(any(feature = "aws-sm", feature = "gcp-sm")),
        expect(clippy::unused_async, reason = "secrets of a cloud are asked for over the network")
    )]
    pub(super) async fn read(&self, place: &Place) -> Result<Secret> {
        match place {
            Place::File(path) => {
                let text = std::fs::read_to_string(path).with_context(|| {
                    format!("cannot read the secret in the file {}", path.display())
                })?;
                Ok(Secret::from(text))
            }
            #[cfg(feature = "aws-sm")]
            Place::Aws(name) => {
                let clock = std::sync::Arc::new(outrigger_kernel::SystemClock);
                let open = || outrigger_cloud::AwsSecrets::open(clock);
                let aws = self.aws.get_or_try_init(open).await;
                let aws = aws.with_context(|| place.to_string())?;
                aws.read(name).await.with_context(|| place.to_string())
            }
            #[cfg(feature = "gcp-sm")]
            Place::Gcp(name) => {
                let gcp = self.gcp.get_or_init(|| google(&self.environment));
                gcp.read(name).await.with_context(|| place.to_string())
            }
        }
    }
}

/// As the environment says.
#[cfg(feature = "gcp-sm")]
fn google(environment: &[(String, String)]) -> outrigger_cloud::GcpSecrets {
    let value = |name: &str| {
        let found = environment.iter().find(|(known, value)| known == name && !value.is_empty());
        found.map(|(_, value)| value.clone())
    };
    let options = outrigger_cloud::GcpOptions {
        endpoint: value("CLOUDSDK_API_ENDPOINT_OVERRIDES_SECRETMANAGER"),
        metadata_host: value("GCE_METADATA_HOST"),
        key_file: value("GOOGLE_APPLICATION_CREDENTIALS").map(Into::into),
    };
    outrigger_cloud::GcpSecrets::new(options, std::sync::Arc::new(outrigger_kernel::SystemClock))
}
