//! AWS Secrets Manager: one call, `GetSecretValue`.

use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use outrigger_kernel::{Clock, Secret};
use outrigger_ports::secrets::{SecretFault, Secrets};
use serde::Deserialize;

use super::{AwsApi, Call, CallFault};

/// Reads secrets by name or ARN, in the version that is in force (`AWSCURRENT`).
#[derive(Clone, Debug)]
pub struct AwsSecrets(AwsApi);

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Value {
    secret_string: Option<String>,
}

impl AwsSecrets {
    /// In the region of the environment.
    ///
    /// # Errors
    /// When there is no region.
    pub async fn open(clock: Arc<dyn Clock>) -> Result<Self, SecretFault> {
        let api = AwsApi::open(("secretsmanager", "secretsmanager"), None, clock).await;
        api.map(Self).map_err(SecretFault::Refused)
    }
}

#[async_trait]
impl Secrets for AwsSecrets {
    async fn read(&self, name: &str) -> Result<Secret, SecretFault> {
        let call = Call {
            method: "POST",
            path: "/",
            headers: &[
                ("content-type", "application/x-amz-json-1.1"),
                ("x-amz-target", "secretsmanager.GetSecretValue"),
            ],
            body: Bytes::from(serde_json::json!({ "SecretId": name }).to_string()),
        };
        let answer = self.0.call(call).await.map_err(fault)?;
        let value: Value = serde_json::from_slice(&answer)
            .map_err(|_| SecretFault::Away("Secrets Manager gave no secret".to_owned()))?;
        let text = value.secret_string.ok_or_else(|| {
            SecretFault::Refused(format!("the secret {name} is bytes, and not a text"))
        })?;
        Ok(text.into())
    }
}

fn fault(fault: CallFault) -> SecretFault {
    match fault {
        CallFault::Unanswered(why) => SecretFault::Away(why),
        CallFault::Refused(refusal) => {
            let why = format!("Secrets Manager: {refusal}");
            if refusal.is_passing() { SecretFault::Away(why) } else { SecretFault::Refused(why) }
        }
    }
}
