//! The keys of the environment: variables, a file, the role of a task, of a pod or of the machine.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use aws_config::SdkConfig;
use aws_credential_types::Credentials;
use aws_credential_types::provider::{ProvideCredentials as _, SharedCredentialsProvider};

/// New ones are looked up so long before those of a role end.
const AHEAD: Duration = Duration::from_secs(5 * 60);

/// Looks keys up, and keeps those of a role while they are good.
#[derive(Debug)]
pub(super) struct Keys {
    provider: SharedCredentialsProvider,
    kept: Mutex<Option<Credentials>>,
}

impl Keys {
    /// # Errors
    /// When there is nowhere to look.
    pub(super) fn of(config: &SdkConfig) -> Result<Self, String> {
        let provider = config.credentials_provider().ok_or("no keys of AWS are known")?;
        Ok(Self { provider, kept: Mutex::default() })
    }

    /// Keys that are good now. Those that do not end are not kept: they are near, and may be changed.
    ///
    /// # Errors
    /// Says why there are none.
    pub(super) async fn at(&self, now: SystemTime) -> Result<Credentials, String> {
        if let Some(kept) = self.kept.lock().unwrap_or_else(PoisonError::into_inner).as_ref()
            && kept.expiry().is_some_and(|end| now + AHEAD < end)
        {
            return Ok(kept.clone());
        }
        let keys = self.provider.provide_credentials().await;
        let keys = keys.map_err(|error| format!("no keys of AWS: {error}"))?;
        *self.kept.lock().unwrap_or_else(PoisonError::into_inner) = Some(keys.clone());
        Ok(keys)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use aws_credential_types::provider::future::ProvideCredentials;
    use std::sync::Arc;
    use std::sync::atomic::{AtomicU64, Ordering};

    /// Gives keys that end at this second, and counts how often.
    #[derive(Clone, Debug)]
    struct Role(Option<u64>, Arc<AtomicU64>);

    impl aws_credential_types::provider::ProvideCredentials for Role {
        fn provide_credentials<'a>(&'a self) -> ProvideCredentials<'a>
        where
            Self: 'a,
        {
            let asked = self.1.fetch_add(1, Ordering::Relaxed);
            let end = self.0.map(second);
            ProvideCredentials::ready(Ok(Credentials::new(
                asked.to_string(),
                "s",
                None,
                end,
                "role",
            )))
        }
    }

    fn second(second: u64) -> SystemTime {
        SystemTime::UNIX_EPOCH + Duration::from_secs(second)
    }

    async fn asked(end: Option<u64>, at: [u64; 3]) -> [String; 3] {
        let role = Role(end, Arc::default());
        let config =
            SdkConfig::builder().credentials_provider(SharedCredentialsProvider::new(role));
        let keys = Keys::of(&config.build()).unwrap();
        let mut ids = [const { String::new() }; 3];
        for (id, at) in ids.iter_mut().zip(at) {
            *id = keys.at(second(at)).await.unwrap().access_key_id().to_owned();
        }
        ids
    }

    #[tokio::test]
    async fn keys_of_a_role_are_looked_up_when_they_are_about_to_end() {
        assert_eq!(asked(Some(1_000), [0, 699, 700]).await, ["0", "0", "1"]);
        assert_eq!(asked(None, [0, 0, 0]).await, ["0", "1", "2"]);
    }
}
